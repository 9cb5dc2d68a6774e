"""Every write of periods."""

from django.db import connection

from core.db import run_prepared
from leaderboards.rules.periods import Window
from leaderboards.selectors.definitions import BoardInfo

_MOST_KEPT = 20_000
_kept: dict[tuple[int, int, str], int] = {}

_BEGIN = """
INSERT INTO leaderboards_period (leaderboard_id, studio_id, span, name, epoch, starts_at, ends_at, state)
VALUES ($1, $2, $3::text, $4::text, $5, $6::timestamptz, $7::timestamptz, 'open')
ON CONFLICT (leaderboard_id, name, epoch) DO NOTHING
"""
_FIND = """
SELECT id FROM leaderboards_period WHERE leaderboard_id = $1 AND name = $2::text AND epoch = $3
"""


def begin(board: BoardInfo, window: Window) -> int:
    """Return the internal id of a board's period, creating it at its first score."""
    key = (board.id, board.epoch, window.id)
    known = _kept.get(key)
    if known is not None:
        return known
    found = run_prepared(_FIND, [board.id, window.id, board.epoch])
    if not found:
        run_prepared(
            _BEGIN,
            [
                board.id,
                board.studio_id,
                window.span,
                window.id,
                board.epoch,
                window.starts_at,
                window.ends_at,
            ],
        )
        found = run_prepared(_FIND, [board.id, window.id, board.epoch])
    pk: int = found[0][0]
    if not connection.in_atomic_block:  # else it may yet be rolled back
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[key] = pk
    return pk


def forget() -> None:
    """Empty this process's kept periods (between tests)."""
    _kept.clear()
