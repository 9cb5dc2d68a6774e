"""How long players played."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from core.db import array_literal, run_prepared
from stats.models import Playtime as Row
from stats.rules.sessions import ALIVE_US

_ALIVE = timedelta(microseconds=ALIVE_US)


@dataclass(frozen=True, slots=True)
class Playtime:
    """How long a player played a game, in milliseconds, in how many sessions, and since when."""

    game_id: int
    total_ms: int
    sessions: int
    first_at: datetime
    last_seen_at: datetime


def playtimes(
    player_id: int,
    *,
    studio_id: int | None = None,
    game_id: int | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int,
) -> list[Playtime]:
    """Return a player's games, of one studio or (None) of all, or only one; the one that was played last first.

    `after` is when he was last seen in the game that the list goes on behind, and that game.
    """
    rows = Row.objects.filter(player_id=player_id)
    if studio_id is not None:
        rows = rows.filter(studio_id=studio_id)
    if game_id is not None:
        rows = rows.filter(game_id=game_id)
    if after is not None:
        seen_at, last_id = after
        rows = rows.filter(Q(seen_at__lt=seen_at) | Q(seen_at=seen_at, game_id__gt=last_id))
    return [
        Playtime(row.game_id, row.total_ms, row.sessions, row.first_at, row.seen_at)
        for row in rows.order_by("-seen_at", "game_id")[:limit]
    ]


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a player's sessions in a game, in microseconds; began and seen are of the last one."""

    sessions: int
    first_us: int
    began_us: int
    seen_us: int


_SIGNS = """
SELECT t.player_id, t.game_id, t.sessions, (extract(epoch FROM t.first_at) * 1000000)::bigint,
       (extract(epoch FROM t.started_at) * 1000000)::bigint, (extract(epoch FROM t.seen_at) * 1000000)::bigint
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, game_id) JOIN stats_playtime t USING (player_id, game_id)
"""


def signs_of(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Signs]:
    """Return by `(player, game)` what is known of sessions, in one query; who never played is left out."""
    columns = [array_literal(column) for column in zip(*set(pairs), strict=True)]
    rows = run_prepared(_SIGNS, columns) if columns else []
    return {(row[0], row[1]): Signs(*row[2:]) for row in rows}


@dataclass(frozen=True, slots=True)
class LastPlayed:
    """The game that a player played last, when he was seen in it, and whether he still plays."""

    game_id: int
    studio_id: int
    seen_at: datetime
    is_playing: bool


_LAST = """
SELECT w.player_id, t.game_id, t.studio_id, t.seen_at, NOT t.has_ended AND t.seen_at >= $2::timestamptz - $3::interval
  FROM unnest($1::bigint[]) AS w (player_id)
  CROSS JOIN LATERAL (SELECT game_id, studio_id, seen_at, has_ended FROM stats_playtime
                       WHERE player_id = w.player_id ORDER BY seen_at DESC LIMIT 1) AS t
"""


def last_played(player_ids: Iterable[int], *, at: datetime) -> dict[int, LastPlayed]:
    """Return the game that each of some players played last, in one query; who never played is left out."""
    rows = run_prepared(_LAST, [array_literal(player_ids), at, _ALIVE])
    return {row[0]: LastPlayed(*row[1:]) for row in rows}
