"""Two players are found to be one person: one gives way to the other with all that he has (ADR 0031, 0033).

The caller holds both players' rows. Then both are fenced off: nobody else's transaction is about to give them a first
thing of a kind (migration 0009).
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Protocol, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.utils.module_loading import import_string

from accounts import own_choices, sessions, shown
from accounts.facts import IdsMoved, PlayersJoined
from accounts.models import JoinedPlayer, LinkCode, Player, PlayerIdentity, Tester
from core.db import LostRace, retry_conflicts
from core.facts import publish
from core.refusals import Unavailable

_FENCE_SPACE = 0x4C4C  # keeps our advisory locks apart from others'
_FENCES = 64  # as in migration 0009: a lock for each player would fill the table of locks
# Much less than deadlock_timeout: whoever meets us in a circle goes on, and we begin anew.
_WAITS_MS = 100
_ROUNDS = 24
_PAUSE_S = 0.05
_NOT_AVAILABLE = "55P03"  # a lock, within that time
_T = TypeVar("_T")

Holds = Callable[[int], bool]


class Moves(Protocol):
    """Gives what a room has of one player to another, inside the transaction that joins them (PLAYER_MOVES)."""

    def __call__(self, *, leaves: int, stays: int, shared: frozenset[int]) -> set[int]:
        """Move it; return the games in which both held something. `shared` are those that others returned before.

        Raises Conflict where it can't be put together.
        """


def part(theirs: int, mine: int) -> tuple[int, int, bool]:
    """Return who stays, who leaves, and whether he holds anything: who holds nothing leaves, else whom the id named."""
    leaves = next((one for one in (mine, theirs) if not _holds_anything(one)), mine)
    stays = theirs if leaves == mine else mine
    fence_off({leaves, stays})
    return stays, leaves, _holds_anything(leaves)


def give(leaves: int, stays: int, *, brings: bool) -> None:
    """Let every room give what it has of who leaves to who stays, and tell that both are one."""
    if brings:
        shared: frozenset[int] = frozenset()
        for moves in _moves():
            shared |= moves(leaves=leaves, stays=stays, shared=shared)
    publish(PlayersJoined([[leaves, stays]]), studio_id=None)
    end_fence()


def name_the_other(leaves: int, stays: int, found: LinkCode, *, at: datetime) -> set[int]:
    """Give what accounts has of a player to another, and delete him; return the studios whose ids move.

    Publishes:
        IdsMoved, to each of them.

    """
    ids = PlayerIdentity.objects.filter(player_id=leaves)
    named: dict[int, list[str]] = defaultdict(list)
    for studio_id, external_id in ids.order_by("id").values_list("studio_id", "external_id"):
        named[studio_id].append(external_id)
    studios = set(named)
    ids.update(player_id=stays)
    tested = Tester.objects.filter(player_id=leaves).values_list("game_id", flat=True)
    Tester.objects.bulk_create(
        [Tester(game_id=game_id, player_id=stays) for game_id in tested], ignore_conflicts=True
    )
    codes = LinkCode.objects.filter(player_id=leaves).exclude(pk=found.pk)
    codes.filter(used_at=None).delete()
    codes.update(player_id=stays)
    LinkCode.objects.filter(pk=found.pk).update(player_id=stays, used_at=at)
    JoinedPlayer.objects.filter(into_id=leaves).update(into_id=stays)
    own_choices.move(leaves, stays)
    gone = Player.objects.get(pk=leaves)
    JoinedPlayer.objects.create(
        player_id=leaves, into_id=stays, joined_at=at, uuid=gone.uuid, time_zone=gone.time_zone
    )
    for studio_id, external_ids in named.items():
        publish(IdsMoved(str(gone.uuid), stays, external_ids), studio_id=studio_id)
    gone.delete()
    sessions.dismiss(leaves)
    transaction.on_commit(lambda: shown.forget(leaves, studios), robust=True)
    return studios


def fence_off(player_ids: Iterable[int]) -> None:
    """Wait for whoever gives players a first row of a kind, and let nobody else do so until commit.

    From then on this transaction waits for a lock for a moment only: `patiently` begins it anew.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {_WAITS_MS}")
        for fence in sorted({player_id % _FENCES for player_id in player_ids}):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_FENCE_SPACE, fence])


def end_fence() -> None:
    """Let this transaction wait for locks again as all others do; nobody passes the fence before it is over."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")


def patiently(work: Callable[[], _T]) -> _T:
    """Run a transaction that fences players off, anew each time it met somebody else's lock.

    Raises:
        Unavailable: the players change too often just now.

    """
    for _ in range(_ROUNDS):
        try:
            return retry_conflicts(work)
        except LostRace:
            continue
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != _NOT_AVAILABLE:
                raise
            time.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311 - no secret
    raise Unavailable("This player changes right now. Send it again; repeating it is safe.")


def _holds_anything(player_id: int) -> bool:
    """Say whether any room holds something of a player: config says which functions to ask (ADR 0031)."""
    return any(holds(player_id) for holds in _holdings())


@cache
def _holdings() -> tuple[Holds, ...]:
    return tuple(import_string(path) for path in settings.PLAYER_HOLDINGS)


@cache
def _moves() -> tuple[Moves, ...]:
    return tuple(import_string(path) for path in settings.PLAYER_MOVES)
