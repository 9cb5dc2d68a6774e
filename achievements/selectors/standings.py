"""The order of points as PostgreSQL has it: what boards are built from, and what answers while they are not.

A scope is a game, or all games; a region narrows it. In every function `game_id` None means all games, `region` None
all regions. Most points first; of equals, who reached them first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

_COLUMNS = "player_id, region, points, points_reached_at, version"


@dataclass(frozen=True, slots=True)
class Standing:
    """A player's points in a scope; a higher `version` is newer."""

    player_id: int
    region: str
    points: int
    reached_at: datetime
    version: int


def page(
    game_id: int | None, *, region: str | None, after: Standing | None = None, offset: int = 0, limit: int
) -> list[Standing]:
    """Return a page of the order, from `offset` or from behind a standing; empty past the end."""
    scope, params = _scope(game_id, region)
    if after is not None:
        scope += " AND points <= %s AND (points < %s OR (points_reached_at, player_id) > (%s, %s))"
        params += [after.points, after.points, after.reached_at, after.player_id]
    order = "points DESC, points_reached_at, player_id"
    rows = _rows(f"SELECT {_COLUMNS} FROM {scope} ORDER BY {order} LIMIT %s OFFSET %s", [*params, limit, offset])
    return [Standing(*row) for row in rows]


def count(game_id: int | None, *, region: str | None, above: int | None = None) -> int:
    """Return how many players are in the order, or how many have more than `above` points."""
    scope, params = _scope(game_id, region)
    if above is not None:
        scope += " AND points > %s"
        params.append(above)
    return int(_rows(f"SELECT count(*) FROM {scope}", params)[0][0])


def before(game_id: int | None, *, region: str | None, standing: Standing) -> int:
    """Return how many players are listed before a standing: its place, from zero."""
    scope, params = _scope(game_id, region)
    scope += " AND points >= %s AND (points > %s OR (points_reached_at, player_id) < (%s, %s))"
    params += [standing.points, standing.points, standing.reached_at, standing.player_id]
    return int(_rows(f"SELECT count(*) FROM {scope}", params)[0][0])


def of_players(game_id: int | None, player_ids: Iterable[int]) -> dict[int, Standing]:
    """Return the standings of those players who are in the order."""
    scope, params = _scope(game_id, None)
    rows = _rows(f"SELECT {_COLUMNS} FROM {scope} AND player_id = ANY(%s)", [*params, list(player_ids)])
    return {row[0]: Standing(*row) for row in rows}


def by_player(game_id: int | None, *, after_player: int, limit: int) -> list[Standing]:
    """Return standings by player id, after one: for going through all of them."""
    scope, params = _scope(game_id, None)
    rows = _rows(
        f"SELECT {_COLUMNS} FROM {scope} AND player_id > %s ORDER BY player_id LIMIT %s",
        [*params, after_player, limit],
    )
    return [Standing(*row) for row in rows]


def games() -> list[int]:
    """Return the games in which anybody has unlocked anything."""
    return [row[0] for row in _rows("SELECT DISTINCT game_id FROM achievements_playergame ORDER BY game_id", [])]


def _scope(game_id: int | None, region: str | None) -> tuple[str, list[Any]]:
    if game_id is None:
        scope, params = "achievements_playertotal WHERE true", []
    else:
        scope, params = "achievements_playergame WHERE game_id = %s", [game_id]
    return (scope, params) if region is None else (f"{scope} AND region = %s", [*params, region])


def _rows(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
