"""The order of points as PostgreSQL has it: what boards are built from, and what answers while they are not.

A scope is a game, or all games; a region narrows it. In every function `game_id` None means all games, `region` None
all regions. Most points first; of equals, who reached them first. Players whom a studio excludes from its boards are
in no order of its games; over all games they are, since that order is no studio's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

_COLUMNS = "player_id, region, points, points_reached_at, version"
_CHUNK = 2000


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
    rows = _rows(
        f"SELECT {_COLUMNS} FROM {scope} ORDER BY {order} LIMIT %s OFFSET %s", [*params, limit, offset]
    )
    return [Standing(*row) for row in rows]


def page_before(game_id: int | None, *, region: str | None, before: Standing, limit: int) -> list[Standing]:
    """Return the places just before a standing, in their order; empty at the beginning."""
    scope, params = _scope(game_id, region)
    scope += " AND points >= %s AND (points > %s OR (points_reached_at, player_id) < (%s, %s))"
    params += [before.points, before.points, before.reached_at, before.player_id]
    order = "points, points_reached_at DESC, player_id DESC"
    rows = _rows(f"SELECT {_COLUMNS} FROM {scope} ORDER BY {order} LIMIT %s", [*params, limit])
    return [Standing(*row) for row in reversed(rows)]


def steps(game_id: int | None, *, region: str | None, step: int) -> list[tuple[int, datetime, int, int]]:
    """Return every step-th place as `(points, reached at, player, how many different points are higher)`.

    It walks the whole order once, and nothing is kept of it.
    """
    scope, params = _scope(game_id, region)
    return _rows(
        f"""
        SELECT points, points_reached_at, player_id, higher FROM (
            SELECT points, points_reached_at, player_id, row_number() OVER placed - 1 AS place,
                   dense_rank() OVER (ORDER BY points DESC) - 1 AS higher
              FROM {scope} WINDOW placed AS (ORDER BY points DESC, points_reached_at, player_id)) AS listed
         WHERE place > 0 AND place %% %s = 0 ORDER BY place
        """,
        [*params, step],
    )


def different(game_id: int | None, *, region: str | None) -> int:
    """Return how many different numbers of points there are."""
    scope, params = _scope(game_id, region)
    return int(_rows(f"SELECT count(DISTINCT points) FROM {scope}", params)[0][0])


def count_before(game_id: int | None, *, region: str | None, standing: Standing, most: int) -> int:
    """Return how many places lie before a standing, at most `most`."""
    scope, params = _scope(game_id, region)
    scope += " AND points >= %s AND (points > %s OR (points_reached_at, player_id) < (%s, %s))"
    params += [standing.points, standing.points, standing.reached_at, standing.player_id, most]
    return int(_rows(f"SELECT count(*) FROM (SELECT FROM {scope} LIMIT %s) AS before", params)[0][0])


def count(game_id: int | None, *, region: str | None, above: int | None = None) -> int:
    """Return how many players are in the order, or how many have more than `above` points."""
    scope, params = _scope(game_id, region)
    if above is not None:
        scope += " AND points > %s"
        params.append(above)
    return int(_rows(f"SELECT count(*) FROM {scope}", params)[0][0])


_HOLDERS = """
    SELECT count(*) FROM (
        SELECT FROM achievements_playergame WHERE game_id = %(game)s AND ranked AND unlocked > 0
         UNION ALL
        SELECT FROM achievements_playergame WHERE game_id = %(game)s AND NOT ranked AND unlocked > 0
         LIMIT %(most)s) AS holders
"""


def holders(game_id: int, most: int) -> int:
    """Return how many players hold an unlock of a game, on its boards or not; at most `most` (GAME_HOLDERS)."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, {"game": game_id, "most": most})
        return int(cursor.fetchone()[0])


def tied(game_id: int | None, *, region: str | None, standing: Standing, earlier: bool = False) -> int:
    """Return how many have the points of a standing, itself included, or only those of them listed before it."""
    scope, params = _scope(game_id, region)
    scope += " AND points = %s"
    params.append(standing.points)
    if earlier:
        scope += " AND (points_reached_at, player_id) < (%s, %s)"
        params += [standing.reached_at, standing.player_id]
    return int(_rows(f"SELECT count(*) FROM {scope}", params)[0][0])


def of_players(game_id: int | None, player_ids: Iterable[int]) -> dict[int, Standing]:
    """Return the standings of those players who are in the order."""
    scope, params = _scope(game_id, None)
    rows = _rows(f"SELECT {_COLUMNS} FROM {scope} AND player_id = ANY(%s)", [*params, list(player_ids)])
    return {row[0]: Standing(*row) for row in rows}


def everyone(game_id: int | None, *, region: str | None) -> Iterator[list[Standing]]:
    """Yield all standings as of one moment, in chunks, in no order: for going through them while they change."""
    scope, params = _scope(game_id, region)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DECLARE everyone NO SCROLL CURSOR FOR SELECT {_COLUMNS} FROM {scope}", params)
        while True:
            cursor.execute(f"FETCH {_CHUNK} FROM everyone")
            rows = cursor.fetchall()
            if not rows:
                break
            yield [Standing(*row) for row in rows]
        cursor.execute("CLOSE everyone")


def unranked(player_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Return `(game, player)` for each game whose order one of the players was taken out of."""
    sql = "SELECT game_id, player_id FROM achievements_playergame WHERE NOT ranked AND player_id = ANY(%s)"
    return {(game_id, player_id) for game_id, player_id in _rows(sql, [list(player_ids)])}


def taken_out(game_id: int, player_id: int) -> Standing | None:
    """Return what a player has who was taken out of a game's order; None for one who is in it, or has nothing."""
    sql = (
        f"SELECT {_COLUMNS} FROM achievements_playergame WHERE game_id = %s AND player_id = %s AND NOT ranked"
    )
    rows = _rows(sql, [game_id, player_id])
    return Standing(*rows[0]) if rows else None


# From each to the next by the index: however many rows there are, it costs a look a board.
_SCOPES = """
    WITH RECURSIVE games AS (
        (SELECT game_id FROM achievements_playergame WHERE ranked ORDER BY game_id LIMIT 1)
        UNION ALL
        SELECT following.* FROM games CROSS JOIN LATERAL (
            SELECT g.game_id FROM achievements_playergame g
             WHERE g.game_id > games.game_id AND g.ranked ORDER BY g.game_id LIMIT 1) AS following
    ), in_game AS (
        (SELECT game_id, region FROM achievements_playergame WHERE region > '' AND ranked
          ORDER BY game_id, region LIMIT 1)
        UNION ALL
        SELECT following.* FROM in_game CROSS JOIN LATERAL (
            SELECT g.game_id, g.region FROM achievements_playergame g
             WHERE (g.game_id, g.region) > (in_game.game_id, in_game.region) AND g.region > '' AND g.ranked
             ORDER BY g.game_id, g.region LIMIT 1) AS following
    ), overall AS (
        (SELECT region FROM achievements_playertotal WHERE region > '' ORDER BY region LIMIT 1)
        UNION ALL
        SELECT following.* FROM overall CROSS JOIN LATERAL (
            SELECT t.region FROM achievements_playertotal t
             WHERE t.region > overall.region AND t.region > '' ORDER BY t.region LIMIT 1) AS following
    )
    SELECT NULL::bigint, NULL WHERE EXISTS (SELECT FROM achievements_playertotal)
    UNION ALL SELECT NULL, region FROM overall
    UNION ALL SELECT game_id, NULL FROM games
    UNION ALL SELECT game_id, region FROM in_game
"""


def scopes() -> list[tuple[int | None, str | None]]:
    """Return every game that somebody plays, and all games (None): in all regions (None), and in each."""
    return [(game_id, region) for game_id, region in _rows(_SCOPES, [])]


def _scope(game_id: int | None, region: str | None) -> tuple[str, list[Any]]:
    if game_id is None:
        scope, params = "achievements_playertotal WHERE true", []
    else:
        scope, params = "achievements_playergame WHERE game_id = %s AND ranked", [game_id]
    return (scope, params) if region is None else (f"{scope} AND region = %s", [*params, region])


def _rows(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
