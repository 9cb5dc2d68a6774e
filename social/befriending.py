"""Every write of friendships, requests and blocks.

Whoever changes what is between two players holds both players' locks, taken in one order: limits are counted and
crossing requests are seen without a gap.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from core.facts import publish
from core.ids import new_id
from core.refusals import Conflict, NotFound
from social.facts import FriendAccepted, FriendRequested
from social.models import Block, FriendRequest, Friendship

MOST_FRIENDS = 500
MOST_REQUESTS = 100  # open ones that a player sent
_LOCK_SPACE = 0x4C46  # keeps our advisory locks apart from others'


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request came to: `pending`, or `accepted` where both asked each other or are friends already."""

    uuid: UUID
    status: str


def ask(*, sender_id: int, receiver_id: int, at: datetime) -> Asked:
    """Ask a player to be friends. Repeating it changes nothing; a request that crosses another accepts it.

    Who is blocked by the receiver gets the same answer as anybody, and his request is seen by nobody.

    Publishes: FriendRequested, unless the receiver blocks the sender; FriendAccepted.

    Raises:
        Conflict: oneself, a player whom one blocks, too many open requests, too many friends.

    """
    if sender_id == receiver_id:
        raise Conflict("Nobody is his own friend.")
    with transaction.atomic():
        hold(sender_id, receiver_id)
        if Block.objects.filter(player_id=sender_id, blocked_id=receiver_id).exists():
            raise Conflict("You block this player: unblock him first.")
        if Friendship.objects.filter(player_id=sender_id, friend_id=receiver_id).exists():
            return Asked(new_id(), "accepted")
        waiting = FriendRequest.objects.filter(sender_id=sender_id, receiver_id=receiver_id).first()
        if waiting is not None:
            return Asked(waiting.uuid, "pending")
        crossing = FriendRequest.objects.filter(sender_id=receiver_id, receiver_id=sender_id).first()
        if crossing is not None:
            _befriend(crossing, at=at)
            return Asked(crossing.uuid, "accepted")
        if FriendRequest.objects.filter(sender_id=sender_id).count() >= MOST_REQUESTS:
            raise Conflict(f"At most {MOST_REQUESTS} requests may wait for an answer.")
        _require_room(sender_id, "You have")
        made = FriendRequest.objects.create(sender_id=sender_id, receiver_id=receiver_id, created_at=at)
        if not Block.objects.filter(player_id=receiver_id, blocked_id=sender_id).exists():
            publish(FriendRequested(str(made.uuid), sender_id, receiver_id, _seed()), studio_id=None)
    return Asked(made.uuid, "pending")


def accept(*, player_id: int, request: UUID, at: datetime) -> None:
    """Become friends with who asked.

    Publishes: FriendAccepted.

    Raises:
        NotFound: there is no such request to this player.
        Conflict: one of both has too many friends.

    """
    with transaction.atomic():
        found = _received(player_id, request)
        hold(found.sender_id, player_id)
        _befriend(_received(player_id, request), at=at)  # unless it was answered meanwhile


def decline(*, player_id: int, request: UUID) -> None:
    """Let a request go; who sent it may take it back likewise. Raises NotFound."""
    mine = Q(receiver_id=player_id) | Q(sender_id=player_id)
    with transaction.atomic():
        found = FriendRequest.objects.filter(mine, uuid=request).first()
        if found is not None:
            hold(found.sender_id, found.receiver_id)
        if found is None or not FriendRequest.objects.filter(pk=found.pk).delete()[0]:
            raise NotFound("There is no such friend request.")


def remove(*, player_id: int, friend_id: int) -> None:
    """End a friendship, for both. Raises NotFound if there is none."""
    with transaction.atomic():
        hold(player_id, friend_id)
        if not _part(player_id, friend_id):
            raise NotFound("That player is no friend.")


def block(*, player_id: int, blocked_id: int, at: datetime) -> None:
    """End what is between two players and stop requests both ways, without telling. Raises Conflict for oneself."""
    if player_id == blocked_id:
        raise Conflict("Nobody blocks himself.")
    with transaction.atomic():
        hold(player_id, blocked_id)
        _part(player_id, blocked_id)
        _forget_requests(player_id, blocked_id)
        Block.objects.bulk_create(
            [Block(player_id=player_id, blocked_id=blocked_id, created_at=at)], ignore_conflicts=True
        )


def unblock(*, player_id: int, blocked_id: int) -> None:
    """Let requests through again; repeating it changes nothing."""
    Block.objects.filter(player_id=player_id, blocked_id=blocked_id).delete()


def hold(*player_ids: int) -> None:
    """Let everybody else who changes something between these players wait until commit."""
    with connection.cursor() as cursor:
        for player_id in sorted(set(player_ids)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, player_id % 2**31])


def _received(player_id: int, request: UUID) -> FriendRequest:
    """Return a request that its receiver sees. Raises NotFound."""
    found = FriendRequest.objects.filter(uuid=request, receiver_id=player_id).first()
    blocked = Block.objects.filter(player_id=player_id)
    if found is None or blocked.filter(blocked_id=found.sender_id).exists():
        raise NotFound("There is no such friend request.")
    return found


def _befriend(request: FriendRequest, *, at: datetime) -> None:
    """Let who was asked accept."""
    one, other = request.receiver_id, request.sender_id
    _require_room(one, "You have")
    _require_room(other, "The other player has")
    Friendship.objects.bulk_create(
        [
            Friendship(player_id=one, friend_id=other, since=at),
            Friendship(player_id=other, friend_id=one, since=at),
        ],
        ignore_conflicts=True,
    )
    _forget_requests(one, other)
    publish(FriendAccepted(str(request.uuid), sender=other, receiver=one, seed=_seed()), studio_id=None)


def _seed() -> str:
    return secrets.token_hex(8)


def _require_room(player_id: int, who: str) -> None:
    if Friendship.objects.filter(player_id=player_id).count() >= MOST_FRIENDS:
        raise Conflict(f"{who} {MOST_FRIENDS} friends, which is the most.")


def _part(one: int, other: int) -> int:
    both = Q(player_id=one, friend_id=other) | Q(player_id=other, friend_id=one)
    return Friendship.objects.filter(both).delete()[0]


def _forget_requests(one: int, other: int) -> None:
    both = Q(sender_id=one, receiver_id=other) | Q(sender_id=other, receiver_id=one)
    FriendRequest.objects.filter(both).delete()
