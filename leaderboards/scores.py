"""The order of a period's scores as PostgreSQL has it; the counterpart of achievements.selectors.standings.

In every function `region` None means all regions. Smallest sort value first; of equals, who reached it first.
Hidden and excluded scores are in no order.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

_COLUMNS = "player_id, region, sort_value, reached_at, version"
_SHOWN = "hidden_at IS NULL AND excluded_at IS NULL"
_CHUNK = 2000


class Placed(NamedTuple):
    """A player's place in an order; a higher `version` is newer."""

    player_id: int
    region: str
    sort_value: int
    reached_at: datetime
    version: int


def page(
    period_id: int, *, region: str | None, after: Placed | None = None, offset: int = 0, limit: int
) -> list[Placed]:
    """Return a page of the order, from `offset` or from behind a place; empty past the end."""
    scope, params = _scope(period_id, region)
    if after is not None:
        scope += " AND (sort_value, reached_at, player_id) > (%s, %s, %s)"
        params += [after.sort_value, after.reached_at, after.player_id]
    sql = f"SELECT {_COLUMNS} FROM {scope} ORDER BY sort_value, reached_at, player_id LIMIT %s OFFSET %s"
    return [Placed(*row) for row in _rows(sql, [*params, limit, offset])]


def page_before(period_id: int, *, region: str | None, before: Placed, limit: int) -> list[Placed]:
    """Return the places just before a place, in their order; empty at the beginning."""
    scope, params = _scope(period_id, region)
    scope += " AND (sort_value, reached_at, player_id) < (%s, %s, %s)"
    params += [before.sort_value, before.reached_at, before.player_id]
    order = "sort_value DESC, reached_at DESC, player_id DESC"
    rows = _rows(f"SELECT {_COLUMNS} FROM {scope} ORDER BY {order} LIMIT %s", [*params, limit])
    return [Placed(*row) for row in reversed(rows)]


def steps(period_id: int, *, region: str | None, step: int) -> list[tuple[int, datetime, int, int]]:
    """Return every step-th place as `(sort value, reached at, player, how many different scores are better)`.

    It walks the whole order once, and nothing is kept of it.
    """
    scope, params = _scope(period_id, region)
    return _rows(
        f"""
        SELECT sort_value, reached_at, player_id, better FROM (
            SELECT sort_value, reached_at, player_id, row_number() OVER placed - 1 AS place,
                   dense_rank() OVER (ORDER BY sort_value) - 1 AS better
              FROM {scope} WINDOW placed AS (ORDER BY sort_value, reached_at, player_id)) AS listed
         WHERE place > 0 AND place %% %s = 0 ORDER BY place
        """,
        [*params, step],
    )


def count_before(period_id: int, *, region: str | None, placed: Placed, most: int) -> int:
    """Return how many places lie before a place, at most `most`."""
    scope, params = _scope(period_id, region)
    scope += " AND (sort_value, reached_at, player_id) < (%s, %s, %s)"
    params += [placed.sort_value, placed.reached_at, placed.player_id, most]
    return int(_rows(f"SELECT count(*) FROM (SELECT FROM {scope} LIMIT %s) AS before", params)[0][0])


def count(period_id: int, *, region: str | None, before: int | None = None) -> int:
    """Return how many players are in the order, or how many have a better sort value than `before`."""
    scope, params = _scope(period_id, region)
    if before is not None:
        scope += " AND sort_value < %s"
        params.append(before)
    return int(_rows(f"SELECT count(*) FROM {scope}", params)[0][0])


def tied(period_id: int, *, region: str | None, placed: Placed, earlier: bool = False) -> int:
    """Return how many have the score of a place, itself included, or only those of them listed before it."""
    scope, params = _scope(period_id, region)
    scope += " AND sort_value = %s"
    params.append(placed.sort_value)
    if earlier:
        scope += " AND (reached_at, player_id) < (%s, %s)"
        params += [placed.reached_at, placed.player_id]
    return int(_rows(f"SELECT count(*) FROM {scope}", params)[0][0])


def different(period_id: int, *, region: str | None, before: int | None = None) -> int:
    """Return how many different scores there are, or how many are better than `before`."""
    scope, params = _scope(period_id, region)
    if before is not None:
        scope += " AND sort_value < %s"
        params.append(before)
    return int(_rows(f"SELECT count(DISTINCT sort_value) FROM {scope}", params)[0][0])


def of_players(period_id: int, player_ids: Iterable[int]) -> dict[int, Placed]:
    """Return the places of those players who are in the order."""
    scope, params = _scope(period_id, None)
    sql = f"SELECT {_COLUMNS} FROM {scope} AND player_id = ANY(%s)"
    return {row[0]: Placed(*row) for row in _rows(sql, [*params, list(player_ids)])}


def taken_off(period_id: int, player_id: int) -> Placed | None:
    """Return the place of a player who is hidden or excluded; None for one who is neither, or has no score."""
    sql = (
        f"SELECT {_COLUMNS} FROM leaderboards_score WHERE period_id = %s AND player_id = %s"
        " AND (hidden_at IS NOT NULL OR excluded_at IS NOT NULL)"
    )
    rows = _rows(sql, [period_id, player_id])
    return Placed(*rows[0]) if rows else None


def holders(player_ids: Iterable[int], period_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Return `(player, period)` for each of the players who has a score in one of the periods, hidden ones too."""
    sql = "SELECT player_id, period_id FROM leaderboards_score WHERE player_id = ANY(%s) AND period_id = ANY(%s)"
    return {(row[0], row[1]) for row in _rows(sql, [list(player_ids), list(period_ids)])}


def taken_off_in(period_ids: Iterable[int], player_id: int) -> set[int]:
    """Return those of the periods in which a player is hidden or excluded."""
    sql = (
        "SELECT period_id FROM leaderboards_score WHERE player_id = %s AND period_id = ANY(%s)"
        " AND (hidden_at IS NOT NULL OR excluded_at IS NOT NULL)"
    )
    return {row[0] for row in _rows(sql, [player_id, list(period_ids)])}


def everyone(period_id: int, *, region: str | None) -> Iterator[list[Placed]]:
    """Yield everybody as of one moment, in chunks, in no order: for going through them while they change."""
    scope, params = _scope(period_id, region)
    yield from _fetched(f"SELECT {_COLUMNS} FROM {scope}", params)


def in_order(period_id: int) -> Iterator[list[Placed]]:
    """Yield everybody as of one moment, in chunks, in their order."""
    scope, params = _scope(period_id, None)
    yield from _fetched(f"SELECT {_COLUMNS} FROM {scope} ORDER BY sort_value, reached_at, player_id", params)


# From each to the next by the index: however many scores there are, it costs a look a period and region.
_REGIONS = f"""
    WITH RECURSIVE found AS (
        SELECT first_one.* FROM unnest(%s::bigint[]) AS wanted (id) CROSS JOIN LATERAL (
            SELECT period_id, region FROM leaderboards_score
             WHERE period_id = wanted.id AND region > '' AND {_SHOWN} ORDER BY region LIMIT 1) AS first_one
        UNION ALL
        SELECT following.* FROM found CROSS JOIN LATERAL (
            SELECT s.period_id, s.region FROM leaderboards_score s
             WHERE s.period_id = found.period_id AND s.region > found.region AND s.region > '' AND {_SHOWN}
             ORDER BY s.region LIMIT 1) AS following
    ) SELECT period_id, region FROM found ORDER BY period_id, region
"""


def regions(period_ids: Iterable[int]) -> list[tuple[int, str]]:
    """Return `(period, region)` for each region that anybody in a period's order is in."""
    return [(period_id, region) for period_id, region in _rows(_REGIONS, [list(period_ids)])]


def _fetched(sql: str, params: list[Any]) -> Iterator[list[Placed]]:
    with transaction.atomic(), closing(connection.chunked_cursor()) as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(_CHUNK):
            yield [Placed(*row) for row in rows]


def _scope(period_id: int, region: str | None) -> tuple[str, list[Any]]:
    scope, params = f"leaderboards_score WHERE period_id = %s AND {_SHOWN}", [period_id]
    return (scope, params) if region is None else (f"{scope} AND region = %s", [*params, region])


def _rows(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
