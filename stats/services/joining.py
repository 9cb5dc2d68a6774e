"""A player is found to be another one: what he holds of stats, and how long he played, is the other's (ADR 0033)."""

from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

from core.db import array_literal, run_prepared
from core.facts import publish
from core.refusals import Conflict
from stats.facts import ValuesJoined
from stats.models import Stat
from stats.rules import values as rules
from stats.rules.values import Held
from stats.selectors.definitions import StatInfo, info_of

_AT_ONCE = 1_000


class _Both(NamedTuple):
    """A stat of which both hold a value; versions are those of who stays and of who leaves."""

    stat_id: int
    kept: Held
    brought: Held
    version: int
    brought_version: int


def move(*, leaves: int, stays: int, shared: frozenset[int]) -> set[int]:
    """Give what a player holds to another one, inside the transaction that joins them.

    A stat's two values become one as its reports would have made it; playtimes add up.

    Returns:
        The games of which both held values.

    Raises:
        Conflict: a sum is too large to be kept exactly.

    Publishes:
        ValuesJoined, for each game, where two values became one.

    """
    run_prepared(_HOLD, [leaves, stays])
    games = {row[0] for row in run_prepared(_SHARED, [leaves, stays])}
    both = [_of_both(row) for row in run_prepared(_BOTH, [leaves, stays])]
    if both:
        _merge(both, leaves=leaves, stays=stays)
    run_prepared(_MOVE_VALUES, [leaves, stays])
    run_prepared(_HOLD_PLAYTIME, [leaves, stays])
    run_prepared(_MERGE_PLAYTIME, [leaves, stays])
    run_prepared(_FORGET_PLAYTIME, [leaves, stays])
    run_prepared(_MOVE_PLAYTIME, [leaves, stays])
    return games


_HOLD = """
SELECT FROM stats_statvalue WHERE player_id = $1 OR player_id = $2 ORDER BY player_id, stat_id FOR UPDATE
"""
_SHARED = """
SELECT DISTINCT d.game_id FROM stats_statvalue v JOIN stats_stat d ON d.id = v.stat_id WHERE v.player_id = $1
INTERSECT
SELECT d.game_id FROM stats_statvalue v JOIN stats_stat d ON d.id = v.stat_id WHERE v.player_id = $2
"""
_HOLD_PLAYTIME = """
SELECT FROM stats_playtime WHERE player_id = $1 OR player_id = $2 ORDER BY player_id, game_id FOR UPDATE
"""
_BOTH = """
SELECT k.stat_id, k.value, (extract(epoch FROM k.reached_at) * 1000000)::bigint,
       b.value, (extract(epoch FROM b.reached_at) * 1000000)::bigint, k.version, b.version
  FROM stats_statvalue b JOIN stats_statvalue k ON k.stat_id = b.stat_id AND k.player_id = $2
 WHERE b.player_id = $1 ORDER BY k.stat_id
"""
_WRITE = """
WITH clock AS MATERIALIZED (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us
)
UPDATE stats_statvalue t
   SET value = i.value, reached_at = 'epoch'::timestamptz + i.reached_us * interval '1 microsecond',
       version = greatest(t.version + 1, i.version + 1, clock.now_us)
  FROM clock, unnest($2::bigint[], $3::numeric[], $4::bigint[], $5::bigint[])
       AS i (stat_id, value, reached_us, version)
 WHERE t.player_id = $1 AND t.stat_id = i.stat_id
RETURNING t.stat_id, t.version, clock.now_us
"""
_FORGET_VALUES = "DELETE FROM stats_statvalue WHERE player_id = $1 AND stat_id = ANY($2::bigint[])"
_MOVE_VALUES = "UPDATE stats_statvalue SET player_id = $2 WHERE player_id = $1"
# The session that is known of the game is the one that was seen last.
_MERGE_PLAYTIME = """
UPDATE stats_playtime k
   SET first_at = least(k.first_at, b.first_at), total_ms = k.total_ms + b.total_ms, sessions = k.sessions + b.sessions,
       session_id = CASE WHEN b.seen_at > k.seen_at THEN b.session_id ELSE k.session_id END,
       started_at = CASE WHEN b.seen_at > k.seen_at THEN b.started_at ELSE k.started_at END,
       has_ended = CASE WHEN b.seen_at > k.seen_at THEN b.has_ended ELSE k.has_ended END,
       session_ms = CASE WHEN b.seen_at > k.seen_at THEN b.session_ms ELSE k.session_ms END,
       seen_at = greatest(k.seen_at, b.seen_at)
  FROM stats_playtime b WHERE b.player_id = $1 AND k.player_id = $2 AND k.game_id = b.game_id
"""
_FORGET_PLAYTIME = """
DELETE FROM stats_playtime b WHERE b.player_id = $1
   AND EXISTS (SELECT FROM stats_playtime k WHERE k.player_id = $2 AND k.game_id = b.game_id)
"""
_MOVE_PLAYTIME = "UPDATE stats_playtime SET player_id = $2 WHERE player_id = $1"


def _of_both(row: tuple[Any, ...]) -> _Both:
    stat_id, value, reached_us, brought, brought_us, version, brought_version = row
    return _Both(stat_id, Held(value, reached_us), Held(brought, brought_us), version, brought_version)


def _merge(both: list[_Both], *, leaves: int, stays: int) -> None:
    rows = Stat.objects.filter(pk__in=[one.stat_id for one in both])
    declared = {row.pk: info_of(row) for row in rows}
    joined = {one.stat_id: _joined(declared[one.stat_id], one) for one in both}
    writes = [
        (one.stat_id, joined[one.stat_id].value, joined[one.stat_id].reached_us, one.brought_version)
        for one in both
    ]
    columns = [array_literal(column) for column in zip(*writes, strict=True)]
    written = {row[0]: row[1:] for row in run_prepared(_WRITE, [stays, *columns])}
    run_prepared(_FORGET_VALUES, [leaves, array_literal(joined)])
    by_game: dict[int, list[list[int | float]]] = defaultdict(list)
    for one in both:
        stat, reached_us = declared[one.stat_id], max(one.kept.reached_us, one.brought.reached_us)
        numbers = (
            joined[one.stat_id].value,
            one.kept.value,
            one.brought.value,
            stat.rule.start or Decimal(0),
        )
        version, now_us = written[one.stat_id]
        row = [stays, one.stat_id, *map(rules.to_number, numbers), version, reached_us, now_us]
        by_game[stat.game_id].append(row)
    _announce(by_game, declared)


def _joined(stat: StatInfo, one: _Both) -> Held:
    try:
        return rules.joined(stat.rule, one.kept, one.brought)
    except ValueError as error:
        raise Conflict(f"Both players hold a value of the stat `{stat.key}`. {error}") from None


def _announce(by_game: dict[int, list[list[int | float]]], declared: dict[int, StatInfo]) -> None:
    for game_id, values in by_game.items():
        for start in range(0, len(values), _AT_ONCE):
            told = values[start : start + _AT_ONCE]
            about = [declared[int(row[1])] for row in told]
            stats: list[list[int | str]] = [[stat.id, stat.key] for stat in about]
            publish(ValuesJoined(game_id, stats, told), studio_id=about[0].studio_id, size=len(told))
