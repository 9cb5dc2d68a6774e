"""Every write of periods."""

from datetime import datetime

from django.db import connection
from django.db.models import F

from core.db import run_prepared
from leaderboards import locking
from leaderboards.models import Leaderboard, Period, PeriodState
from leaderboards.rules.periods import Window
from leaderboards.selectors.definitions import BoardInfo

_MOST_KEPT = 20_000
_kept: dict[tuple[int, int, str], int] = {}

LIVE = (PeriodState.OPEN, PeriodState.FINALISING)
NEVER = 0  # no period's id: whoever weighs a score for it finds that its board has changed

# A reset that is on its way is waited for; then the epoch is another one, and none of the old begins any more.
_BEGIN = """
INSERT INTO leaderboards_period (leaderboard_id, studio_id, span, name, epoch, starts_at, ends_at, state)
SELECT b.id, $2, $3::text, $4::text, b.epoch, $6::timestamptz, $7::timestamptz, 'open'
  FROM leaderboards_leaderboard b WHERE b.id = $1 AND b.epoch = $5 FOR SHARE
ON CONFLICT (leaderboard_id, name, epoch) DO NOTHING
"""
_FIND = """
SELECT id FROM leaderboards_period WHERE leaderboard_id = $1 AND name = $2::text AND epoch = $3
"""


def begin(board: BoardInfo, window: Window) -> int:
    """Return the internal id of a board's period, made at its first score; NEVER if the board was reset since."""
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
    if not found:
        return NEVER
    pk: int = found[0][0]
    if not connection.in_atomic_block:  # else it may yet be rolled back
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[key] = pk
    return pk


def discard(board_id: int, *, at: datetime) -> int:
    """Let a board begin anew, inside the caller's transaction: what is not final is shown nowhere any more.

    Scores on their way to its periods are waited for; later ones find the board changed.

    Returns:
        How many periods were discarded.

    """
    mine = Leaderboard.objects.filter(pk=board_id)
    mine.update(epoch=F("epoch") + 1, version=F("version") + 1, updated_at=at)  # now no period begins
    live = Period.objects.filter(leaderboard_id=board_id, state__in=LIVE)
    locking.take_alone(live.values_list("pk", flat=True))
    return live.update(state=PeriodState.DISCARDED)


def forget() -> None:
    """Empty this process's kept periods (between tests)."""
    _kept.clear()
