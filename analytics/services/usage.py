"""Adds up what studios use, from the log: exactly once, since it is written with the cursor."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import orjson
from django.db import connection

from accounts.facts import PlayersChanged, PlayersJoined
from accounts.selectors import joined_players
from achievements.facts import AchievementsUnlocked
from analytics.models import Usage
from core.db import run_prepared
from core.facts import Fact
from leaderboards.facts import ScoresChanged
from stats.facts import PlaytimeAdded, StatsChanged

FOLLOWER: Final = "usage"
KINDS: Final = frozenset(
    {
        AchievementsUnlocked.kind,
        StatsChanged.kind,
        ScoresChanged.kind,
        PlaytimeAdded.kind,
        PlayersChanged.kind,
        PlayersJoined.kind,
    }
)
COUNTS_KEPT: Final = timedelta(days=731)
PLAYERS_KEPT: Final = timedelta(days=40)  # longer than a month, and than the log has facts that are not read
_KINDS_OF: Final = {False: Usage.Kind.PLAYERS.value, True: Usage.Kind.PLAYERS_MONTH.value}
_AT_ONCE: Final = 50_000
_ROWS: Final = {
    AchievementsUnlocked.kind: ("unlocks", Usage.Kind.UNLOCKS.value),
    StatsChanged.kind: ("values", Usage.Kind.VALUES.value),
    ScoresChanged.kind: ("scores", Usage.Kind.SCORES.value),
    PlaytimeAdded.kind: ("played", ""),
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
    DELETE FROM analytics_activeplayer WHERE player_id = $1 RETURNING studio_id, begin, is_month
), moved AS (
    INSERT INTO analytics_activeplayer (studio_id, begin, is_month, player_id)
    SELECT studio_id, begin, is_month, $2::bigint FROM gone
        ON CONFLICT DO NOTHING RETURNING studio_id, begin, is_month)
SELECT studio_id, begin, is_month FROM gone EXCEPT SELECT studio_id, begin, is_month FROM moved
"""


def apply_facts(facts: Sequence[Fact]) -> None:
    """Count what facts are about, and who was active for the first time on its day and in its month."""
    counts: _Counts = Counter()
    active: set[tuple[int, date, bool, int]] = set()
    for fact in facts:
        if fact.kind == PlayersJoined.kind:
            counts.subtract(_join(fact.payload["players"]))
        elif fact.studio_id is None:
            continue
        elif fact.kind == PlayersChanged.kind:
            if fact.payload.get("created"):
                counts[fact.studio_id, _day(fact), Usage.Kind.NEW_PLAYERS.value] += len(
                    fact.payload["players"]
                )
        else:
            rows, kind = _rows(fact)
            if kind:
                counts[fact.studio_id, _day(fact), kind] += len(rows)
            active |= _active(fact.studio_id, _day(fact), (row[0] for row in rows))
    counts.update(_see(_as_they_are(active)))
    _add(counts)


def _day(fact: Fact) -> date:
    return fact.at.astimezone(UTC).date()


def _active(studio_id: int, day: date, players: Iterable[int]) -> set[tuple[int, date, bool, int]]:
    days = ((day, False), (day.replace(day=1), True))
    return {(studio_id, begin, is_month, player) for player in players for begin, is_month in days}


def _as_they_are(active: set[tuple[int, date, bool, int]]) -> set[tuple[int, date, bool, int]]:
    """Return who was active with players who were joined to others as those."""
    joined = joined_players({row[3] for row in active})
    if not joined:
        return active
    return {(studio, begin, is_month, joined.get(one, one)) for studio, begin, is_month, one in active}


def _join(players: Sequence[Sequence[int]]) -> _Counts:
    """Let what somebody did who is gone be whom he is; return what was counted twice by that."""
    twice: _Counts = Counter()
    for leaves, stays in players:
        rows = run_prepared(_JOIN, [leaves, stays])
        twice.update((studio, begin, _KINDS_OF[is_month]) for studio, begin, is_month in rows)
    return twice


def _rows(fact: Fact) -> tuple[Sequence[Sequence[int]], str]:
    """Return what a fact is about, a row for each, and what it is counted as; nothing that nobody played for."""
    name, kind = _ROWS[fact.kind]
    is_of_nobody = fact.payload.get("silent", False) or not fact.payload.get("main", True)
    return ((), "") if is_of_nobody else (fact.payload[name], kind)


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


def keep(*, now: datetime) -> None:
    """Forget who was active long ago, some at a time, and counts of years ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM analytics_activeplayer WHERE ctid IN (SELECT ctid FROM analytics_activeplayer"
            " WHERE begin < %s LIMIT %s)",
            [(now - PLAYERS_KEPT).date(), _AT_ONCE],
        )
    Usage.objects.filter(day__lt=(now - COUNTS_KEPT).date()).delete()
