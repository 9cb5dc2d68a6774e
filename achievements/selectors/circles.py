"""What several players have: for comparing them, and for what is new of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from achievements.models import Unlock
from achievements.selectors.unlocks import HeldUnlock, as_held
from core.clock import from_microseconds
from core.db import array_literal, run_prepared


@dataclass(frozen=True, slots=True)
class Sums:
    """What a player's unlocks add up to, in a game or over all; `version` rises with every change of it.

    Attributes:
        last_unlock_at: in a game only; over all games `Played` tells it.

    """

    points: int
    unlocked: int
    reached_at: datetime
    version: int
    last_unlock_at: datetime | None = None


_OVERALL = """
SELECT player_id, points, unlocked, points_reached_at, version FROM achievements_playertotal
 WHERE player_id = ANY($1::bigint[])
"""


def overall(player_ids: Iterable[int]) -> dict[int, Sums]:
    """Return what players have over all games, in one query; without those who never had anything."""
    return {row[0]: Sums(*row[1:]) for row in run_prepared(_OVERALL, [array_literal(player_ids)])}


_IN_GAME = """
SELECT player_id, points, unlocked, points_reached_at, version, CASE WHEN unlocked > 0 THEN last_unlock_at END
  FROM achievements_playergame WHERE game_id = $2 AND player_id = ANY($1::bigint[])
"""


def in_game(game_id: int, player_ids: Iterable[int]) -> dict[int, Sums]:
    """Return what players have in a game, in one query; without those who never had anything in it."""
    return {row[0]: Sums(*row[1:]) for row in run_prepared(_IN_GAME, [array_literal(player_ids), game_id])}


class Played(NamedTuple):
    """What there is in all the games in which a player has unlocked anything, and when he did so last."""

    available: int
    last_unlock_at: datetime | None


_PLAYED = """
WITH played AS MATERIALIZED (
    SELECT player_id, game_id, CASE WHEN unlocked > 0 THEN last_unlock_at END AS last_at
      FROM achievements_playergame WHERE player_id = ANY($1::bigint[])
), available AS MATERIALIZED (
    SELECT g.game_id, (SELECT count(*) FROM achievements_achievement a
                        WHERE a.game_id = g.game_id AND a.state = 'published') AS available
      FROM (SELECT DISTINCT game_id FROM played) AS g
)
SELECT p.player_id, sum(a.available)::bigint, max(p.last_at)
  FROM played p JOIN available a USING (game_id) GROUP BY p.player_id
"""


def played(player_ids: Iterable[int]) -> dict[int, Played]:
    """Return what players have played, in one query that reads a row for each of their games."""
    rows = run_prepared(_PLAYED, [array_literal(player_ids)])
    return {player_id: Played(available, last_at) for player_id, available, last_at in rows}


class SharedGame(NamedTuple):
    """A game in which two players have unlocked something: points, unlocks and the last unlock of each."""

    game_id: int
    points: tuple[int, int]
    unlocked: tuple[int, int]
    last_unlock_at: tuple[datetime | None, datetime | None]


_SHARED = """
SELECT a.game_id, a.points, b.points, a.unlocked, b.unlocked,
       CASE WHEN a.unlocked > 0 THEN a.last_unlock_at END, CASE WHEN b.unlocked > 0 THEN b.last_unlock_at END
  FROM achievements_playergame a JOIN achievements_playergame b ON b.player_id = $2 AND b.game_id = a.game_id
 WHERE a.player_id = $1 AND (a.studio_id = $3 OR $3 IS NULL)
   AND a.points <= $4 AND (a.points < $4 OR a.game_id > $5)
 ORDER BY a.points DESC, a.game_id LIMIT $6
"""
_MOST_POINTS = 2**63 - 1


def shared_games(
    player_id: int,
    other_id: int,
    *,
    studio_id: int | None,
    after: tuple[int, int] | None = None,
    limit: int,
) -> list[SharedGame]:
    """Return the games in which both have unlocked something, those with the most points of the first one first.

    `after` is the points and the game after which to go on; with `studio_id` only its games.
    """
    points, game_id = after or (_MOST_POINTS, _MOST_POINTS)
    rows = run_prepared(_SHARED, [player_id, other_id, studio_id, points, game_id, limit])
    return [SharedGame(row[0], row[1:3], row[3:5], row[5:7]) for row in rows]


def unlocks_in_game(game_id: int, player_ids: Iterable[int]) -> dict[int, dict[int, HeldUnlock]]:
    """Return players' unlocks in a game, by player and achievement, in one query."""
    wanted = list(player_ids)
    found: dict[int, dict[int, HeldUnlock]] = {player_id: {} for player_id in wanted}
    for row in Unlock.objects.filter(player_id__in=wanted, game_id=game_id):
        found[row.player_id][row.achievement_id] = as_held(row)
    return found


class News(NamedTuple):
    """An unlock of one of several players; `reader_has_it`: whoever reads of it has that achievement, too."""

    player_id: int
    achievement_id: int
    game_id: int
    points: int
    unlocked_at: datetime
    reader_has_it: bool


class Place(NamedTuple):
    """Where a list of news goes on."""

    unlocked_us: int
    player_id: int
    achievement_id: int


# Only the players with the newest heads can have anything on the page, and only from the last of these heads on: who
# has thousands of friends' unlocks before him reads a page's worth of them.
_FORM_OF_NEWS = """
WITH circle AS MATERIALIZED (
    SELECT w.player_id, ARRAY(SELECT x.studio_id FROM accounts_playeridentity x
                               WHERE x.player_id = w.player_id AND x.banned_at IS NOT NULL) AS banned_by
      FROM unnest($1::bigint[]) AS w (player_id)
), heads AS MATERIALIZED (
    SELECT c.player_id, c.banned_by, head.unlocked_at
      FROM circle c CROSS JOIN LATERAL (
          SELECT u.unlocked_at FROM achievements_unlock u WHERE u.player_id = c.player_id AND {wanted}
           ORDER BY u.unlocked_at DESC LIMIT 1) AS head
     ORDER BY head.unlocked_at DESC, c.player_id LIMIT $8
), since AS MATERIALIZED (
    SELECT CASE WHEN count(*) = $8 THEN min(unlocked_at) ELSE '-infinity' END AS at FROM heads
)
SELECT n.*, EXISTS (SELECT FROM achievements_unlock mine
                     WHERE mine.player_id = $2 AND mine.achievement_id = n.achievement_id)
  FROM (SELECT u.* FROM heads c CROSS JOIN since CROSS JOIN LATERAL (
            SELECT u.player_id, u.achievement_id, u.game_id, u.points, u.unlocked_at FROM achievements_unlock u
             WHERE u.player_id = c.player_id AND u.unlocked_at >= since.at AND {wanted}
             ORDER BY u.unlocked_at DESC, u.achievement_id LIMIT $8) AS u
         ORDER BY u.unlocked_at DESC, u.player_id, u.achievement_id LIMIT $8) AS n
 ORDER BY n.unlocked_at DESC, n.player_id, n.achievement_id
"""
_NEWS = _FORM_OF_NEWS.format(
    wanted="""(u.studio_id = $3 OR $3 IS NULL) AND (u.game_id = $4 OR $4 IS NULL) AND u.studio_id <> ALL (c.banned_by)
               AND u.unlocked_at <= $5::timestamptz
               AND (u.unlocked_at < $5::timestamptz OR (u.player_id, u.achievement_id) > ($6, $7))"""
)


def news(
    player_ids: Iterable[int],
    *,
    reader_id: int,
    studio_id: int | None,
    game_id: int | None,
    after: Place | None = None,
    limit: int,
) -> list[News]:
    """Return players' latest unlocks together, newest first, at most `limit`; in one query.

    With `studio_id`, `game_id` only of its games, of that game. What somebody did in the games of a studio that bans
    him is left out.
    """
    until = "infinity" if after is None else from_microseconds(after.unlocked_us).isoformat()
    player_id, achievement_id = (0, 0) if after is None else after[1:]
    params = [
        array_literal(player_ids),
        reader_id,
        studio_id,
        game_id,
        until,
        player_id,
        achievement_id,
        limit,
    ]
    return [News(*row) for row in run_prepared(_NEWS, params)]
