"""Players' reports: of a player, of a studio, and how many wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.cache import cache

from accounts.selectors import players_shown
from achievements import keys
from achievements.models.reports import PlayerReport, ReportState
from core.db import run_prepared

COUNT_KEPT_S: Final = 10
MOST_COUNTED: Final = 100  # the rail says "99+" then
_TURNS: Final = 0x5250  # keeps our advisory locks apart from others'


@dataclass(frozen=True, slots=True)
class AnswerInfo:
    """What a player was answered; `by` is who, as the audit log names him."""

    text: str
    at: datetime
    by: str

    @property
    def who(self) -> str:
        """Who answered, by his e-mail address."""
        return self.by.removeprefix("user:")


@dataclass(frozen=True, slots=True)
class ReportInfo:
    """A player's report.

    Attributes:
        player: id, name, and the studio's id for him; None for somebody who is gone.
        trace: why it was locked when it was reported, as the API explains it to the studio.
        handled_by: who gave it its state, as the audit log names him; empty for nobody.
        answers: the oldest first.

    """

    id: int
    uuid: UUID
    game_id: int
    game_uuid: UUID
    game_title: str
    achievement_id: int
    achievement_key: str
    achievement_name: str
    player_id: int
    player: dict[str, str] | None
    message: str
    trace: dict[str, Any]
    state: str
    created_at: datetime
    handled_at: datetime | None
    handled_by: str
    answers: tuple[AnswerInfo, ...]


def of_player(
    player_id: int,
    *,
    studio_id: int,
    game_id: int | None,
    achievement_id: int | None = None,
    before_id: int | None,
    limit: int,
) -> list[ReportInfo]:
    """Return a page of what a player reported to a studio, or only of one achievement, the newest first."""
    rows = PlayerReport.objects.filter(player_id=player_id, studio_id=studio_id)
    if achievement_id is not None:
        rows = rows.filter(achievement_id=achievement_id)
    return _page(rows if game_id is None else rows.filter(game_id=game_id), studio_id, before_id, limit)


def of_studio(
    studio_id: int, *, state: str, game_id: int | None, before_id: int | None, limit: int
) -> list[ReportInfo]:
    """Return a page of a studio's reports in a state, the newest first; in any for an empty one."""
    rows = PlayerReport.objects.filter(studio_id=studio_id)
    if state:
        rows = rows.filter(state=state)
    return _page(rows if game_id is None else rows.filter(game_id=game_id), studio_id, before_id, limit)


def one(studio_id: int, uuid: UUID) -> ReportInfo | None:
    """Return a report of a studio."""
    found = _page(PlayerReport.objects.filter(studio_id=studio_id, uuid=uuid), studio_id, None, 1)
    return found[0] if found else None


def open_count(studio_id: int) -> int:
    """Return how many reports wait, at most MOST_COUNTED, and at most COUNT_KEPT_S ago."""
    found: int | None = cache.get(keys.open_reports(studio_id))
    if found is None:
        rows = PlayerReport.objects.filter(studio_id=studio_id, state=ReportState.OPEN)
        found = len(rows.values_list("pk")[:MOST_COUNTED])
        cache.set(keys.open_reports(studio_id), found, COUNT_KEPT_S)
    return found


def opened(studio_id: int, *, since: datetime, most: int) -> list[datetime]:
    """Return when those that wait were made after a time, newest first, of the `most` newest."""
    rows = PlayerReport.objects.filter(studio_id=studio_id, state=ReportState.OPEN).order_by("-pk")
    return [at for at in rows.values_list("created_at", flat=True)[:most] if at > since]


def forget_count(studio_id: int) -> None:
    """Let it be counted anew."""
    cache.delete(keys.open_reports(studio_id))


def take_turns(player_id: int) -> None:
    """Let a player's reports be made one at a time, until the transaction's end, so that they are counted exactly."""
    run_prepared("SELECT pg_advisory_xact_lock($1::int, ($2 % 1000000)::int)", [_TURNS, player_id])


def _page(rows: Any, studio_id: int, before_id: int | None, limit: int) -> list[ReportInfo]:
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    found: Sequence[PlayerReport] = list(
        rows.select_related("game", "achievement").prefetch_related("answers").order_by("-pk")[:limit]
    )
    shown = players_shown({row.player_id for row in found}, studio_id=studio_id) if found else {}
    return [_info(row, shown.get(row.player_id)) for row in found]


def _info(row: PlayerReport, player: dict[str, str] | None) -> ReportInfo:
    answers = sorted(row.answers.all(), key=lambda one: one.pk)
    return ReportInfo(
        id=row.pk,
        uuid=row.uuid,
        game_id=row.game_id,
        game_uuid=row.game.uuid,
        game_title=row.game.title,
        achievement_id=row.achievement_id,
        achievement_key=row.achievement.key,
        achievement_name=row.achievement.name,
        player_id=row.player_id,
        player=player,
        message=row.message,
        trace=row.trace,
        state=row.state,
        created_at=row.created_at,
        handled_at=row.handled_at,
        handled_by=row.handled_by,
        answers=tuple(AnswerInfo(one.text, one.at, one.by) for one in answers),
    )
