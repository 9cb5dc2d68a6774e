"""How far followers are behind the log."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from core import facts
from core.db import run_prepared
from core.followers import ensure_rows


@dataclass(frozen=True)
class Lag:
    """How far a follower is behind."""

    name: str
    facts: int
    seconds: float
    dead_letters: int
    updated_at: datetime


_BEHIND = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - next.at)), 0)
  FROM core_follower f
 CROSS JOIN LATERAL (SELECT at FROM core_fact WHERE (tx, id) > (f.tx::text::xid8, f.fact_id)
                      ORDER BY tx, id LIMIT 1) AS next
 WHERE f.name = ANY($1) AND f.updated_at > clock_timestamp() - make_interval(secs => $2)
"""
_AT_WORK_S = 10.0


def of_followers() -> list[Lag]:
    """Return how far every follower is behind, in facts and in seconds, with its dead letters."""
    ensure_rows()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT f.name, behind.facts, coalesce(extract(epoch FROM clock_timestamp() - behind.oldest), 0),
                   (SELECT count(*) FROM core_deadletter d WHERE d.follower = f.name AND d.replayed_at IS NULL),
                   f.updated_at
              FROM core_follower f
              CROSS JOIN LATERAL (SELECT count(*) AS facts, min(at) AS oldest FROM core_fact
                                   WHERE (tx, id) > (f.tx::text::xid8, f.fact_id)) AS behind
             WHERE f.name = ANY(%s) ORDER BY f.name
            """,
            [list(facts.subscriptions())],
        )
        return [Lag(row[0], row[1], float(row[2]), row[3], row[4]) for row in cursor.fetchall()]


_UNREAD = """
SELECT f.name, behind.facts
  FROM core_follower f
 CROSS JOIN LATERAL (SELECT count(*) AS facts FROM core_fact
                      WHERE (tx, id) > (f.tx::text::xid8, f.fact_id) AND tx < $2::bigint::text::xid8) AS behind
 WHERE f.name = ANY($1::text[]) AND behind.facts > 0 ORDER BY f.name
"""


def unread_before(tx: int) -> dict[str, int]:
    """Return how many facts of transactions before `tx` followers have not read, by name; who read all is left out."""
    ensure_rows()
    return dict(run_prepared(_UNREAD, [list(facts.subscriptions()), tx]))


def seconds_behind(queues: Collection[str]) -> float:
    """Return by how many seconds the last of the listeners is behind that are followed in these queues; 0 for none.

    Only those count that have moved lately: whoever waits for a server that is away, or is not there himself, is not
    helped by what others do without. Cheap however far that is, since it looks at one fact for each of them.
    """
    names = [name for name, one in facts.subscriptions().items() if one.queue in queues]
    rows = run_prepared(_BEHIND, [names, _AT_WORK_S])
    return float(rows[0][0])
