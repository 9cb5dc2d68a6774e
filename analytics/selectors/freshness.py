"""How fresh what is counted is."""

from datetime import datetime
from typing import Final

from analytics.reading import ask

FOLLOWER: Final = "analytics"
# What the log holds behind the cursor waits. On a replica the log ends where that has come to.
_AS_OF = """
SELECT coalesce(
    (SELECT f.at FROM core_fact f, (SELECT coalesce(max(tx), 0) AS tx, coalesce(max(fact_id), 0) AS id
                                      FROM core_follower WHERE name = $1) AS h
      WHERE (f.tx, f.id) > (h.tx::text::xid8, h.id) ORDER BY f.tx, f.id LIMIT 1),
    CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_xact_replay_timestamp(), now()) ELSE now() END)
"""


def as_of(*, now: datetime) -> datetime:
    """Return until when everything that happened is counted, which is now where nothing waits; never after now."""
    at: datetime = min(ask(_AS_OF, [FOLLOWER])[0][0], now)
    return at.replace(microsecond=0)
