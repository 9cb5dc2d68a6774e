"""Boards too large for a sorted set: exact for their first places, estimated for the rest.

Such a board is not in Valkey. PostgreSQL's index has its order; a sketch of it (leaderboards/rules/estimates.py) is
kept in a row, and tells about which place a position has. A board is large as long as it has a sketch.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import NamedTuple

import structlog
from django.conf import settings

from core import clock
from core.db import array_literal, run_prepared, text_array_literal
from leaderboards import filling, truth
from leaderboards.keys import Board
from leaderboards.listing import Behind, FromOffset, Listing, Place, Rank, Row, Where
from leaderboards.models import BoardSketch
from leaderboards.rules import estimates, ranks
from leaderboards.rules.estimates import Sketch
from leaderboards.truth import Entry

log = structlog.get_logger(__name__)

EXACT_PLACES = 5_000  # at the beginning of a board of any size
_KEPT_S = 5.0
_KEPT = 1_000  # boards; a large one's sketch has 32 KB
_SHRUNK = 0.8  # of the size from which boards are large: below it one is exact again

_kept: OrderedDict[str, tuple[float, Sketch | None]] = OrderedDict()
_large_kept: list[tuple[float, frozenset[str]]] = []
_lock = Lock()


def sketch_of(board: Board) -> Sketch | None:
    """Return a large board's sketch, _KEPT_S old at most beyond its own age; None for a board that is not large."""
    if board.name not in large():
        return None
    kept = _kept.get(board.name)
    if kept is not None and time.monotonic() - kept[0] < _KEPT_S:
        return kept[1]
    row = BoardSketch.objects.filter(name=board.name).first()
    found = None if row is None else _read(row)
    with _lock:
        _kept[board.name] = time.monotonic(), found
        _kept.move_to_end(board.name)
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return found


def forget() -> None:
    """Empty this process's kept sketches (after a change here, and between tests)."""
    with _lock:
        _kept.clear()
        _large_kept.clear()


def listing(board: Board, sketch: Sketch, where: Where, *, limit: int) -> Listing:
    """Return a page of a large board."""
    if isinstance(where, FromOffset):
        return _from(board, sketch, where.offset, limit=limit)
    if isinstance(where, Behind):
        return _listing(board, sketch, truth.page(board, after=where.row, limit=limit))
    entry = truth.of_players(board, [where.player_id]).get(where.player_id)
    if entry is None:
        return _from(board, sketch, max(0, sketch.players - limit), limit=limit)
    before = truth.page_before(board, entry.row, limit=(limit - 1) // 2)
    behind = truth.page(board, after=entry.row, limit=limit - 1 - len(before))
    missing = limit - 1 - len(before) - len(behind)
    if missing:  # near the end: as many more from before
        before = truth.page_before(board, entry.row, limit=len(before) + missing)
    return _listing(board, sketch, [*before, entry, *behind])


def rank(board: Board, sketch: Sketch, player_id: int) -> Rank | None:
    """Return where a player stands on a large board, None when not on it."""
    entry = truth.of_players(board, [player_id]).get(player_id)
    if entry is None:
        return None
    at = _place(board, sketch, entry)
    return Rank(
        rank=ranks.rank_of(board.tie_break, place=at.place, before=at.before, scores_before=at.scores_before),
        sort_value=entry.sort_value,
        reached_us=entry.reached_us,
        total_count=max(sketch.players, at.place + 1),
        tied=bool(_neighbours_of(board, entry)),
        before=at.before,
        exact=at.exact,
    )


def place(board: Board, sketch: Sketch, sort_value: int) -> Place:
    """Return what rank a score would have on a large board that came now."""
    first, last = Row(0, sort_value, 0), Row(0, sort_value + 1, 0)
    before = truth.count_before(board, first, most=EXACT_PLACES + 1)
    exact = before <= EXACT_PLACES
    if not exact:
        before = sketch.before(sort_value)
    not_behind = (
        truth.count_before(board, last, most=EXACT_PLACES + 1) if exact else sketch.before(sort_value + 1)
    )
    different = sketch.different(sort_value) if board.is_dense else 0
    found = ranks.rank_of(board.tie_break, place=not_behind, before=before, scores_before=different)
    is_exact = exact and not board.is_dense and (not_behind <= EXACT_PLACES or board.tie_break == "shared")
    return Place(found, before, sketch.players, exact=is_exact)


class _At(NamedTuple):
    """A place and what lies before it."""

    place: int
    before: int
    scores_before: int
    exact: bool


def _place(board: Board, sketch: Sketch, entry: Entry) -> _At:
    counted = truth.count_before(board, entry.row, most=EXACT_PLACES + 1)
    if counted <= EXACT_PLACES:
        before = counted - truth.tied_before(board, entry)
        return _At(counted, before, truth.scores_before(board, entry.sort_value), exact=True)
    place = sketch.place((entry.sort_value, entry.reached_us, entry.player_id))
    before = min(place, sketch.before(entry.sort_value))
    return _At(place, before, sketch.different(entry.sort_value) if board.is_dense else 0, exact=False)


def _from(board: Board, sketch: Sketch, offset: int, *, limit: int) -> Listing:
    """Return the page from a place: counted from the beginning, or from the nearest known position before it."""
    if offset <= EXACT_PLACES:
        return _listing(board, sketch, truth.page(board, offset=offset, limit=limit))
    position, known = sketch.start(offset - 1)
    if position is None:
        return _listing(board, sketch, truth.page(board, offset=offset, limit=limit))
    sort_value, reached_us, player_id = position
    after = Row(player_id, sort_value, reached_us)
    return _listing(board, sketch, truth.page(board, after=after, offset=offset - 1 - known, limit=limit))


def _listing(board: Board, sketch: Sketch, found: list[Entry]) -> Listing:
    if not found:
        return Listing(board.tie_break, sketch.players, sketch.players, sketch.players, [], exact=False)
    at = _place(board, sketch, found[0])
    total = max(sketch.players, at.place + len(found))
    rows = [entry.row for entry in found]
    return Listing(board.tie_break, total, at.place, at.before, rows, at.scores_before, exact=at.exact)


def _neighbours_of(board: Board, entry: Entry) -> list[Entry]:
    """Return those next to an entry that have its score."""
    beside = [*truth.page_before(board, entry.row, limit=1), *truth.page(board, after=entry.row, limit=1)]
    return [other for other in beside if other.sort_value == entry.sort_value]


# Keeping sketches.


def is_too_large(board: Board) -> bool:
    """Say whether a board is, or has become, too large for a sorted set."""
    size = settings.LEADERBOARD_EXACT_PLAYERS
    known = sketch_of(board) is not None
    return truth.is_larger_than(board, int(size * _SHRUNK) if known else size)


def make(board: Board) -> None:
    """Sketch a board, and take it out of Valkey: PostgreSQL answers from now on."""
    sketch = truth.sketch(board)
    BoardSketch.objects.update_or_create(
        name=board.name,
        defaults={
            "made_at": clock.now(),
            "changes": 0,
            "players": sketch.players,
            "step": sketch.step,
            "sort_values": [position[0] for position in sketch.positions],
            "reached_us": [position[1] for position in sketch.positions],
            "player_ids": [position[2] for position in sketch.positions],
            "scores_before": list(sketch.scores_before),
            "scores": sketch.scores,
        },
    )
    forget()
    filling.drop(board)
    log.info("board sketched", board=board.name, players=sketch.players)


def drop(board: Board) -> None:
    """Let a board be exact again; it is rebuilt as any that is not in Valkey."""
    BoardSketch.objects.filter(name=board.name).delete()
    forget()


_COUNT = """
UPDATE leaderboards_boardsketch s SET changes = s.changes + i.changed
  FROM unnest($1::text[], $2::bigint[]) AS i (name, changed) WHERE s.name = i.name
RETURNING s.name, s.players, s.changes
"""


def count_changes(changed: Mapping[Board, int]) -> tuple[set[Board], set[Board]]:
    """Note how many players moved on large boards.

    Returns:
        The boards of which that was noted, and those of them whose sketch is stale by that. The others are not large
        any more, and `large` does not know it yet.

    """
    if not changed:
        return set(), set()
    boards = {board.name: board for board in changed}
    ordered = sorted(boards)
    counts = [changed[boards[name]] for name in ordered]
    rows = run_prepared(_COUNT, [text_array_literal(ordered), array_literal(counts)])
    stale = {
        boards[name]
        for name, players, changes in rows
        if estimates.is_stale(players=players, changes=changes)
    }
    return {boards[row[0]] for row in rows}, stale


def large() -> frozenset[str]:
    """Return the names of all large boards, as of _KEPT_S ago: a listener asks often, and mostly there are none."""
    kept = _large_kept[:]  # whoever forgets meanwhile empties it
    if kept and time.monotonic() - kept[0][0] <= _KEPT_S:
        return kept[0][1]
    names = frozenset(BoardSketch.objects.values_list("name", flat=True))
    _large_kept[:] = [(time.monotonic(), names)]
    return names


def stale() -> frozenset[str]:
    """Return the names of those whose sketch is to be made anew."""
    rows = BoardSketch.objects.values_list("name", "players", "changes")
    return frozenset(
        name for name, players, changes in rows if estimates.is_stale(players=players, changes=changes)
    )


def _read(row: BoardSketch) -> Sketch:
    positions = list(zip(row.sort_values, row.reached_us, row.player_ids, strict=True))
    return Sketch(row.players, row.step, positions, row.scores_before, row.scores)
