"""Boards that anybody may look through: those of games that are played, and those that one player stands on."""

from dataclasses import dataclass
from uuid import UUID

from core.db import run_prepared
from leaderboards.keys import Board
from leaderboards.listing import Rank
from leaderboards.models import Period, PeriodState
from leaderboards.selectors import definitions, moderated, periods, standings
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.selectors.periods import PeriodInfo

MOST_GAMES = 100  # of a player whose points boards are looked at, those with most points
MOST_SCORES = 100  # of a player, those reached last


@dataclass(frozen=True, slots=True)
class ListedGame:
    """A game whose boards are listed; `players` are those who count on its points board."""

    id: int
    uuid: UUID
    title: str
    players: int

    @property
    def position(self) -> list[int]:
        """Where it stands in the list."""
        return [self.players, self.id]


# Played, or with a board of its own that somebody scored on; what a studio put away is not offered.
_GAMES = """
SELECT g.id, g.uuid, g.title, coalesce(p.players, 0) AS players
  FROM accounts_game g LEFT JOIN achievements_gameplayers p ON p.game_id = g.id
 WHERE g.archived_at IS NULL AND ($1::uuid IS NULL OR g.uuid = $1)
   AND (coalesce(p.players, 0), g.id) < ($2, $3)
   AND (p.players > 0 OR EXISTS (
        SELECT FROM leaderboards_leaderboard b JOIN leaderboards_period q ON q.leaderboard_id = b.id
         WHERE b.game_id = g.id AND b.archived_at IS NULL AND q.state <> 'discarded'))
 ORDER BY players DESC, g.id DESC LIMIT $4
"""
FIRST = (2**62, 2**62)


def games(*, only: UUID | None = None, before: tuple[int, int] = FIRST, limit: int) -> list[ListedGame]:
    """Return games with boards that anybody may look at, most players first, from behind a position."""
    return [ListedGame(*row) for row in run_prepared(_GAMES, [only, *before, limit])]


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a player stands on a board at present; `info` and `period` are None for points, `game_id` for all games."""

    game_id: int | None
    info: BoardInfo | None
    period: PeriodInfo | None
    order: Board
    rank: Rank


# The present periods of the boards' own spans: who scored in one is on its board.
_SCORED = """
SELECT s.period_id FROM leaderboards_score s JOIN leaderboards_period q ON q.id = s.period_id
  JOIN leaderboards_leaderboard b ON b.id = q.leaderboard_id
  JOIN accounts_game g ON g.id = b.game_id AND g.archived_at IS NULL
 WHERE s.player_id = $1 AND q.state = 'open' AND b.archived_at IS NULL
 ORDER BY s.reached_at DESC LIMIT $2
"""
_PLAYED = """
SELECT t.game_id FROM achievements_playergame t JOIN accounts_game g ON g.id = t.game_id AND g.archived_at IS NULL
 WHERE t.player_id = $1 ORDER BY t.points DESC, t.game_id LIMIT $2
"""


def stands_of(player_id: int) -> list[Stand]:
    """Return where a player stands: over all games, by points in his games, and by scores in open periods.

    He sees himself also where others don't. Ranks are asked in one round trip; the number of queries does not grow.
    """
    listed = [*_points_boards(player_id), *_own_boards(player_id)]
    orders = [order for *_, order in listed]
    found = dict(zip(orders, standings.ranks(orders, player_id), strict=True))
    scored = [order for order in orders if found[order] is None and order.period_id is not None]
    found |= moderated.own_entries(scored, player_id)
    return [Stand(*about, rank=rank) for about in listed if (rank := found[about[-1]]) is not None]


_About = tuple[int | None, BoardInfo | None, PeriodInfo | None, Board]


def _points_boards(player_id: int) -> list[_About]:
    played = [row[0] for row in run_prepared(_PLAYED, [player_id, MOST_GAMES])]
    return [(game_id, None, None, Board(game_id, None)) for game_id in (None, *played)] if played else []


def _own_boards(player_id: int) -> list[_About]:
    ids = [row[0] for row in run_prepared(_SCORED, [player_id, MOST_SCORES])]
    rows = (
        Period.objects.filter(pk__in=ids).exclude(state=PeriodState.DISCARDED).select_related("leaderboard")
    )
    listed: list[_About] = []
    for row in sorted(rows, key=lambda one: ids.index(one.pk)):
        info = definitions.info_of(row.leaderboard)
        if row.span == info.main_span:
            listed.append((info.game_id, info, periods.info_of(row), info.order(row.pk)))
    return listed
