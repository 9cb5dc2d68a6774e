"""Looking whether boards still hold what PostgreSQL holds: a sample every few minutes, and what differs is mended.

Nothing should ever differ. What does is counted, and shown as a metric that should stay 0.
"""

import random
import time

import structlog

from core import clock, lags
from leaderboards import comparing, estimating, filling, rebuilding, truth
from leaderboards.comparing import LOOK_AGAIN_S, Difference
from leaderboards.filling import State
from leaderboards.keys import Board
from leaderboards.models import Mending
from leaderboards.services.follower import FOLLOWER

log = structlog.get_logger(__name__)

BOARDS = 20
PLAYERS = 200  # of each
PATIENCE_S = 5.0


def reconcile(*, boards: int = BOARDS) -> int:
    """Compare some boards, drawn by lot, and mend what differs; return how many players were mended.

    Raises redis.RedisError.
    """
    if any(lag.seconds > PATIENCE_S for lag in lags.of_followers() if lag.name == FOLLOWER):
        return 0  # what the follower has yet to bring is no difference
    large = estimating.large()
    listed = [board for board in truth.boards() if board.name not in large]
    states = filling.states(listed)
    ready = [board for board in listed if states[board] is State.READY]
    drawn = random.sample(ready, min(boards, len(ready)))
    return sum(_reconciled(board) for board in drawn)


def _reconciled(board: Board) -> int:
    if _differs_in_size(board):
        mended = rebuilding.verify(board) or 0
    else:
        sample = filling.sample(board, PLAYERS)
        found = comparing.wrong_among(board, sample)
        confirmed = comparing.confirmed(board, found) if found else []
        comparing.mend(board, confirmed)
        mended = _players(confirmed)
    if mended:
        Mending.objects.create(at=clock.now(), board=board.name, players=mended)
        log.error("board differed", board=board.name, players=mended)
    return mended


def _differs_in_size(board: Board) -> bool:
    """Say whether more or fewer players stand on a board than should, and go on doing so while nothing changes."""
    seen = set()
    for look in range(3):
        if look:
            time.sleep(LOOK_AGAIN_S)
        difference = filling.sizes([board])[board] - truth.count(board)
        if difference == 0:
            return False
        seen.add(difference)
    return len(seen) == 1


def _players(found: list[Difference]) -> int:
    return len({one.player_id for one in found})
