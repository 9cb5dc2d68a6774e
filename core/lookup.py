"""Finding what studios define, by a part of a key or name: one statement over the games that are asked about."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.db import array_literal, run_prepared

MOST_LOOKED_AT: Final = (
    20_000  # definitions of a studio: more make the answer slow, and it says that there are more
)

# What is called just so comes first, then what begins so, each with the game at hand before the others.
_FIND = """
WITH looked AS MATERIALIZED (
    SELECT id, game_id, uuid, key, name, {icon} AS icon_url, {state} AS state, lower(key) AS low_key,
           lower(name) AS low_name, lower($2::text) AS wanted
      FROM {table} WHERE game_id = ANY($1::bigint[]) LIMIT $4)
SELECT counted.n, f.game_id, f.uuid, f.key, f.name, f.icon_url, f.state
  FROM (SELECT count(*) AS n FROM looked) AS counted
  LEFT JOIN (
    SELECT *, CASE WHEN wanted IN (low_key, low_name) THEN 0
                   WHEN starts_with(low_name, wanted) OR starts_with(low_key, wanted) THEN 2
                   ELSE 4 END + (game_id <> $3)::integer AS place
      FROM looked WHERE strpos(low_name, wanted) > 0 OR strpos(low_key, wanted) > 0
     ORDER BY place, low_name COLLATE "C", id LIMIT $5) AS f ON true
 ORDER BY f.place, f.low_name COLLATE "C", f.id
"""


@dataclass(frozen=True, slots=True)
class Defined:
    """Something that a game defines; `state` as its room says it."""

    game_id: int
    uuid: UUID
    key: str
    name: str
    icon_url: str
    state: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """What fits, and whether not everything was looked at."""

    found: tuple[Defined, ...]
    is_cut: bool


def statement(table: str, *, icon: str = "''", state: str) -> str:
    """Return the statement for a table of definitions; `icon` and `state` are expressions of its columns."""
    return _FIND.format(table=table, icon=icon, state=state)


def find(sql: str, game_ids: Collection[int], text: str, *, first: int | None, limit: int) -> Lookup:
    """Return what of some games has a text in its key or name, that of the game `first` before others' equals."""
    if not game_ids or not text:
        return Lookup((), is_cut=False)
    asked = [array_literal(game_ids), text, first or 0, MOST_LOOKED_AT + 1, limit]
    rows = run_prepared(sql, asked)
    found = tuple(Defined(*row[1:]) for row in rows if row[1] is not None)
    return Lookup(found, is_cut=rows[0][0] > MOST_LOOKED_AT)
