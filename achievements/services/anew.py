"""Letting a player begin anew, in one game or in several: unlocks with their steps, stats, or both, in one commit."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from accounts.selectors import GameInfo, PlayerInfo
from achievements.services import revokes
from core.db import retry_conflicts


@dataclass(frozen=True, slots=True)
class Anew:
    """How many unlocks were taken back, achievements on their way begun anew, and values of stats taken away."""

    revoked: int = 0
    progress: int = 0
    values: int = 0


def begin(
    *,
    games: Collection[GameInfo],
    player: PlayerInfo,
    unlocks: bool,
    stats: bool,
    reason: str,
    actor: str,
    at: datetime,
) -> Anew:
    """Take back a player's unlocks in games, take his stats away, or both. Scores on boards stay.

    Publishes:
        AchievementsRevoked, OverallChanged, StatsChanged, of what there was.

    """
    ordered = sorted(games, key=lambda one: one.id)

    def act() -> Anew:
        with transaction.atomic():
            values = 0
            # All stats first: their locks keep reports out, which would unlock again what is taken back below; and who
            # holds rows of unlocks must not wait for a lock that a report holds which waits for those.
            for game in ordered if stats else ():
                values += _reset_stats()(game=game, player=player, keys=None, reason=reason, by=actor, at=at)
            done = [
                revokes.reset(game=game, player_id=player.id, key=None, reason=reason, actor=actor, at=at)
                for game in (ordered if unlocks else ())
            ]
        return Anew(sum(one.revoked for one in done), sum(one.progress for one in done), values)

    return retry_conflicts(act)


@cache
def _reset_stats() -> Callable[..., int]:
    """Find who takes stats away: they lie upstream, and config says which function to call (ADR 0039)."""
    found: Callable[..., int] = import_string(settings.STATS_RESET)
    return found
