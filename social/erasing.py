"""A person is erased: friends, inbox and settings go, and what others were told of him (ADR 0047)."""

from collections.abc import Sequence
from functools import partial

from core.db import array_literal, run_prepared
from core.persons import Person, Taken, Takes, patterns

_WHO = "player_id = ANY($1::bigint[])"
_COUNT = "WITH gone AS (DELETE FROM {table} WHERE {where} RETURNING 1) SELECT count(*) FROM gone"
# As whoever changes what is between two players locks it: nobody is about to make another friend of him.
_NEAR = """
SELECT friend_id FROM social_friendship WHERE player_id = ANY($1::bigint[])
UNION SELECT receiver_id FROM social_friendrequest WHERE sender_id = ANY($1::bigint[])
UNION SELECT sender_id FROM social_friendrequest WHERE receiver_id = ANY($1::bigint[])
"""
_BETWEEN = (
    _COUNT.format(table="social_friendship", where=f"{_WHO} OR friend_id = ANY($1::bigint[])"),
    _COUNT.format(
        table="social_friendrequest",
        where="sender_id = ANY($1::bigint[]) OR receiver_id = ANY($1::bigint[])",
    ),
    _COUNT.format(table="social_block", where=f"{_WHO} OR blocked_id = ANY($1::bigint[])"),
)
# The counter first: whoever adds to the inbox holds it.
_OWN = tuple(
    _COUNT.format(table=f"social_{table}", where=_WHO)
    for table in (
        "inboxcounter",
        "notification",
        "toldprogress",
        "notificationpreference",
        "presence",
        "friendnews",
    )
)
_OF_STUDIO = tuple(
    _COUNT.format(table=f"social_{table}", where=f"{_WHO} AND studio_id = $2")
    for table in ("notification", "toldprogress", "friendnews")
)
_HOLD = f"SELECT FROM social_inboxcounter WHERE {_WHO} ORDER BY player_id FOR UPDATE"
# Others were told of him as a friend, and by the platform's id.
_TOLD_OTHERS = """
SELECT player_id, seq FROM social_notification
 WHERE kind LIKE 'friend.%' AND payload LIKE ANY($1::text[]) AND ($2::bigint IS NULL OR studio_id = $2)
"""
_FORGET = """
DELETE FROM social_notification n USING unnest($1::bigint[], $2::bigint[]) AS w (player_id, seq)
 WHERE n.player_id = w.player_id AND n.seq = w.seq
"""


def erase(person: Person) -> Taken:
    """Take away what is between a person and others, and his inbox, inside the caller's transaction.

    As long as another studio has him only what he was told of this one's games.
    """
    who = [array_literal(person.player_ids)]
    if not person.is_whole:
        run_prepared(_HOLD, who)
        mine = [*who, person.studio_id]
        near = frozenset(row[0] for row in run_prepared(_NEAR, who))
        return Taken(sum(run_prepared(statement, mine)[0][0] for statement in _OF_STUDIO), near)
    near = frozenset(row[0] for row in run_prepared(_NEAR, who))
    rows = sum(run_prepared(statement, who)[0][0] for statement in (*_BETWEEN, *_OWN))
    return Taken(rows, near.difference(person.player_ids))


def look(person: Person) -> Takes:
    """Look for what others' inboxes say of him, or of his deeds in a studio's games; what came meanwhile goes, too."""
    told = run_prepared(_TOLD_OTHERS, [patterns(person.uuid_strings), person.only_studio])
    return partial(_take_away, person, told)


def _take_away(person: Person, told: Sequence[tuple[int, int]]) -> Taken:
    rows = erase(person).rows  # the counters of inboxes first
    if told:
        run_prepared(_FORGET, [array_literal(column) for column in zip(*told, strict=True)])
    return Taken(rows + len(told))
