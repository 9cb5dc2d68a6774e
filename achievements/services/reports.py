"""What players report, and what becomes of it: answered, resolved, opened again."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import IntegrityError, transaction

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from achievements.facts import ReportAnswered
from achievements.models.reports import PlayerReport, ReportAnswer, ReportState
from achievements.selectors import explaining, reports
from achievements.selectors.definitions import Definition, GameCatalogue
from core import audit
from core.facts import publish
from core.refusals import Conflict, NotFound, Refused
from core.rendering import dumps

MOST_A_DAY = 10  # of a player
DAY = timedelta(days=1)
_SEED_BYTES = 12


class TooManyReports(Refused):
    """The player reported too much within a day."""

    slug = "rate-limited"


def report(
    *,
    game: GameInfo,
    player_id: int,
    catalogue: GameCatalogue,
    definition: Definition,
    message: str,
    at: datetime,
) -> UUID:
    """Store that an achievement did not unlock for a player, with why it is locked now; return the report's id.

    Raises:
        Conflict: it is unlocked, or he has an open report about it.
        TooManyReports: he made MOST_A_DAY within a day.

    """
    trace = explaining.trace(player_id, catalogue, definition, at=at)
    if trace["unlocked"]:
        raise Conflict(f"The player has unlocked it, at {trace['unlocked_at']}.")
    lately = PlayerReport.objects.filter(player_id=player_id, created_at__gt=at - DAY)
    try:
        with transaction.atomic():
            reports.take_turns(player_id)
            if lately.count() >= MOST_A_DAY:
                wait = lately.order_by("created_at").values_list("created_at", flat=True)[0] + DAY - at
                raise TooManyReports(
                    f"A player may report {MOST_A_DAY} achievements a day. Send it tomorrow.",
                    headers={"Retry-After": str(max(1, int(wait.total_seconds())))},
                )
            made = PlayerReport.objects.create(
                studio_id=game.studio_id,
                game_id=game.id,
                achievement_id=definition.id,
                player_id=player_id,
                message=message,
                trace=orjson.loads(dumps(trace)),  # as the API would have told it
                created_at=at,
            )
    except IntegrityError:
        raise Conflict("The player has reported this achievement, and it is not answered yet.") from None
    reports.forget_count(game.studio_id)
    return made.uuid


def answer(*, studio_id: int, uuid: UUID, text: str, actor: str, at: datetime) -> None:
    """Answer a report; the player is told.

    Raises:
        NotFound: the studio has no such report.
        Conflict: somebody was quicker.

    Publishes:
        ReportAnswered.

    """
    with transaction.atomic():
        row = _locked(studio_id, uuid)
        if row.state != ReportState.OPEN:
            raise _settled(row)
        ReportAnswer.objects.create(report=row, text=text, at=at, by=actor)
        _set(row, ReportState.ANSWERED, actor=actor, at=at)
        _note(row, "report.answer", actor=actor, at=at, details={"answer": text})
        told = ReportAnswered(
            game=row.game_id,
            achievement=row.achievement_id,
            player=row.player_id,
            report=str(row.uuid),
            answer=text,
            seed=secrets.token_hex(_SEED_BYTES),
        )
        publish(told, studio_id=studio_id)


def resolve(*, studio_id: int, uuid: UUID, actor: str, at: datetime) -> bool:
    """Put a report away, answered or not; say whether that changed anything. Raises NotFound."""
    with transaction.atomic():
        row = _locked(studio_id, uuid)
        if row.state == ReportState.RESOLVED:
            return False
        _set(row, ReportState.RESOLVED, actor=actor, at=at)
        _note(row, "report.resolve", actor=actor, at=at)
    return True


def reopen(*, studio_id: int, uuid: UUID, actor: str, at: datetime) -> bool:
    """Let a report wait for an answer again; say whether that changed anything.

    Raises:
        NotFound: the studio has no such report.
        Conflict: the player has another open one about the same achievement.

    """
    try:
        with transaction.atomic():
            row = _locked(studio_id, uuid)
            if row.state == ReportState.OPEN:
                return False
            _set(row, ReportState.OPEN, actor=actor, at=at)
            _note(row, "report.reopen", actor=actor, at=at)
    except IntegrityError:
        raise Conflict(
            "The player has another open report about this achievement: answer that one."
        ) from None
    return True


def _locked(studio_id: int, uuid: UUID) -> PlayerReport:
    row = PlayerReport.objects.select_for_update().filter(studio_id=studio_id, uuid=uuid).first()
    if row is None:
        raise NotFound("There is no such report.")
    return row


def _settled(row: PlayerReport) -> Conflict:
    """Say who was quicker, and with what."""
    last = row.answers.order_by("-pk").first()
    who = row.handled_by.removeprefix("user:")
    if row.state == ReportState.ANSWERED and last is not None:
        return Conflict(f"{who} has answered it meanwhile: “{last.text[:200]}” Nothing was sent.")
    return Conflict(f"{who} has resolved it meanwhile. Nothing was sent: open it again to answer.")


def _set(row: PlayerReport, state: ReportState, *, actor: str, at: datetime) -> None:
    row.state, row.handled_by, row.handled_at = state, actor, at
    row.save(update_fields=["state", "handled_by", "handled_at"])
    transaction.on_commit(lambda: reports.forget_count(row.studio_id), robust=True)


def _note(
    row: PlayerReport, action: str, *, actor: str, at: datetime, details: Mapping[str, Any] | None = None
) -> None:
    player = accounts.players_shown([row.player_id]).get(row.player_id, {})
    audit.record(
        studio_id=row.studio_id,
        actor=actor,
        action=action,
        kind="player",
        object_id=player.get("id", str(row.uuid)),
        reason="",
        at=at,
        details={"report": str(row.uuid), **(details or {})},
    )
