"""Keeping looks at boards: every few minutes those that changed, thinned out as they grow old."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast

import orjson
from django.conf import settings
from django.db.utils import InterfaceError, OperationalError

from core import shifts
from core.db import run_prepared
from core.redis import AWAY, WORKER_TIMEOUT_S, client
from leaderboards import estimating, keys
from leaderboards.keys import Board
from leaderboards.listing import Rank
from leaderboards.models import Period, RankSample, Snapshot
from leaderboards.rules.periods import RESETS, Reset
from leaderboards.selectors import standings
from leaderboards.selectors.history import WATCHED_FOR_S
from leaderboards.selectors.standings import FromOffset

FIRST_PLACES = 1_000
_MOST_WATCHED = 10_000  # players of a board; those who asked last
_MOST_OF_LARGE = 500  # of one whose ranks are estimated, which takes a few queries each
_AT_ONCE = 500
_DELETED_AT_ONCE = 2_000
DAY = timedelta(days=1)
CLOSELY, HOURLY, KEPT = 2 * DAY, 14 * DAY, 400 * DAY  # ages: up to when all are kept, one an hour, one a day
_THINNED = HOURLY + 14 * DAY  # the ages looked through: a job that was away for longer leaves some until KEPT
_KEPT_IN = {"leaderboards_snapshot": "board", "leaderboards_ranksample": "board, player_id"}


def take_snapshots(*, now: datetime) -> int:
    """Keep a look at every board that changed since the last time; return how many were taken.

    One for a board and span of time, however many take them at once. What could not be taken by now, since this span of
    time has one already or PostgreSQL is away, is taken the next time. Raises redis.RedisError.
    """
    taken, left = 0, set[Board]()
    try:
        while not shifts.is_over() and (boards := _changed()):
            left.update(boards)
            for board in boards:
                taken += _take_or_leave(board, left, now=now)
    finally:
        _note_again(left)
    return taken


def take(board: Board, *, now: datetime) -> bool | None:
    """Keep the first places of a board, and the ranks of players who were asked for.

    Returns:
        Whether this call did; None for an order of which none are kept.

    """
    period = _period_name(board)
    if period is None:
        return None
    listing = standings.page(board, FromOffset(0), limit=FIRST_PLACES)
    top = [
        [row.player_id, rank, row.sort_value, row.reached_us]
        for rank, row in zip(listing.ranks, listing.rows, strict=True)
    ]
    window = int(now.timestamp()) // settings.LEADERBOARD_SNAPSHOT_S
    made = Snapshot(
        board=board.name,
        window=window,
        taken_at=now,
        players=listing.total,
        period=period,
        top=orjson.dumps(top).decode(),
    )
    Snapshot.objects.bulk_create([made], ignore_conflicts=True)
    if not Snapshot.objects.filter(board=board.name, window=window, uuid=made.uuid).exists():
        return False
    for asked in _chunks(_watched(board, now=now)):
        _keep_ranks(board, asked, at=now)
    return True


def thin(*, now: datetime) -> int:
    """Delete what is kept too closely: all of two days, then one an hour for two weeks, then one a day for 400 days.

    The newest of each hour and day stays: it says how the board stood until it changed again, whenever that was.
    """
    deleted = 0
    for table, series in _KEPT_IN.items():
        deleted += _in_batches(_FORGET.format(table=table), [now - KEPT])
        sql = _THIN.format(table=table, series=series)
        for day in _days(now):
            until = min(day + DAY, now - CLOSELY)
            deleted += _in_batches(sql, [day, until, now - HOURLY])
    return deleted


def _changed() -> list[Board]:
    """Return some of the boards that changed since they were returned last; an empty list when there are no more."""
    names: list[bytes] = client("boards", timeout_s=WORKER_TIMEOUT_S).spop(keys.changed(), _AT_ONCE)  # type: ignore[assignment]
    return [board for name in names if (board := keys.board_of(b"{%s}" % name)) is not None]


def _take_or_leave(board: Board, left: set[Board], *, now: datetime) -> bool:
    """Take one, and cross the board off what is left unless it has to wait; return whether it was taken.

    One that fails otherwise than by the database's absence is crossed off: it must not stop the others for ever.
    """
    try:
        is_taken = take(board, now=now)
    except (OperationalError, InterfaceError, *AWAY):
        raise
    except Exception:
        left.discard(board)
        raise
    if is_taken is not False:
        left.discard(board)
    return bool(is_taken)


def _note_again(boards: Iterable[Board]) -> None:
    """Note boards as changed, if Valkey is there; without it their next change notes them."""
    if names := [board.name for board in boards]:
        with suppress(*AWAY):
            client("boards", timeout_s=WORKER_TIMEOUT_S).sadd(keys.changed(), *names)


def _period_name(board: Board) -> str | None:
    """Return the period's id if snapshots of the order are kept: a game's points, or a board's main span."""
    if board.region is not None or board.game_id is None:
        return None
    if board.period_id is None:
        return "all"
    found = (
        Period.objects.filter(pk=board.period_id).values_list("name", "span", "leaderboard__reset").first()
    )
    if found is None:
        return None
    name, span, reset = found
    return name if RESETS[cast("Reset", reset)] == span else None


def _watched(board: Board, *, now: datetime) -> list[int]:
    """Return the players of a board whom somebody asked for lately."""
    valkey, key = client("boards", timeout_s=WORKER_TIMEOUT_S), keys.watched(board)
    valkey.zremrangebyscore(key, "-inf", int(now.timestamp()) - WATCHED_FOR_S)
    most = _MOST_WATCHED if estimating.sketch_of(board) is None else _MOST_OF_LARGE
    members: list[bytes] = valkey.zrange(key, 0, most - 1, desc=True)  # type: ignore[assignment]
    return [int.from_bytes(member, "big") for member in members]


def _keep_ranks(board: Board, players: Sequence[int], *, at: datetime) -> None:
    found: list[Rank | None] = standings.ranks_of(board, players)
    RankSample.objects.bulk_create(
        [
            RankSample(
                board=board.name, player_id=pk, taken_at=at, rank=rank.rank, sort_value=rank.sort_value
            )
            for pk, rank in zip(players, found, strict=True)
            if rank is not None
        ],
        ignore_conflicts=True,
    )


def _chunks(players: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(players), _AT_ONCE):
        yield players[start : start + _AT_ONCE]


_FORGET = """
    WITH gone AS (
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE taken_at < $1::timestamptz ORDER BY taken_at LIMIT $2))
        RETURNING 1
    ) SELECT count(*) FROM gone
"""

# Of one day: no hour or day reaches into another, so whoever is not the newest of his may go.
_THIN = """
    WITH aged AS (
        SELECT ctid, row_number() OVER (
                   PARTITION BY {series}, date_trunc(
                       CASE WHEN taken_at < $3::timestamptz THEN 'day' ELSE 'hour' END, taken_at, 'UTC')
                   ORDER BY taken_at DESC) AS place
          FROM {table} WHERE taken_at >= $1::timestamptz AND taken_at < $2::timestamptz
    ), gone AS (
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM aged WHERE place > 1 LIMIT $4))
        RETURNING 1
    ) SELECT count(*) FROM gone
"""


def _days(now: datetime) -> Iterator[datetime]:
    """Yield the beginnings of the days in UTC that may have grown too close: older ones were thinned before."""
    day = (now - _THINNED).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day < now - CLOSELY:
        yield day
        day += DAY


def _in_batches(sql: str, params: Sequence[object]) -> int:
    """Run a statement that deletes a batch until it finds nothing more; return how many rows went."""
    deleted = 0
    while not shifts.is_over() and (batch := run_prepared(sql, [*params, _DELETED_AT_ONCE])[0][0]):
        deleted += batch
    return deleted
