"""Which entries of a board are hidden, or belong to excluded players, and what one player holds on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.audit import entries as audit
from core.audit.entries import Entry
from core.db import run_prepared
from leaderboards.models import PeriodState, Score

FIRST = (2**62, 2**62)
MOST_HELD = 100  # periods of one player


@dataclass(frozen=True, slots=True)
class TakenOff:
    """An entry that is not shown.

    Attributes:
        period: the period's name.

    """

    period_id: int
    period: str
    player_id: int
    sort_value: int
    hidden_at: datetime | None
    excluded_at: datetime | None

    @property
    def position(self) -> tuple[int, int]:
        """Where it stands in the list."""
        return self.period_id, self.player_id


@dataclass(frozen=True, slots=True)
class Held:
    """What a player holds in a period."""

    period_id: int
    period: str
    span: str
    state: str
    sort_value: int
    reached_at: datetime
    attempts: int
    hidden_at: datetime | None
    excluded_at: datetime | None

    @property
    def is_live(self) -> bool:
        """Whether it may still change."""
        return self.state in (PeriodState.OPEN, PeriodState.FINALISING)

    @property
    def is_off(self) -> bool:
        """Whether it is not shown."""
        return self.hidden_at is not None or self.excluded_at is not None


_LISTED = """
SELECT s.period_id, q.name, s.player_id, s.sort_value, s.hidden_at, s.excluded_at
  FROM leaderboards_period q
  JOIN leaderboards_score s ON s.period_id = q.id AND (s.hidden_at IS NOT NULL OR s.excluded_at IS NOT NULL)
 WHERE q.leaderboard_id = $1 AND q.state <> 'discarded' AND (s.period_id, s.player_id) < ($2, $3)
 ORDER BY s.period_id DESC, s.player_id DESC LIMIT $4
"""


def listed(board_id: int, *, before: tuple[int, int] = FIRST, limit: int) -> list[TakenOff]:
    """Return the entries of a board that are not shown, those of its newest period first."""
    return [TakenOff(*row) for row in run_prepared(_LISTED, [board_id, *before, limit])]


def held(board_id: int, player_id: int) -> list[Held]:
    """Return what a player holds on a board, newest period first."""
    rows = Score.objects.filter(player_id=player_id, period__leaderboard_id=board_id)
    rows = rows.exclude(period__state=PeriodState.DISCARDED).select_related("period").order_by("-period_id")
    return [
        Held(
            period_id=row.period_id,
            period=row.period.name,
            span=row.period.span,
            state=row.period.state,
            sort_value=row.sort_value,
            reached_at=row.reached_at,
            attempts=row.attempts,
            hidden_at=row.hidden_at,
            excluded_at=row.excluded_at,
        )
        for row in rows[:MOST_HELD]
    ]


def why(
    studio_id: int, players: Iterable[UUID | str], *, game: UUID, key: str
) -> "Mapping[tuple[str, str | None], Entry]":
    """Return the audit log's lines on players: by `(player, period)` of hiding, by `(player, None)` of excluding.

    The newest line counts, and only lines of this board.
    """
    found: dict[tuple[str, str | None], Entry] = {}
    for one in audit.newest_about(studio_id, players, actions=("entry.hide", "player.exclude")):
        if one.action == "player.exclude":
            found.setdefault((one.object_id, None), one)
        elif (one.details.get("game"), one.details.get("leaderboard")) == (str(game), key):
            for period in one.details.get("scores", ()):
                found.setdefault((one.object_id, period), one)
    return found
