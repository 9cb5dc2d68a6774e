"""Which achievements a game's funnel shows by itself."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.selectors import GameInfo
from achievements.selectors.definitions import Definition
from analytics.models import ChosenFunnel
from core import audit


def choose_steps(game: GameInfo, steps: Sequence[Definition], *, actor: str, at: datetime) -> None:
    """Keep a sequence as the game's own funnel; of none, forget what was chosen. Unchanged is not noted."""
    ids = [one.id for one in steps]
    with transaction.atomic():
        row = ChosenFunnel.objects.select_for_update().filter(game_id=game.id).first()
        if (row.achievement_ids if row else []) == ids:
            return
        if ids:
            ChosenFunnel.objects.update_or_create(game_id=game.id, defaults={"achievement_ids": ids})
        elif row is not None:
            row.delete()
        audit.record(
            studio_id=game.studio_id,
            actor=actor,
            action="analytics.funnel",
            kind="game",
            object_id=str(game.uuid),
            reason="",
            details={"achievements": [one.key for one in steps]},
            at=at,
        )
