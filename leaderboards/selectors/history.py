"""How boards looked a while ago: snapshots, a player's ranks over time, and how far he has moved."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from core.db import run_prepared, text_array_literal
from core.redis import breaker, client
from leaderboards import keys
from leaderboards.keys import Board
from leaderboards.models import Period, PeriodState, RankSample, Snapshot
from leaderboards.selectors.definitions import BoardInfo

DAY = timedelta(days=1)
YOUNGEST = timedelta(minutes=5)  # of what ranks are compared with, where there is nothing a day old
WATCHED_FOR_S = 7 * 86_400
_NOTED_AGAIN_S = 3600.0
_KEPT_S = 60.0
_KEPT = 500  # boards

_noted: dict[tuple[str, int], float] = {}
_kept: "OrderedDict[tuple[str, timedelta], tuple[float, Past | None]]" = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A kept look at a board; `rows` are `(player, rank, sort value, reached µs)` of its first places.

    Attributes:
        board: what keys call the board.

    """

    id: int
    uuid: UUID
    board: str
    taken_at: datetime
    players: int
    period: str
    rows: list[tuple[int, int, int, int]]


@dataclass(frozen=True, slots=True)
class Past:
    """Ranks by player as of a snapshot's first places."""

    snapshot_id: int
    taken_at: datetime
    ranks: Mapping[int, int]
    knows_all: bool


@dataclass(frozen=True, slots=True)
class Moves:
    """How players moved on a board since a moment; None where nothing is known of it.

    Attributes:
        deltas: by how many places they rose (fell: negative); without those of whom nothing is known.
        new: who was not on the board then.

    """

    since: datetime | None
    deltas: Mapping[int, int]
    new: frozenset[int]


@dataclass(frozen=True, slots=True)
class Move:
    """How one player moved on a board: by how many places he rose (fell: negative), None where he is new on it."""

    rose: int | None

    @property
    def is_new(self) -> bool:
        """Whether he was not on the board then."""
        return self.rose is None


@dataclass(frozen=True, slots=True)
class Sample:
    """Where a player stood at a moment."""

    at: datetime
    rank: int
    sort_value: int


def orders(info: BoardInfo | None, *, game_id: int) -> list[str]:
    """Return the names of the orders that a board's snapshots are kept under: its main span's periods, or points."""
    if info is None:
        return [Board(game_id, None).name]
    found = Period.objects.filter(leaderboard_id=info.id, span=info.main_span)
    listed = found.exclude(state=PeriodState.DISCARDED).values_list("id", flat=True)
    return [info.order(pk).name for pk in listed]


def snapshots(
    boards: Iterable[str],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[SnapshotInfo]:
    """Return kept snapshots of orders by their names, newest first, without their rows."""
    rows = Snapshot.objects.filter(board__in=list(boards)).defer("top")
    if since is not None:
        rows = rows.filter(taken_at__gte=since)
    if until is not None:
        rows = rows.filter(taken_at__lt=until)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return [
        SnapshotInfo(row.pk, row.uuid, row.board, row.taken_at, row.players, row.period, [])
        for row in rows.order_by("-id")[:limit]
    ]


def snapshot(boards: Iterable[str], uuid: UUID) -> SnapshotInfo | None:
    """Return a snapshot of one of the orders, with its rows; None if there is none."""
    row = Snapshot.objects.filter(board__in=list(boards), uuid=uuid).first()
    return None if row is None else _with_rows(row)


def snapshot_before(board: str, at: datetime, *, newest: int) -> SnapshotInfo | None:
    """Return an order's newest snapshot that was taken until a moment, else its oldest; none but before `newest`."""
    rows = Snapshot.objects.filter(board=board, pk__lt=newest)
    row = rows.filter(taken_at__lte=at).order_by("-taken_at").first() or rows.order_by("taken_at").first()
    return None if row is None else _with_rows(row)


def _with_rows(row: Snapshot) -> SnapshotInfo:
    found = [(one[0], one[1], one[2], one[3]) for one in orjson.loads(row.top)]
    return SnapshotInfo(row.pk, row.uuid, row.board, row.taken_at, row.players, row.period, found)


def samples(board: Board, player_id: int, *, since: datetime) -> list[Sample]:
    """Return where a player stood over time, oldest first; empty for whom nobody asked about."""
    rows = RankSample.objects.filter(board=board.name, player_id=player_id, taken_at__gte=since)
    return [Sample(row.taken_at, row.rank, row.sort_value) for row in rows.order_by("taken_at")]


def note_watch(boards: Iterable[Board], player_id: int, *, now: datetime) -> None:
    """Note that somebody asks for a player's ranks, so that they are kept from now on, in one round trip.

    Within an hour it costs nothing.
    """
    tick = time.monotonic()
    due = [
        board for board in boards if tick - _noted.get((board.name, player_id), -math.inf) >= _NOTED_AGAIN_S
    ]
    if not due:
        return
    if len(_noted) > 100_000:
        _noted.clear()
    _noted.update({(board.name, player_id): tick for board in due})
    added = {player_id.to_bytes(8, "big"): int(now.timestamp())}

    def add() -> list[Any]:
        pipe = client("boards").pipeline(transaction=False)
        for board in due:
            pipe.zadd(keys.watched(board), added)
            pipe.expire(keys.watched(board), WATCHED_FOR_S)
        return pipe.execute()

    breaker("boards").call(add, otherwise=list)


def rank_deltas(board: Board, ranks: Mapping[int, int], *, at: datetime) -> dict[int, int]:
    """Return by how many places players rose since a day ago (fell: negative), as far as the first places tell.

    Where the oldest snapshot is younger than a day it is compared with, if it is five minutes old at least.
    """
    return dict(moves(board, ranks, at=at, back=DAY).deltas)


def rank_delta(board: Board, player_id: int, rank: int, *, at: datetime, back: timedelta = DAY) -> int | None:
    """Return by how many places one player rose since so long ago; None where nothing is known of him."""
    past = _past(board, at=at, back=back)
    found = {} if past is None else moves(board, {player_id: rank}, at=at, back=back).deltas
    if player_id in found or past is None:
        return found.get(player_id)
    rows = RankSample.objects.filter(
        board=board.name, player_id=player_id, taken_at__lte=past.taken_at + YOUNGEST
    )
    row = rows.order_by("-taken_at").first()
    return None if row is None or row.taken_at < past.taken_at - DAY else row.rank - rank


def moves(board: Board, ranks: Mapping[int, int], *, at: datetime, back: timedelta) -> Moves:
    """Return how players moved since so long ago, as far as the first places tell; see `rank_deltas`."""
    past = _past(board, at=at, back=back)
    if past is None:
        return Moves(None, {}, frozenset())
    known = {player: past.ranks[player] - rank for player, rank in ranks.items() if player in past.ranks}
    return Moves(past.taken_at, known, frozenset(ranks.keys() - known) if past.knows_all else frozenset())


# As a snapshot's first places tell, else what was kept of the player for himself about then.
_MOVED = """
SELECT w.board, coalesce(
           (SELECT (e ->> 1)::bigint FROM jsonb_array_elements(s.top::jsonb) AS e WHERE (e ->> 0)::bigint = $2),
           (SELECT r.rank FROM leaderboards_ranksample r
             WHERE r.board = w.board AND r.player_id = $2
               AND r.taken_at BETWEEN s.taken_at - interval '1 day' AND s.taken_at + interval '5 minutes'
             ORDER BY r.taken_at DESC LIMIT 1)),
       s.players <= jsonb_array_length(s.top::jsonb)
  FROM unnest($1::text[]) AS w (board)
 CROSS JOIN LATERAL (
     SELECT * FROM (
         (SELECT x.taken_at, x.top, x.players, 0 AS choice FROM leaderboards_snapshot x
           WHERE x.board = w.board AND x.taken_at <= $3 ORDER BY x.taken_at DESC LIMIT 1)
         UNION ALL
         (SELECT x.taken_at, x.top, x.players, 1 FROM leaderboards_snapshot x
           WHERE x.board = w.board AND x.taken_at <= $4 ORDER BY x.taken_at LIMIT 1)) AS both_of
      ORDER BY choice LIMIT 1) AS s
"""


def moves_of(
    player_id: int, ranks: Mapping[Board, int], *, at: datetime, back: timedelta
) -> dict[Board, Move]:
    """Return how a player moved on each of several boards since so long ago, in one query.

    Where the oldest snapshot is younger it is compared with, as in `rank_deltas`; boards of which nothing is known are
    left out. That he is looked at is noted, so that more is known of him next time.
    """
    note_watch(ranks, player_id, now=at)
    boards = {board.name: board for board in ranks}
    names = text_array_literal(boards)
    rows = run_prepared(_MOVED, [names, player_id, at - back, at - YOUNGEST]) if boards else []
    return {
        boards[name]: Move(None if past is None else past - ranks[boards[name]])
        for name, past, knows_all in rows
        if past is not None or knows_all
    }


def forget() -> None:
    """Empty what this process keeps (between tests)."""
    with _lock:
        _kept.clear()
    _noted.clear()


def _past(board: Board, *, at: datetime, back: timedelta) -> Past | None:
    """Return the ranks that present ones are compared with, looked up at most every _KEPT_S."""
    key = board.name, back
    kept = _kept.get(key)
    if kept is not None and time.monotonic() - kept[0] < _KEPT_S:
        return kept[1]
    rows = Snapshot.objects.filter(board=board.name)
    row = (
        rows.filter(taken_at__lte=at - back).order_by("-taken_at").first()
        or rows.filter(taken_at__lte=at - YOUNGEST).order_by("taken_at").first()
    )
    found = None
    if row is not None:
        ranks = {one[0]: one[1] for one in orjson.loads(row.top)}
        found = Past(row.pk, row.taken_at, ranks, knows_all=row.players <= len(ranks))
    with _lock:
        _kept[key] = time.monotonic(), found
        _kept.move_to_end(key)
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return found
