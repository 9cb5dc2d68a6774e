"""Adds up what studios use, from the log: with all that analytics hears."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import orjson

from accounts.facts import PlayersChanged, PlayersJoined
from achievements.facts import AchievementsUnlocked
from analytics.counts import Place
from analytics.models import Usage
from analytics.rules import attendance
from core import shifts
from core.db import array_literal, run_prepared
from core.facts import Fact
from leaderboards.facts import ScoresChanged
from stats.facts import StatsChanged

COUNTS_KEPT: Final = timedelta(days=731)
PLAYERS_KEPT: Final = timedelta(days=40)  # longer than a month
_KINDS_OF: Final = {False: Usage.Kind.PLAYERS.value, True: Usage.Kind.PLAYERS_MONTH.value}
_FORGOTTEN_AT_ONCE: Final = 5_000  # followers wait for the oldest transaction
_ROWS: Final = {
    AchievementsUnlocked.kind: ("unlocks", Usage.Kind.UNLOCKS.value),
    StatsChanged.kind: ("values", Usage.Kind.VALUES.value),
    ScoresChanged.kind: ("scores", Usage.Kind.SCORES.value),
    PlayersChanged.kind: ("players", Usage.Kind.NEW_PLAYERS.value),
}
_Counts = Counter[tuple[int, date, str]]  # studio, day, kind

_ADD = """
INSERT INTO analytics_usage AS u (studio_id, day, kind, count)
SELECT studio, day, kind, n FROM json_to_recordset($1::json) AS r (studio bigint, day date, kind text, n bigint)
 ORDER BY 1, 2, 3 ON CONFLICT (studio_id, day, kind) DO UPDATE SET count = u.count + excluded.count
"""
_SEE = """
WITH new AS (
    INSERT INTO analytics_activeplayer (studio_id, begin, is_month, player_id)
    SELECT studio, begin, is_month, player
      FROM json_to_recordset($1::json) AS r (studio bigint, begin date, is_month boolean, player bigint)
     ORDER BY 1, 2, 3, 4 ON CONFLICT DO NOTHING RETURNING studio_id, begin, is_month)
SELECT studio_id, begin, is_month, count(*) FROM new GROUP BY 1, 2, 3
"""


# Who was active as both on a day was counted twice.
_JOIN = """
WITH gone AS (
    DELETE FROM analytics_activeplayer p
     USING unnest($1::bigint[], $2::date[], $3::boolean[], $4::bigint[]) AS w (studio_id, begin, is_month, player_id)
     WHERE p.studio_id = w.studio_id AND p.begin = w.begin AND p.is_month = w.is_month AND p.player_id = w.player_id
    RETURNING p.studio_id, p.begin, p.is_month
), moved AS (
    INSERT INTO analytics_activeplayer (studio_id, begin, is_month, player_id)
    SELECT studio_id, begin, is_month, $5::bigint FROM gone
        ON CONFLICT DO NOTHING RETURNING studio_id, begin, is_month)
SELECT studio_id, begin, is_month FROM gone EXCEPT SELECT studio_id, begin, is_month FROM moved
"""


def count(facts: Iterable[Fact], new: Iterable[Place], *, now: datetime) -> None:
    """Count what facts are about by the day on which they were told, and whose days are new to analytics."""
    counts: _Counts = Counter()
    studios: dict[int, int] = {}
    for fact in facts:
        if fact.kind == PlayersJoined.kind:
            counts.subtract(_join(fact.payload["players"]))
        if fact.studio_id is None:
            continue
        if "game" in fact.payload:
            studios[fact.payload["game"]] = fact.studio_id
        counts[fact.studio_id, fact.at.astimezone(UTC).date(), _ROWS.get(fact.kind, ("", ""))[1]] += _size(
            fact
        )
    oldest = (now - PLAYERS_KEPT).date()
    active = set()
    for place in new:
        studio, day = studios[place.game_id], attendance.day_of(place.day)
        if day >= oldest:
            active.update(
                {(studio, day, False, place.player_id), (studio, day.replace(day=1), True, place.player_id)}
            )
    counts.update(_see(active))
    _add(counts)


def _size(fact: Fact) -> int:
    """Return how many things of which usage speaks a fact is about; none that nobody played for."""
    is_of_nobody = fact.payload.get("silent", False) or not fact.payload.get("main", True)
    if fact.kind not in _ROWS or is_of_nobody or not fact.payload.get("created", True):
        return 0
    return len(fact.payload[_ROWS[fact.kind][0]])


# By player alone there is no index: each day and month of each studio is asked for him by the key, from one to the
# next, so that it costs the same however many players were active.
_DAYS = """
WITH RECURSIVE kept AS (
    (SELECT studio_id, begin, is_month FROM analytics_activeplayer
      WHERE studio_id BETWEEN coalesce($2::bigint, 0) AND coalesce($2, 9223372036854775807)
      ORDER BY studio_id, begin, is_month LIMIT 1)
     UNION ALL
    SELECT later.studio_id, later.begin, later.is_month FROM kept
     CROSS JOIN LATERAL (
        SELECT p.studio_id, p.begin, p.is_month FROM analytics_activeplayer p
         WHERE (p.studio_id, p.begin, p.is_month) > (kept.studio_id, kept.begin, kept.is_month)
           AND p.studio_id <= coalesce($2, 9223372036854775807)
         ORDER BY p.studio_id, p.begin, p.is_month LIMIT 1) AS later)
SELECT kept.studio_id, kept.begin::text, kept.is_month, w.player_id
  FROM kept CROSS JOIN unnest($1::bigint[]) AS w (player_id)
 CROSS JOIN LATERAL (SELECT FROM analytics_activeplayer p
                      WHERE p.studio_id = kept.studio_id AND p.begin = kept.begin AND p.is_month = kept.is_month
                        AND p.player_id = w.player_id LIMIT 1) AS active
"""
_FORGET = """
DELETE FROM analytics_activeplayer p
 USING unnest($1::bigint[], $2::date[], $3::boolean[], $4::bigint[]) AS w (studio_id, begin, is_month, player_id)
 WHERE p.studio_id = w.studio_id AND p.begin = w.begin AND p.is_month = w.is_month AND p.player_id = w.player_id
"""
Day = tuple[int, str, bool, int]  # studio, its first day, whether it is a month, player


def days_of(player_ids: Iterable[int], *, studio_id: int | None) -> Sequence[Day]:
    """Return the days and months in which players were active, in one studio's games or (None) in all."""
    return run_prepared(_DAYS, [array_literal(player_ids), studio_id])


def forget(days: Sequence[Day]) -> None:
    """Forget whom not to count twice; that he was active was counted, and stays so."""
    if days:
        run_prepared(_FORGET, _columns(days))


def _columns(days: Sequence[Day]) -> list[str]:
    return [array_literal(column) for column in zip(*days, strict=True)]


def _join(players: Iterable[list[int]]) -> _Counts:
    """Let what somebody did who is gone be whom he is; return what was counted twice by that."""
    twice: _Counts = Counter()
    pairs = [(leaves, stays) for leaves, stays in players]
    kept: dict[int, set[tuple[int, str, bool]]] = defaultdict(set)
    for studio, begin, is_month, player in days_of([leaves for leaves, _ in pairs], studio_id=None):
        kept[player].add((studio, begin, is_month))
    for leaves, stays in pairs:
        days = kept.pop(leaves, set())
        kept[stays] |= days  # who may be found to be somebody else himself
        rows = run_prepared(_JOIN, [*_columns([(*day, leaves) for day in days]), stays]) if days else []
        twice.update((studio, begin, _KINDS_OF[is_month]) for studio, begin, is_month in rows)
    return twice


def _see(active: Iterable[tuple[int, date, bool, int]]) -> _Counts:
    """Note who was active; return how many of them were not noted before."""
    rows = [
        {"studio": studio, "begin": begin, "is_month": is_month, "player": player}
        for studio, begin, is_month, player in active
    ]
    found = run_prepared(_SEE, [orjson.dumps(rows).decode()]) if rows else []
    return Counter({(studio, begin, _KINDS_OF[is_month]): n for studio, begin, is_month, n in found})


def _add(counts: _Counts) -> None:
    rows = [
        {"studio": studio, "day": day, "kind": kind, "n": n} for (studio, day, kind), n in counts.items() if n
    ]
    if rows:
        run_prepared(_ADD, [orjson.dumps(rows).decode()])


# A month's row is needed for as long as one of its days may still be told of.
_FORGET_OLD = """
WITH gone AS (
    DELETE FROM analytics_activeplayer WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM analytics_activeplayer
         WHERE begin < $1::date AND (NOT is_month OR begin < $1::date - 31) LIMIT $2)) RETURNING 1)
SELECT count(*) FROM gone
"""


def keep(*, now: datetime) -> None:
    """Forget who was active long ago, and counts of years ago."""
    before = (now - PLAYERS_KEPT).date()
    while not shifts.is_over():
        if run_prepared(_FORGET_OLD, [before, _FORGOTTEN_AT_ONCE])[0][0] < _FORGOTTEN_AT_ONCE:
            break
    Usage.objects.filter(day__lt=(now - COUNTS_KEPT).date()).delete()
