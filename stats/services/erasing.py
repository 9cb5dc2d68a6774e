"""A person is erased: values, playtime and reports go, and nobody is told (ADR 0047)."""

from core.db import array_literal, run_prepared
from core.persons import Person, Taken

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
# Events have no index by player: they are looked through after the answer.
_TAKE_EVENTS = """
WITH gone AS (
    DELETE FROM stats_report r USING accounts_game g
     WHERE g.id = r.game_id AND r.player_id = ANY($1::bigint[]) AND ($2::bigint IS NULL OR g.studio_id = $2)
    RETURNING 1
) SELECT count(*) FROM gone
"""


def erase(person: Person) -> Taken:
    """Take away what a person holds of stats, inside the caller's transaction."""
    who = [array_literal(person.player_ids), person.only_studio]
    for hold in _HOLDS:
        run_prepared(hold, who)
    return Taken(sum(run_prepared(statement, who)[0][0] for statement in _TAKE))


def finish(person: Person) -> Taken:
    """Take away what came of whoever wrote meanwhile, and the events of his reports."""
    who = [array_literal(person.player_ids), person.only_studio]
    return Taken(erase(person).rows + run_prepared(_TAKE_EVENTS, who)[0][0])
