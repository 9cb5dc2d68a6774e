"""How busy a game's leaderboards are."""

from dataclasses import dataclass

from analytics.reading import ask
from analytics.rules.windows import Span
from leaderboards.selectors import definitions


@dataclass(frozen=True, slots=True)
class Row:
    """A board: how many scores changed its main span within some days, and in those before (None: there are none)."""

    key: str
    name: str
    scores: int
    before: int | None


_WITHIN = """
SELECT board_id, sum(scores) FILTER (WHERE day >= $3::date)::bigint, sum(scores) FILTER (WHERE day < $3::date)::bigint
  FROM analytics_boardday WHERE game_id = $1 AND day BETWEEN $2::date AND $4::date GROUP BY board_id
"""


def rows(game_id: int, span: Span) -> list[Row]:
    """Return a game's own boards, busiest first; the board of points follows unlocks and is none of them."""
    before = span.before()
    since = before.since if before else span.since
    counted = {row[0]: row[1:] for row in ask(_WITHIN, [game_id, since, span.since, span.until])}
    found = []
    for board in definitions.boards(game_id).values():
        within, earlier = counted.get(board.id, (0, 0))
        found.append(Row(board.key, board.name, within or 0, (earlier or 0) if before else None))
    return sorted(found, key=lambda row: (-row.scores, row.name, row.key))
