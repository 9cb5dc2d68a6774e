"""A player is found to be another one: his friends, his inbox and what is told of him are the other's (ADR 0033)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from accounts.erased import erased_players
from accounts.selectors import joined_players
from achievements.facts import (
    AchievementsRevoked,
    AchievementsUnlocked,
    ProgressChanged,
    ReportAnswered,
    UnlocksJoined,
)
from core.db import run_prepared
from core.facts import Fact
from leaderboards.facts import RanksChanged
from social import befriending
from social.facts import FriendAccepted, FriendRequested
from stats.facts import PlaytimeAdded

# Where a kind lists rows that begin with a player.
_ROWS = {
    AchievementsUnlocked.kind: ("unlocks", "totals"),
    AchievementsRevoked.kind: ("revokes", "totals"),
    ProgressChanged.kind: ("changes",),
    UnlocksJoined.kind: ("come",),
    PlaytimeAdded.kind: ("played",),
    RanksChanged.kind: ("ranks",),
}
_PAIR = ("sender", "receiver")
_NAMES = {FriendRequested.kind: _PAIR, FriendAccepted.kind: _PAIR, ReportAnswered.kind: ("player",)}


def as_they_are(facts: Sequence[Fact]) -> list[Fact]:
    """Return facts with players who were joined to others as those: what is told of them is told to the person.

    How far somebody was who is gone is not: the person may be further. Nor is what was between two who are one.
    """
    joined = joined_players(player for fact in facts for player in _players(fact))
    if not joined:
        return list(facts)
    return [one for fact in facts if not _is_with_himself(one := _renamed(fact, joined))]


def erased(facts: Sequence[Fact]) -> set[int]:
    """Return whom of those that facts are about nothing is told any more."""
    return erased_players(player for fact in facts for player in _players(fact))


def with_nobody(facts: Sequence[Fact], gone: set[int]) -> list[Fact]:
    """Return facts without rows of players who were erased, and without those between one of them and another.

    Ids of notices that are made of the places of rows would be others: such notices are left out themselves.
    """
    if not gone:
        return list(facts)
    left = [
        fact for fact in facts if gone.isdisjoint(fact.payload[name] for name in _NAMES.get(fact.kind, ()))
    ]
    return [_without(fact, gone) for fact in left]


def _without(fact: Fact, gone: set[int]) -> Fact:
    lists = {
        name: [row for row in fact.payload[name] if row[0] not in gone] for name in _ROWS.get(fact.kind, ())
    }
    return replace(fact, payload={**fact.payload, **lists})


def _is_with_himself(fact: Fact) -> bool:
    names = _NAMES.get(fact.kind, ())
    return len(names) > 1 and len({fact.payload[name] for name in names}) == 1


def _players(fact: Fact) -> set[int]:
    rows = {row[0] for name in _ROWS.get(fact.kind, ())[:1] for row in fact.payload[name]}
    return rows | {fact.payload[name] for name in _NAMES.get(fact.kind, ())}


def _renamed(fact: Fact, joined: dict[int, int]) -> Fact:
    payload: dict[str, Any] = dict(fact.payload)
    for name in _ROWS.get(fact.kind, ()):
        payload[name] = [
            [joined.get(row[0], row[0]), *row[1:]]
            for row in payload[name]
            if fact.kind != ProgressChanged.kind or row[0] not in joined
        ]
    for name in _NAMES.get(fact.kind, ()):
        payload[name] = joined.get(payload[name], payload[name])
    return replace(fact, payload=payload)


def move(*, leaves: int, stays: int, shared: frozenset[int]) -> set[int]:
    """Give a player's friends, inbox and settings to another one, inside the transaction that joins them.

    A block of either holds for both and ends friendships; friends may come to more than the most that one may make.
    Notifications come behind those that are there, and live connections are not told of them. Settings of who stays
    win.
    """
    befriending.hold(leaves, stays)
    for statement in (*_FRIENDS, *_REQUESTS, *_INBOX, *_TOLD, *_SETTINGS, NEWS):
        run_prepared(statement, [leaves, stays])
    return set()


_FRIENDS = (
    # Between the two there is nothing any more.
    "DELETE FROM social_friendship WHERE (player_id, friend_id) IN (($1, $2), ($2, $1))",
    "DELETE FROM social_block WHERE (player_id, blocked_id) IN (($1, $2), ($2, $1))",
    """
    WITH gone AS (DELETE FROM social_block WHERE player_id = $1 RETURNING *)
    INSERT INTO social_block AS b (player_id, blocked_id, created_at)
    SELECT $2::bigint, blocked_id, created_at FROM gone ORDER BY blocked_id
    ON CONFLICT (player_id, blocked_id) DO UPDATE SET created_at = least(b.created_at, excluded.created_at)
    """,
    """
    WITH gone AS (DELETE FROM social_block WHERE blocked_id = $1 RETURNING *)
    INSERT INTO social_block AS b (player_id, blocked_id, created_at)
    SELECT player_id, $2::bigint, created_at FROM gone ORDER BY player_id
    ON CONFLICT (player_id, blocked_id) DO UPDATE SET created_at = least(b.created_at, excluded.created_at)
    """,
    """
    WITH gone AS (DELETE FROM social_friendship WHERE player_id = $1 OR friend_id = $1 RETURNING *)
    INSERT INTO social_friendship AS f (player_id, friend_id, since)
    SELECT CASE WHEN player_id = $1 THEN $2::bigint ELSE player_id END,
           CASE WHEN friend_id = $1 THEN $2::bigint ELSE friend_id END, since
      FROM gone ORDER BY 1, 2
    ON CONFLICT (player_id, friend_id) DO UPDATE SET since = least(f.since, excluded.since)
    """,
    """
    DELETE FROM social_friendship f USING social_block b
     WHERE (b.player_id = $2 OR b.blocked_id = $2) AND $1::bigint IS NOT NULL
       AND (f.player_id, f.friend_id) IN ((b.player_id, b.blocked_id), (b.blocked_id, b.player_id))
    """,
)
_REQUESTS = (
    "DELETE FROM social_friendrequest WHERE (sender_id, receiver_id) IN (($1, $2), ($2, $1))",
    # Of requests between the same two the older stays; of those that cross the one that waits for an answer here.
    """
    DELETE FROM social_friendrequest r USING social_friendrequest o
     WHERE r.id <> o.id AND r.sender_id IN ($1, $2) AND o.sender_id IN ($1, $2) AND r.receiver_id = o.receiver_id
       AND (r.created_at, r.id) > (o.created_at, o.id)
    """,
    """
    DELETE FROM social_friendrequest r USING social_friendrequest o
     WHERE r.id <> o.id AND r.receiver_id IN ($1, $2) AND o.receiver_id IN ($1, $2) AND r.sender_id = o.sender_id
       AND (r.created_at, r.id) > (o.created_at, o.id)
    """,
    """
    DELETE FROM social_friendrequest r USING social_friendrequest o
     WHERE r.sender_id IN ($1, $2) AND o.receiver_id IN ($1, $2) AND r.receiver_id = o.sender_id
    """,
    "UPDATE social_friendrequest SET sender_id = $2 WHERE sender_id = $1",
    "UPDATE social_friendrequest SET receiver_id = $2 WHERE receiver_id = $1",
    """
    DELETE FROM social_friendrequest r USING social_friendship f
     WHERE f.player_id = $2 AND $1::bigint IS NOT NULL
       AND (r.sender_id, r.receiver_id) IN ((f.player_id, f.friend_id), (f.friend_id, f.player_id))
    """,
    """
    DELETE FROM social_friendrequest r USING social_block b
     WHERE (b.player_id = $2 OR b.blocked_id = $2) AND $1::bigint IS NOT NULL
       AND (r.sender_id, r.receiver_id) IN ((b.player_id, b.blocked_id), (b.blocked_id, b.player_id))
    """,
)
# Numbers go on behind the last of who stays, whose row in the counter keeps others from giving any meanwhile. Who took
# it for who leaves finds his row gone, and begins anew with whom he is by then (migration 0010).
_INBOX = (
    """
    INSERT INTO social_inboxcounter AS c (player_id, last_seq)
    SELECT $2::bigint, 0 WHERE EXISTS (SELECT FROM social_inboxcounter WHERE player_id = $1)
    ON CONFLICT (player_id) DO NOTHING
    """,
    "SELECT FROM social_inboxcounter WHERE player_id = $1 OR player_id = $2 ORDER BY player_id FOR UPDATE",
    """
    UPDATE social_notification k SET read_at = least(k.read_at, b.read_at)
      FROM social_notification b
     WHERE b.player_id = $1 AND k.player_id = $2 AND k.uuid = b.uuid AND b.read_at IS NOT NULL
    """,
    """
    DELETE FROM social_notification b WHERE b.player_id = $1
       AND EXISTS (SELECT FROM social_notification k WHERE k.player_id = $2 AND k.uuid = b.uuid)
    """,
    """
    UPDATE social_notification n SET player_id = $2, seq = n.seq + c.last_seq, is_quiet = true
      FROM social_inboxcounter c WHERE c.player_id = $2 AND n.player_id = $1
    """,
    """
    UPDATE social_toldprogress t SET told_seq = t.told_seq + c.last_seq
      FROM social_inboxcounter c WHERE c.player_id = $2 AND t.player_id = $1 AND t.told_seq > 0
    """,
    """
    WITH gone AS (DELETE FROM social_inboxcounter WHERE player_id = $1 RETURNING last_seq)
    UPDATE social_inboxcounter c SET last_seq = c.last_seq + gone.last_seq FROM gone WHERE c.player_id = $2
    """,
)
# Of a way that both went the one that is further is known; a number by the clock, so that nothing older is news.
_TOLD = (
    """
    UPDATE social_toldprogress k
       SET current = greatest(k.current, b.current), told = greatest(k.told, b.told),
           told_at = greatest(k.told_at, b.told_at),
           version = greatest(k.version, b.version, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
      FROM social_toldprogress b
     WHERE b.player_id = $1 AND k.player_id = $2 AND k.achievement_id = b.achievement_id
    """,
    """
    DELETE FROM social_toldprogress b WHERE b.player_id = $1
       AND EXISTS (SELECT FROM social_toldprogress k WHERE k.player_id = $2 AND k.achievement_id = b.achievement_id)
    """,
    "UPDATE social_toldprogress SET player_id = $2 WHERE player_id = $1",
)
_SETTINGS = (
    """
    UPDATE social_notificationpreference SET player_id = $2
     WHERE player_id = $1 AND NOT EXISTS (SELECT FROM social_notificationpreference WHERE player_id = $2)
    """,
    "DELETE FROM social_notificationpreference WHERE player_id = $1 AND $2::bigint IS NOT NULL",
    """
    WITH gone AS (DELETE FROM social_presence WHERE player_id = $1 RETURNING *)
    INSERT INTO social_presence AS p (player_id, seen_at, places) SELECT $2::bigint, seen_at, '{}' FROM gone
    ON CONFLICT (player_id) DO UPDATE SET seen_at = greatest(p.seen_at, excluded.seen_at)
    """,
)
# Of two the newer is told, with what waits of both, when the first of them is due.
NEWS = """
    WITH gone AS (DELETE FROM social_friendnews WHERE player_id = $1 RETURNING *)
    INSERT INTO social_friendnews AS n (player_id, game_id, studio_id, achievement_id, points, unlocked_us, at, event,
                                        waiting, fact_tx, fact_id, told_at, due_at)
    SELECT $2::bigint, game_id, studio_id, achievement_id, points, unlocked_us, at, event, waiting, fact_tx, fact_id,
           told_at, due_at
      FROM gone ORDER BY game_id
    ON CONFLICT (player_id, game_id) DO UPDATE
       SET achievement_id = CASE WHEN excluded.at > n.at THEN excluded.achievement_id ELSE n.achievement_id END,
           points = CASE WHEN excluded.at > n.at THEN excluded.points ELSE n.points END,
           unlocked_us = CASE WHEN excluded.at > n.at THEN excluded.unlocked_us ELSE n.unlocked_us END,
           event = CASE WHEN excluded.at > n.at THEN excluded.event ELSE n.event END,
           at = greatest(n.at, excluded.at), waiting = n.waiting + excluded.waiting,
           fact_tx = CASE WHEN (excluded.fact_tx, excluded.fact_id) > (n.fact_tx, n.fact_id) THEN excluded.fact_tx
                          ELSE n.fact_tx END,
           fact_id = CASE WHEN (excluded.fact_tx, excluded.fact_id) > (n.fact_tx, n.fact_id) THEN excluded.fact_id
                          ELSE n.fact_id END,
           told_at = greatest(n.told_at, excluded.told_at), due_at = least(n.due_at, excluded.due_at)
"""
