"""What is kept of a board, as if time had passed: a final period, a snapshot."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import orjson
from django.utils import timezone

from core.clock import microseconds
from leaderboards.keys import Board
from leaderboards.models import Leaderboard, Period, PeriodState, Snapshot

DAY = timedelta(days=1)


def final_period(board: Leaderboard, *, days_ago: int = 2, players: int = 0) -> Period:
    """Make a final period of a daily board."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    starts_at = midnight - days_ago * DAY
    return Period.objects.create(
        leaderboard=board,
        studio_id=board.studio_id,
        span="day",
        name=starts_at.date().isoformat(),
        starts_at=starts_at,
        ends_at=starts_at + DAY,
        state=PeriodState.FINAL,
        finalised_at=starts_at + DAY + timedelta(minutes=15),
        players=players,
        standings_hash=bytes(range(32)),
    )


def snapshot(
    period: Period, top: Iterable[tuple[int, int, int]] = (), *, at: datetime | None = None
) -> Snapshot:
    """Take a snapshot of a period: `(player, rank, sort value)` of its first places."""
    board = Board(period.leaderboard.game_id, None, period.pk, period.leaderboard.tie_break)  # type: ignore[arg-type]
    return snapshot_of(board, top, at=at or timezone.now(), period=period.name)


def snapshot_of(
    board: Board, top: Iterable[tuple[int, int, int]], *, at: datetime, period: str = ""
) -> Snapshot:
    """Take a snapshot of an order: `(player, rank, sort value)` of its first places."""
    rows = [[player, rank, value, microseconds(at)] for player, rank, value in top]
    return Snapshot.objects.create(
        board=board.name,
        window=microseconds(at),
        taken_at=at,
        players=len(rows),
        period=period,
        top=orjson.dumps(rows).decode(),
    )
