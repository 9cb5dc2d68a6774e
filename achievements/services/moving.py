"""Totals follow their players to another region."""

from collections.abc import Sequence
from typing import Final

from accounts import selectors as accounts
from accounts.facts import PlayersChanged
from achievements.facts import AchievementsUnlocked, TotalsMoved
from core.db import array_literal, run_prepared
from core.facts import Fact, publish

# Absolute: it compares with where they live now, so that repeating or reordering facts changes nothing. Rows are met
# again by their keys: one that an unlock changed meanwhile lies elsewhere by then.
_MOVE: Final = """
WITH wanted AS MATERIALIZED (
    SELECT {keys}, t.region AS previous, p.region
      FROM {table} t JOIN accounts_player p ON p.id = t.player_id
     WHERE t.player_id = ANY($1::bigint[]) AND t.region <> p.region
     ORDER BY {keys} FOR UPDATE OF t
)
UPDATE {table} t SET region = w.region, version = t.version + 1
  FROM wanted w WHERE ({keys}) = ({theirs})
RETURNING {game}, w.previous, t.player_id, t.region, t.points, t.unlocked,
          (extract(epoch FROM t.points_reached_at) * 1000000)::bigint, t.version
"""
_IN_GAMES: Final = _MOVE.format(
    table="achievements_playergame",
    keys="t.player_id, t.game_id",
    theirs="w.player_id, w.game_id",
    game="t.game_id",
)
_OVERALL: Final = _MOVE.format(
    table="achievements_playertotal", keys="t.player_id", theirs="w.player_id", game="0"
)


def follow_regions(facts: Sequence[Fact]) -> None:
    """Take the totals of players with them to the regions where they live.

    Publishes:
        TotalsMoved.

    """
    players = _players(facts)
    if not players:
        return
    moves = [
        list(row) for sql in (_IN_GAMES, _OVERALL) for row in run_prepared(sql, [array_literal(players)])
    ]
    if moves:
        publish(TotalsMoved(moves), studio_id=None, size=len(moves))


def _players(facts: Sequence[Fact]) -> set[int]:
    """Return who changed the region, and who is new to a game and lives elsewhere than his total says.

    A first unlock may have been on its way meanwhile, with the region before.
    """
    told: set[int] = set()
    heard: set[tuple[int, str]] = set()
    for fact in facts:
        if fact.kind == PlayersChanged.kind:
            told.update(player for player, _ in fact.payload["players"])
        elif fact.kind == AchievementsUnlocked.kind:
            heard.update((row[0], row[1]) for row in fact.payload["totals"] if row[5] == 1)
    return told | accounts.living_elsewhere(heard).keys()
