"""Making boards whole in Valkey while everything runs: one rebuild a board at a time, and no half of one is ever shown.

A rebuild holds a token beside the board. Whatever takes the board away (FLUSHALL, a restart without data) takes the
token too, so the rebuild notices and the board does not become ready. What listeners write meanwhile is newer than what
the rebuild read, and versions keep it.
"""

import time
from collections.abc import Iterable

import structlog
from celery import current_app
from kombu.exceptions import OperationalError as BrokerError

from core.redis import AWAY
from leaderboards import comparing, estimating, filling, truth
from leaderboards.filling import State
from leaderboards.keys import Board

log = structlog.get_logger(__name__)

TASK, QUEUE = "leaderboards.rebuild_board", "bulk"
INLINE_PLAYERS = 20_000  # about half a second; a larger board is a task of its own
INLINE_S = 2.0  # the facts behind a listener wait so much longer
ASKED_FOR_S = 30  # a task that has not begun by then is asked for again


def heal(boards: Iterable[Board]) -> None:
    """See to it that boards become ready: small ones at once, as many as INLINE_S takes, the others as tasks."""
    until = time.monotonic() + INLINE_S
    try:
        for board in boards:
            if time.monotonic() < until and not truth.is_larger_than(board, INLINE_PLAYERS):
                make_ready(board)
            else:
                _ask_for(board)
    except (BrokerError, *AWAY) as error:
        log.warning("boards wait", error=str(error).split("\n")[0])  # for the next check


def make_ready(board: Board) -> None:
    """Make a board ready: rebuild one that is not there, compare one that is from before the server's last start.

    One that is too large for a sorted set is sketched instead.
    """
    state = filling.states([board])[board]
    if estimating.is_too_large(board):
        estimating.make(board)
    elif state is State.MISSING:
        estimating.drop(board)
        rebuild(board)
    elif state is State.UNVERIFIED:
        verify(board)


def rebuild(board: Board) -> int | None:
    """Empty a board and fill it with PostgreSQL's standings; PostgreSQL answers meanwhile.

    Returns:
        The number of players, or None when another rebuild runs or the board was lost meanwhile: then it is not ready.

    """
    token = filling.begin(board, empty=True)
    if token is None:
        return None
    players, whole = 0, False
    try:
        for entries in truth.everyone(board):
            if not filling.fill(board, token, [comparing.change_of(entry) for entry in entries]):
                return None
            players += len(entries)
        whole = True
    finally:
        ended = filling.end(board, token, whole=whole)
    log.info("board rebuilt", board=board.name, players=players, ready=ended)
    return players if ended else None


def verify(board: Board) -> int | None:
    """Compare a board with PostgreSQL and mend what is different, while it goes on answering.

    Returns:
        How many differences were mended, or None when another rebuild runs or the board was lost meanwhile.

    """
    token = filling.begin(board, empty=False)
    if token is None:
        return None
    mended, whole = 0, False
    try:
        for found in comparing.differences(board):
            if not filling.fill(board, token, []):
                return None
            comparing.mend(board, found)
            mended += len(found)
        whole = True
    finally:
        ended = filling.end(board, token, whole=whole)
    if mended:
        log.warning("board mended", board=board.name, players=mended)
    return mended if ended else None


def _ask_for(board: Board) -> None:
    """Send a board's task, unless it was sent a moment ago."""
    if filling.take_turn_to_ask(board, for_s=ASKED_FOR_S):
        current_app.send_task(
            TASK, args=list(board), queue=QUEUE, expires=ASKED_FOR_S, retry=False, ignore_result=True
        )
