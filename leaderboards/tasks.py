"""Queue ⇄ Python for leaderboards."""

import structlog
from celery import shared_task

from core import followers, relay
from core.redis import AWAY
from leaderboards import rebuilding
from leaderboards.keys import Board
from leaderboards.services import follower

log = structlog.get_logger(__name__)


@shared_task(name="leaderboards.follow")
def follow() -> None:
    """Bring to the boards what the log has to say since the last time."""
    if followers.follow(follower.FOLLOWER):
        relay.hint(follower.FOLLOWER)


@shared_task(name="leaderboards.check_boards")
def check_boards() -> None:
    """See to it that every board is whole in Valkey, every few seconds."""
    try:
        follower.check_boards()
    except AWAY as error:
        log.warning("boards can't be checked", error=str(error).split("\n")[0])


@shared_task(name=rebuilding.TASK)
def rebuild_board(game_id: int | None, region: str | None) -> None:
    """Make a large board ready."""
    try:
        rebuilding.make_ready(Board(game_id, region))
    except AWAY as error:
        log.warning("board waits", board=Board(game_id, region).name, error=str(error).split("\n")[0])
