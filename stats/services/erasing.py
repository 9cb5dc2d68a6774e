"""A person is erased: values, playtime and reports go, and nobody is told (ADR 0047)."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from core.db import array_literal, run_prepared
from core.persons import Person, Taken, Takes

_OF_HIM = "player_id = ANY($1::bigint[]) AND ($2::bigint IS NULL OR studio_id = $2)"
# In the order in which reports and signs of life lock them.
_HOLDS = (
    f"SELECT FROM stats_statvalue WHERE {_OF_HIM} ORDER BY player_id, stat_id FOR UPDATE",
    f"SELECT FROM stats_playtime WHERE {_OF_HIM} ORDER BY player_id, game_id FOR UPDATE",
)
_TAKE = tuple(
    f"WITH gone AS (DELETE FROM {table} WHERE {_OF_HIM} RETURNING 1) SELECT count(*) FROM gone"  # noqa: S608 - ours
    for table in ("stats_statvalue", "stats_playtime")
)
_AT_ONCE = 20_000  # events: the next look finds more
# Events have no index by player: they are looked through after the answer.
_EVENTS = """
SELECT r.game_id, r.event_id FROM stats_report r JOIN accounts_game g ON g.id = r.game_id
 WHERE r.player_id = ANY($1::bigint[]) AND ($2::bigint IS NULL OR g.studio_id = $2) LIMIT $3
"""
_TAKE_EVENTS = """
DELETE FROM stats_report r USING unnest($2::bigint[], $3::uuid[]) AS w (game_id, event_id)
 WHERE r.game_id = w.game_id AND r.event_id = w.event_id AND r.player_id = ANY($1::bigint[])
"""


def erase(person: Person) -> Taken:
    """Take away what a person holds of stats, inside the caller's transaction."""
    who = [array_literal(person.player_ids), person.only_studio]
    for hold in _HOLDS:
        run_prepared(hold, who)
    return Taken(sum(run_prepared(statement, who)[0][0] for statement in _TAKE))


def look(person: Person) -> Takes:
    """Look for the events of his reports; what came of whoever wrote meanwhile is taken away, too."""
    events = run_prepared(_EVENTS, [array_literal(person.player_ids), person.only_studio, _AT_ONCE])
    return partial(_take_away, person, events)


def _take_away(person: Person, events: Sequence[tuple[int, UUID]]) -> Taken:
    rows = erase(person).rows
    if events:
        keys = [array_literal(column) for column in zip(*events, strict=True)]
        run_prepared(_TAKE_EVENTS, [array_literal(person.player_ids), *keys])
    return Taken(rows + len(events))
