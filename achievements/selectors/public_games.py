"""The games that players see: of studios that have not put them away, with anything published."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from core.db import run_prepared

SHOWN: Final = 24
LONGEST_SEARCH: Final = 100


@dataclass(frozen=True, slots=True)
class PublicGame:
    """A game as the list shows it; what the reader has unlocked is None where he has not played it."""

    uuid: UUID
    title: str
    studio: str
    available: int
    players: int
    unlocked: int | None = None

    @property
    def percent(self) -> float:
        """The share that the reader has unlocked, 0 to 100."""
        return 100 * min(self.unlocked or 0, self.available) / self.available


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list; `after` is where the next one begins, None after the last."""

    games: tuple[PublicGame, ...] = field(default=())
    after: tuple[int, int, int] | None = None


# The reader's own come first, the one played last before the others; then those with the most players.
_GAMES = """
WITH listed AS (
    SELECT g.id, g.uuid, g.title, s.name AS studio, coalesce(p.players, 0) AS players,
           coalesce((extract(epoch FROM mine.last_unlock_at) * 1000000)::bigint, 0) AS mine_us, mine.unlocked
      FROM accounts_game g
      JOIN accounts_studio s ON s.id = g.studio_id
      LEFT JOIN achievements_gameplayers p ON p.game_id = g.id
      LEFT JOIN achievements_playergame mine ON mine.game_id = g.id AND mine.player_id = $1 AND mine.unlocked > 0
     WHERE g.archived_at IS NULL
       AND ($2 = '' OR strpos(lower(g.title), lower($2::text)) > 0 OR strpos(lower(s.name), lower($2::text)) > 0)
       AND EXISTS (SELECT FROM achievements_achievement a WHERE a.game_id = g.id AND a.state = 'published')
), page AS (
    SELECT * FROM listed
     WHERE $3::bigint IS NULL OR (-mine_us, -players, id) > ($3::bigint, $4::bigint, $5::bigint)
     ORDER BY -mine_us, -players, id LIMIT $6)
SELECT uuid, title, studio,
       (SELECT count(*) FROM achievements_achievement a WHERE a.game_id = page.id AND a.state = 'published'),
       players, unlocked, -mine_us, -players, id
  FROM page ORDER BY -mine_us, -players, id
"""


def page(*, player_id: int | None, text: str, after: tuple[int, int, int] | None, limit: int = SHOWN) -> Page:
    """Return a page of the games whose title or studio has a text, the reader's own first; in one query."""
    position = after or (None, None, None)
    rows = run_prepared(_GAMES, [player_id or 0, text, *position, limit + 1])
    listed = rows[:limit]
    return Page(
        tuple(PublicGame(*row[:6]) for row in listed),
        tuple(listed[-1][6:]) if len(rows) > limit else None,
    )
