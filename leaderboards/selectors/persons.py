"""Where one person stands and what he scored in a studio's games: for who looks after players."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import ngettext

from core import spoken
from core.db import array_literal, run_prepared
from leaderboards.keys import Board
from leaderboards.listing import Rank
from leaderboards.rules import scores as rules
from leaderboards.selectors import ranks, standings


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a player stands on a board; `is_off` says that it shows him to nobody, and the rank is what it would be."""

    board: str
    name: str
    period: str
    format: str
    score: int | float
    rank: int
    total_count: int
    is_tied: bool
    is_exact: bool
    reached_us: int
    is_off: bool


def stands(game_id: int, player_id: int, *, at: datetime) -> list[Stand]:
    """Return where a player stands on the points board and, in the present main periods, on a game's own."""
    found = ranks.of_player(game_id, player_id, at=at, himself=True)
    shown = standings.ranks([one.order for one in found], player_id)
    return [
        Stand(
            board=one.key,
            name=one.name,
            period=one.period.name,
            format=one.info.format if one.info else "number",
            score=_number(
                one.rank.sort_value,
                one.info.sort if one.info else "desc",
                one.info.decimals if one.info else 0,
            ),
            rank=one.rank.rank,
            total_count=one.rank.total_count,
            is_tied=one.rank.tied,
            is_exact=one.rank.exact,
            reached_us=one.rank.reached_us,
            is_off=seen is None,
        )
        for one, seen in zip(found, shown, strict=True)
    ]


def points_rank(game_id: int, player_id: int) -> Rank | None:
    """Return where a player stands on a game's points board; None for one who is not on it."""
    return standings.rank(Board(game_id, None), player_id)


class Scored(NamedTuple):
    """What a player holds in a period of a board."""

    period_id: int
    game_id: int
    board: str
    name: str
    format: str
    span: str
    period: str
    state: str
    score: int | float
    reached_at: datetime
    attempts: int
    metadata: str | None
    event_id: str
    hidden_at: datetime | None
    excluded_at: datetime | None


_SCORED = """
SELECT s.period_id, b.game_id, b.key, b.name, b.format, q.span, q.name, q.state, s.sort_value, b.sort, b.decimals,
       s.reached_at, s.attempts, s.metadata, s.event_id::text, s.hidden_at, s.excluded_at
  FROM leaderboards_score s JOIN leaderboards_period q ON q.id = s.period_id
  JOIN leaderboards_leaderboard b ON b.id = q.leaderboard_id
 WHERE s.player_id = $1 AND s.studio_id = $2 AND b.game_id = ANY($3::bigint[]) AND s.period_id < $4
   AND q.state <> 'discarded'
 ORDER BY s.period_id DESC LIMIT $5
"""
_LAST_PERIOD = 2**63 - 1


def scored(
    studio_id: int, player_id: int, *, game_ids: Collection[int], before_id: int | None = None, limit: int
) -> list[Scored]:
    """Return what a player holds in every period of some games' boards, hidden ones too, the newest period first."""
    until = _LAST_PERIOD if before_id is None else before_id
    rows = run_prepared(_SCORED, [player_id, studio_id, array_literal(game_ids), until, limit])
    return [_scored(*row) for row in rows]


def _scored(*row: Any) -> Scored:
    *about, sort_value, sort, decimals, reached_at, attempts, metadata, event_id, hidden_at, excluded_at = row
    score = _number(sort_value, sort, decimals)
    values = [*about, score, reached_at, attempts, metadata, event_id, hidden_at, excluded_at]
    return Scored(*values)


def _number(sort_value: int, sort: rules.Sort, decimals: int) -> int | float:
    return rules.to_number(rules.sort_value(sort_value, sort=sort), decimals=decimals)


_PLACES = """
SELECT count(*) FILTER (WHERE q.state <> 'final'), count(*) FILTER (WHERE q.state = 'final')
  FROM leaderboards_score s JOIN leaderboards_period q ON q.id = s.period_id
 WHERE s.studio_id = $1 AND s.player_id = $2
"""


def in_numbers(studio_id: int, player_id: int) -> list[str]:
    """Return in words how many scores a studio's boards have of a player, and how many of those are final."""
    counted, final = run_prepared(_PLACES, [studio_id, player_id])[0]
    told = []
    if counted:
        told.append(ngettext("%(n)s score", "%(n)s scores", counted) % {"n": spoken.whole(counted)})
    if final:
        words = ngettext(
            "%(n)s place in final standings, which stays without a name",
            "%(n)s places in final standings, which stay without a name",
            final,
        )
        told.append(words % {"n": spoken.whole(final)})
    return told
