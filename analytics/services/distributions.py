"""Takes what can't be counted as it happens: how times to unlock, playtime and values are spread in a whole game.

One game at a time, on the database that analytics reads, and the longer it takes the more rarely.
"""

import time
from datetime import datetime
from typing import Final

import orjson
from django.conf import settings
from django.db import connections, transaction

from analytics.distributions import Spread, Taken, Timing
from analytics.reading import ask
from core import clock, replica
from core.db import run_prepared

BARS: Final = 24
AT_MOST_OF_THE_TIME: Final = 20  # taking a game's figures takes one part in so many of a worker's time
LONGEST_MS: Final = 600_000
_RUN_S: Final = 20.0

# Claimed for as long as it may take, so that two workers don't both; no transaction is open meanwhile.
_CLAIM = """
UPDATE analytics_distributions SET claimed_until = $1::timestamptz + $4::bigint * interval '1 millisecond'
 WHERE game_id = (
    SELECT game_id FROM analytics_distributions
     WHERE (claimed_until IS NULL OR claimed_until < $1::timestamptz)
       AND (as_of IS NULL OR (changed_at > as_of AND as_of < $1::timestamptz
            - greatest($2::bigint * 1000, took_ms * $3::bigint) * interval '1 millisecond'))
     ORDER BY as_of NULLS FIRST LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING game_id
"""
_STORE = """
UPDATE analytics_distributions SET figures = $2::jsonb, as_of = $3, took_ms = $4, claimed_until = NULL
 WHERE game_id = $1
"""


def take_some() -> int:
    """Take the figures of games whose are due, oldest first, for some seconds; return of how many."""
    taken, started = 0, time.monotonic()
    while time.monotonic() - started < _RUN_S:
        params = [clock.now(), settings.ANALYTICS_TAKEN_EVERY_S, AT_MOST_OF_THE_TIME, LONGEST_MS]
        claimed = run_prepared(_CLAIM, params)
        if not claimed:
            break
        keep(claimed[0][0])
        taken += 1
    return taken


def keep(game_id: int) -> Taken:
    """Take a game's figures and keep them."""
    begun, at = time.monotonic(), clock.now()
    taken = take(game_id, at=at)
    took_ms = int((time.monotonic() - begun) * 1000)
    run_prepared(_STORE, [game_id, orjson.dumps(taken.written()).decode(), at, took_ms])
    return taken


def take(game_id: int, *, at: datetime) -> Taken:
    """Return what a game's figures are now; all of one moment."""
    alias = replica.using()
    with replica.decided(alias), transaction.atomic(using=alias):
        with connections[alias].cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {LONGEST_MS}")
        return Taken(
            as_of=at,
            timings=_timings(game_id),
            completion=_completion(game_id),
            playtime=next(iter(_spreads(_PLAYTIME, game_id).values()), None),
            values=_spreads(_VALUES, game_id),
        )


# Who is banned or excluded counts for nothing here, as for rarity; an unlock that the listener has not heard of yet
# may be earlier than anything that is known of its player.
_TIMINGS = """
WITH first AS (
    SELECT DISTINCT ON (player_id) player_id, first_at FROM analytics_activeday
     WHERE game_id = $1 AND first_at IS NOT NULL ORDER BY player_id, day
), held AS (
    SELECT u.achievement_id, u.unlocked_at,
           greatest(0, floor(extract(epoch FROM u.unlocked_at - f.first_at)))::bigint AS seconds,
           row_number() OVER (PARTITION BY u.player_id ORDER BY u.unlocked_at, u.heard_at) AS place
      FROM achievements_unlock u
      JOIN achievements_played p ON p.player_id = u.player_id AND p.game_id = u.game_id AND p.counts
      JOIN first f ON f.player_id = u.player_id
     WHERE u.game_id = $1
)
SELECT achievement_id, count(*), min(unlocked_at), max(unlocked_at),
       percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY seconds),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY place)
  FROM held GROUP BY achievement_id
"""


def _timings(game_id: int) -> dict[int, Timing]:
    return {
        pk: Timing(players, first, last, seconds[0], seconds[1], order)
        for pk, players, first, last, seconds, order in ask(_TIMINGS, [game_id])
    }


_COMPLETION = """
SELECT coalesce(g.unlocked, 0), count(*)
  FROM achievements_played p LEFT JOIN achievements_playergame g USING (player_id, game_id)
 WHERE p.game_id = $1 AND p.counts GROUP BY 1
"""


def _completion(game_id: int) -> list[int]:
    held = dict(ask(_COMPLETION, [game_id]))
    return [held.get(n, 0) for n in range(max(held, default=-1) + 1)]


# Each lists whose (0: the game's) and what. Those who do not count are few: they are taken out, by an index of them.
_COUNTS = """NOT EXISTS (SELECT FROM achievements_played p
                  WHERE p.game_id = $1 AND NOT p.counts AND p.player_id = v.player_id)"""
_PLAYTIME = f"""
SELECT 0::bigint AS whose, v.total_ms::float8 AS value FROM stats_playtime v WHERE v.game_id = $1 AND {_COUNTS}
"""  # noqa: S608 - texts of ours
_VALUES = f"""
SELECT v.stat_id AS whose, v.value::float8 AS value FROM stats_statvalue v JOIN stats_stat s ON s.id = v.stat_id
 WHERE s.game_id = $1 AND s.archived_at IS NULL AND {_COUNTS}
"""  # noqa: S608 - texts of ours
# Bars reach from the least to the 95th percentile: the last one holds what is more, so that one outlier does not
# press everybody into the first.
_SPREADS = """
WITH listed AS ({listed}), quantiles AS (
    SELECT whose, count(*) AS players, min(value) AS least,
           percentile_disc(ARRAY[0.1, 0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY value) AS q
      FROM listed GROUP BY whose
), barred AS (
    SELECT whose, least({bars}, CASE WHEN q[4] > q_least THEN width_bucket(value, q_least, q[4], {bars} - 1) ELSE 1 END)
           AS bar, count(*) AS players
      FROM listed JOIN (SELECT whose, q, least AS q_least FROM quantiles) AS q USING (whose) GROUP BY 1, 2
)
SELECT q.whose, q.players, q.least, q.q,
       (SELECT array_agg(ARRAY[b.bar, b.players] ORDER BY b.bar) FROM barred b WHERE b.whose = q.whose)
  FROM quantiles q
"""


def _spreads(listed: str, game_id: int) -> dict[int, Spread]:
    return {
        whose: Spread(players, p10, p50, p90, _bars(least, p95, dict(bars)))
        for whose, players, least, (p10, p50, p90, p95), bars in ask(
            _SPREADS.format(listed=listed, bars=BARS), [game_id]
        )
    }


def _bars(least: float, most: float, counted: dict[int, int]) -> list[list[float]]:
    """Return every bar, the empty ones too; a single one where all values are equal."""
    if most <= least:
        return [[least, most, float(sum(counted.values()))]]
    width = (most - least) / (BARS - 1)
    return [[least + width * n, least + width * (n + 1), counted.get(n + 1, 0)] for n in range(BARS)]
