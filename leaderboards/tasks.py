"""Queue ⇄ Python for leaderboards."""

from typing import Any

import structlog
from celery import shared_task

from core import clock, followers, relay
from core.redis import AWAY
from leaderboards import rebuilding
from leaderboards.keys import Board
from leaderboards.services import feeding, follower, reconciling, snapshots, telling, turning

log = structlog.get_logger(__name__)


@shared_task(name="leaderboards.follow")
def follow() -> None:
    """Bring to the boards what the log has to say since the last time."""
    if followers.follow(follower.FOLLOWER):
        relay.hint(follower.FOLLOWER)


@shared_task(name="feeding.follow")
def feed() -> None:
    """Submit what stats became to the boards that they feed."""
    if followers.follow(feeding.FOLLOWER):
        relay.hint(feeding.FOLLOWER)


@shared_task(name="leaderboards.check_boards")
def check_boards() -> None:
    """See to it that every board is whole in Valkey, every few seconds."""
    try:
        follower.check_boards()
    except AWAY as error:
        log.warning("boards can't be checked", error=str(error).split("\n")[0])


@shared_task(name="leaderboards.turn_periods")
def turn_periods() -> None:
    """Let periods end and become final, every few seconds."""
    turning.turn_periods(now=clock.now())


@shared_task(name="leaderboards.tell_ranks")
def tell_ranks() -> None:
    """Tell players whose score moved where they stand now, every few seconds."""
    try:
        telling.tell_ranks(now=clock.now())
    except AWAY as error:
        log.warning("ranks can't be told", error=str(error).split("\n")[0])


@shared_task(name="leaderboards.take_snapshots")
def take_snapshots() -> None:
    """Keep a look at every board that changed."""
    try:
        snapshots.take_snapshots(now=clock.now())
    except AWAY as error:
        log.warning("snapshots wait", error=str(error).split("\n")[0])


@shared_task(name="leaderboards.reconcile")
def reconcile() -> None:
    """Compare a sample of what boards hold with PostgreSQL."""
    try:
        reconciling.reconcile()
    except AWAY as error:
        log.warning("boards can't be compared", error=str(error).split("\n")[0])


@shared_task(name="leaderboards.keep_boards")
def keep_boards() -> None:
    """Let go of what is not needed any more: old submissions' events, old snapshots."""
    turning.forget_submissions(now=clock.now())
    snapshots.thin(now=clock.now())


@shared_task(name="leaderboards.tidy_boards")
def tidy_boards() -> None:
    """Remove the boards of periods that are over or were reset, every few minutes."""
    try:
        dropped = follower.tidy_boards()
    except AWAY as error:
        log.warning("boards can't be tidied", error=str(error).split("\n")[0])
    else:
        if dropped:
            log.info("boards dropped", boards=dropped)


@shared_task(name=rebuilding.TASK)
def rebuild_board(*parts: Any) -> None:
    """Make a large board ready; the parts are those of a Board, as JSON has them."""
    board = Board(*parts)
    try:
        rebuilding.make_ready(board)
    except AWAY as error:
        log.warning("board waits", board=board.name, error=str(error).split("\n")[0])
