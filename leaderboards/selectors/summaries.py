"""What tables of boards say of each: how many are on it, and when it changed last. One query for all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from core.db import array_literal, run_prepared, text_array_literal


@dataclass(frozen=True, slots=True)
class Summary:
    """How many players are shown in a period, counted up to some number, and the newest time of their scores."""

    entries: int
    newest_at: datetime | None


_OF_PERIODS = """
SELECT w.period_id, s.entries, s.newest_at FROM unnest($1::bigint[]) AS w (period_id)
 CROSS JOIN LATERAL (SELECT count(*) AS entries, max(counted.reached_at) AS newest_at FROM (
     SELECT reached_at FROM leaderboards_score
      WHERE period_id = w.period_id AND hidden_at IS NULL AND excluded_at IS NULL LIMIT $2) AS counted) AS s
"""
_SNAPSHOTS = """
SELECT w.board, s.taken_at FROM unnest($1::text[]) AS w (board)
 CROSS JOIN LATERAL (SELECT taken_at FROM leaderboards_snapshot
                      WHERE board = w.board ORDER BY taken_at DESC LIMIT 1) AS s
"""
_LIVE = """
SELECT count(*) FROM (
    SELECT FROM leaderboards_period q JOIN leaderboards_score s ON s.period_id = q.id
     WHERE q.leaderboard_id = $1 AND q.state IN ('open', 'finalising') LIMIT $2) AS counted
"""


def of_periods(period_ids: Iterable[int], *, most: int) -> dict[int, Summary]:
    """Return how many are in each period, counted up to `most`; the newest time is of those that were counted."""
    rows = run_prepared(_OF_PERIODS, [array_literal(period_ids), most])
    return {row[0]: Summary(row[1], row[2]) for row in rows}


def last_changes(boards: Iterable[str]) -> dict[str, datetime]:
    """Return when orders changed last by their names, to the minutes between snapshots; those without are left out."""
    return dict(run_prepared(_SNAPSHOTS, [text_array_literal(boards)]))


def live_entries(board_id: int, *, most: int) -> int:
    """Return how many entries a board's periods hold that are not final, hidden ones too, counted up to `most`."""
    count: int = run_prepared(_LIVE, [board_id, most])[0][0]
    return count
