"""What others ask social, and what `live` processes read of inboxes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q

from core.clock import from_microseconds, rfc3339
from core.db import array_literal, run_prepared
from social.events import Event
from social.models import Block, FriendRequest, Friendship, Notification
from social.selectors.inboxes import Inbox


@dataclass(frozen=True, slots=True)
class NotificationInfo:
    """A notification as its player sees it; `data` is the event's, `game_id` internal, None for what is of no game."""

    seq: int
    uuid: UUID
    kind: str
    created_at: datetime
    read_at: datetime | None
    data: dict[str, Any]
    game_id: int | None = None


@dataclass(frozen=True, slots=True)
class News:
    """The next events of one inbox, and the inbox's last number at that moment.

    With fewer events than were asked for there are no others up to `last_seq`.
    """

    events: list[Event]
    last_seq: int


def notifications(
    inbox: Inbox,
    *,
    unread: bool = False,
    read: bool = False,
    kind: str | None = None,
    before_seq: int | None = None,
    limit: int,
) -> list[NotificationInfo]:
    """Return a page of an inbox, newest first, from before a number on; empty past the end.

    All of it, or only what was not read yet, or only what was.
    """
    rows = inbox.rows.filter(deleted_at=None)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if unread or read:
        rows = rows.filter(read_at__isnull=unread)
    if before_seq is not None:
        rows = rows.filter(seq__lt=before_seq)
    return [_info(row) for row in rows.order_by("-seq")[:limit]]


def changes(inbox: Inbox, *, after_seq: int, limit: int) -> list[NotificationInfo]:
    """Return what came into an inbox behind a number, oldest first; numbers become visible in their order."""
    rows = inbox.rows.filter(deleted_at=None, seq__gt=after_seq)
    return [_info(row) for row in rows.order_by("seq")[:limit]]


def _info(row: Notification) -> NotificationInfo:
    return NotificationInfo(
        row.seq, row.uuid, row.kind, row.created_at, row.read_at, orjson.loads(row.payload), row.game_id
    )


def unread_count(inbox: Inbox) -> int:
    """Return how many notifications of an inbox were not read."""
    return inbox.rows.filter(read_at=None).count()


@dataclass(frozen=True, slots=True)
class Glance:
    """What every page says of an inbox: how many are unread, MOST_COUNTED at most, and the newest event."""

    unread: int
    newest: UUID | None


MOST_COUNTED = 100
_GLANCE = """
SELECT (SELECT count(*) FROM (SELECT FROM social_notification
                               WHERE player_id = $1 AND read_at IS NULL AND deleted_at IS NULL LIMIT $2) AS unread),
       (SELECT uuid FROM social_notification WHERE player_id = $1 ORDER BY seq DESC LIMIT 1)
"""


def glance(player_id: int) -> Glance:
    """Return what every page says of an inbox, in one query."""
    return Glance(*run_prepared(_GLANCE, [player_id, MOST_COUNTED])[0])


# What replaces an unread notification takes its id away; what is newer than the lost one is found by the time in it.
_POSITIONS = """
SELECT CASE WHEN w.after IS NULL THEN coalesce(c.last_seq, 0)
            WHEN n.seq IS NOT NULL THEN n.seq
            ELSE coalesce((SELECT min(o.seq) - 1 FROM social_notification o
                            WHERE o.player_id = w.player_id AND o.created_at > w.since), c.last_seq, 0) END,
       coalesce(c.last_seq, 0)
  FROM unnest($1::bigint[], $2::uuid[], $3::timestamptz[]) WITH ORDINALITY AS w (player_id, after, since, place)
  LEFT JOIN social_inboxcounter c ON c.player_id = w.player_id
  LEFT JOIN social_notification n ON n.player_id = w.player_id AND n.uuid = w.after
 ORDER BY w.place
"""
_TIMED = 7
_LATEST_MS = 253_402_300_799_000  # the last second that a datetime holds
_MARGIN = timedelta(minutes=10)  # longer than what is told may lie behind in the log


def positions(wanted: Sequence[tuple[int, UUID | None]]) -> list[tuple[int, int]]:
    """Return, for each (player, event id), the number in the inbox after which to go on, and its last one.

    Without an id it is the last one: only what comes. After an id that is not in this player's inbox (any more),
    whoever's it is, all comes that is newer than ten minutes before the time in it; some of it again.
    """
    players, afters = [player for player, _ in wanted], [after for _, after in wanted]
    rows = run_prepared(_POSITIONS, [players, afters, [_since(after) for after in afters]])
    return [(position, last_seq) for position, last_seq in rows]


def _since(after: UUID | None) -> datetime:
    """Return the time in an id (RFC 9562, version 7) less the margin; the beginning for one that tells none."""
    ms = after.int >> 80 if after is not None and after.version == _TIMED else 0
    return from_microseconds(min(ms, _LATEST_MS) * 1000) - _MARGIN


# Counter and rows are of one snapshot: what is not among the rows is not there.
_NEWS = """
SELECT w.place, c.last_seq, n.seq, n.uuid::text, n.kind, n.created_at, n.payload
  FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS w (player_id, after, place)
  JOIN social_inboxcounter c ON c.player_id = w.player_id
  LEFT JOIN LATERAL (SELECT seq, uuid, kind, created_at, payload FROM social_notification
                      WHERE player_id = w.player_id AND seq > w.after AND NOT is_quiet
                      ORDER BY seq LIMIT $3) AS n ON true
 ORDER BY w.place, n.seq
"""


def news(wanted: Sequence[tuple[int, int]], *, limit: int) -> list[News]:
    """Return, for each (player, number), the next events after that number, at most `limit` each, oldest first."""
    found = [News(events=[], last_seq=0) for _ in wanted]
    params = [[row[0] for row in wanted], [row[1] for row in wanted], limit]
    for place, last_seq, seq, uuid, kind, created_at, data in run_prepared(_NEWS, params):
        events = found[place - 1].events
        if seq is not None:
            events.append(Event(seq, uuid, kind, rfc3339(created_at), data))
        found[place - 1] = News(events, last_seq)
    return found


_AHEAD = """
SELECT w.player_id, c.last_seq
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, known)
  JOIN social_inboxcounter c ON c.player_id = w.player_id AND c.last_seq > w.known
"""


def ahead(known: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Return the last number of those inboxes that have gone past the number known of them, in one query."""
    rows = run_prepared(_AHEAD, [[row[0] for row in known], [row[1] for row in known]])
    return dict(rows)


@dataclass(frozen=True, slots=True)
class FriendInfo:
    """A friend, somebody who is blocked, or who asked or was asked; `uuid` is the request's."""

    player_id: int
    at: datetime
    uuid: UUID | None = None


_FRIEND_IDS = "SELECT friend_id FROM social_friendship WHERE player_id = $1"


def friend_ids(player_id: int) -> list[int]:
    """Return the internal ids of a player's friends, at most 500, in one query."""
    return [row[0] for row in run_prepared(_FRIEND_IDS, [player_id])]


def friends(
    player_id: int, *, among: Iterable[int] | None = None, after_id: int = 0, limit: int
) -> list[FriendInfo]:
    """Return a page of a player's friends, in the order of their internal ids; with `among` only of those players."""
    rows = Friendship.objects.filter(player_id=player_id, friend_id__gt=after_id).order_by("friend_id")
    if among is not None:
        rows = rows.filter(friend_id__in=list(among))
    return [FriendInfo(row.friend_id, row.since) for row in rows[:limit]]


def friend_count(player_id: int) -> int:
    """Return how many friends a player has."""
    return Friendship.objects.filter(player_id=player_id).count()


def are_friends(player_id: int, other_id: int) -> bool:
    """Say whether two players are friends."""
    return Friendship.objects.filter(player_id=player_id, friend_id=other_id).exists()


def blocks(player_id: int, *, after_id: int = 0, limit: int) -> list[FriendInfo]:
    """Return a page of those whom a player blocks, in the order of their internal ids."""
    rows = Block.objects.filter(player_id=player_id, blocked_id__gt=after_id).order_by("blocked_id")
    return [FriendInfo(row.blocked_id, row.created_at) for row in rows[:limit]]


_WAITING = """
SELECT r.uuid::text FROM social_friendrequest r
 WHERE r.uuid = ANY($1::uuid[]) AND NOT EXISTS (
       SELECT FROM social_block b WHERE b.player_id = r.receiver_id AND b.blocked_id = r.sender_id)
"""


def waiting(requests: Sequence[str]) -> set[str]:
    """Return those of several requests, by id, that wait for an answer of who sees them; in one query at most."""
    return {row[0] for row in run_prepared(_WAITING, [array_literal(requests)])} if requests else set()


def may_be_found(player_id: int, other_id: int) -> bool:
    """Say whether a player knows another who is private: they are friends, or one of them asked the other."""
    either = Q(sender_id=player_id, receiver_id=other_id) | Q(sender_id=other_id, receiver_id=player_id)
    return are_friends(player_id, other_id) or FriendRequest.objects.filter(either).exists()


def requests(
    player_id: int, *, incoming: bool, before_id: int | None = None, limit: int
) -> list[tuple[int, FriendInfo]]:
    """Return a page of open requests, newest first, each with its row's number; not those of whom the player blocks."""
    rows = FriendRequest.objects.filter(**{"receiver_id" if incoming else "sender_id": player_id})
    if incoming:
        blocked = Block.objects.filter(player_id=player_id).values_list("blocked_id", flat=True)
        rows = rows.exclude(sender_id__in=blocked)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return [
        (row.pk, FriendInfo(row.sender_id if incoming else row.receiver_id, row.created_at, row.uuid))
        for row in rows.order_by("-id")[:limit]
    ]


_HOLDS = """
SELECT EXISTS (SELECT FROM social_inboxcounter WHERE player_id = $1)
    OR EXISTS (SELECT FROM social_friendship WHERE player_id = $1)
    OR EXISTS (SELECT FROM social_friendrequest WHERE sender_id = $1 OR receiver_id = $1)
    OR EXISTS (SELECT FROM social_block WHERE player_id = $1 OR blocked_id = $1)
"""


def holds_anything(player_id: int) -> bool:
    """Say whether a player was ever told anything, or something is between him and others (PLAYER_HOLDINGS)."""
    held: bool = run_prepared(_HOLDS, [player_id])[0][0]
    return held
