"""What anybody finds on the player site: games by a part of their title, and those players whom he may see by name.

Who is not to be seen is in no row that is read, so that neither what is found nor how much of it tells of him.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from core.db import array_literal, run_prepared
from social import selectors

SHORTEST: Final = 2
LONGEST: Final = 128
MOST_LOOKED_AT: Final = 500  # of a kind; a longer text finds fewer
_LAST = "\U0010ffff"  # behind every character that a name may hold
# What has no three letters or digits in a row has no trigram: it is taken as the beginning of a name.
_PART: Final = re.compile(r"[^\W_]{3}")

T = TypeVar("T", bound="Hit")


class Hit(NamedTuple):
    """Something found; `note` stands below its title."""

    id: int
    uuid: UUID
    title: str
    note: str
    picture: str = ""

    @property
    def display_name(self) -> str:
        """The title, as a portrait reads it."""
        return self.title

    @property
    def avatar_url(self) -> str:
        """The picture, as a portrait reads it."""
        return self.picture


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits, those whose title is the text or begins with it first.

    Attributes:
        after: where the next page begins, `(class, internal id)`; None at the end.
        is_cut: more fit than were looked at.

    """

    hits: tuple[Hit, ...] = ()
    after: tuple[int, int] | None = None
    is_cut: bool = False


_GAMES = """
SELECT g.id, g.uuid, g.title, s.name FROM accounts_game g JOIN accounts_studio s ON s.id = g.studio_id
 WHERE g.archived_at IS NULL AND g.title ILIKE $1::text
   AND EXISTS (SELECT FROM achievements_achievement a WHERE a.game_id = g.id AND a.state = 'published')
 ORDER BY g.id DESC LIMIT $2
"""
# By the visitor's own eyes: himself, friends who show themselves to friends, and who is public; nobody of a block.
_FORM_OF_PLAYERS = """
SELECT p.id, p.uuid, p.display_name, p.region, p.avatar_url FROM accounts_player p
 WHERE p.display_name <> '' AND {fit} AND p.erased_at IS NULL
   AND (p.visibility = 'public' OR p.id = $1 OR (p.visibility = 'friends' AND p.id = ANY($2::bigint[])))
   AND NOT EXISTS (SELECT FROM social_block b
                    WHERE (b.player_id, b.blocked_id) IN ((p.id, $1), ($1, p.id)))
 ORDER BY {order} LIMIT $3
"""
_BY_PART = _FORM_OF_PLAYERS.format(fit="p.display_name ILIKE $4::text", order="p.id DESC")
_BY_BEGINNING = _FORM_OF_PLAYERS.format(
    fit="lower(p.display_name) ~>=~ lower($4::text) AND lower(p.display_name) ~<~ lower($5::text)",
    order="lower(p.display_name) USING ~<~",
)


def games(text: str, *, after: tuple[int, int] | None = None, limit: int) -> Found:
    """Return games whose title holds a text, of studios that have not put them away, with anything published."""
    rows = run_prepared(_GAMES, [f"%{_escaped(text)}%", MOST_LOOKED_AT + 1])
    return _page([Hit(*row) for row in rows], text, after=after, limit=limit)


def players(text: str, *, by: int | None, after: tuple[int, int] | None = None, limit: int) -> Found:
    """Return players whose name holds a text and whom a player (None: anybody) may see; by no studio's id."""
    friends = selectors.friend_ids(by) if by is not None else []
    common: list[Any] = [by or 0, array_literal(friends), MOST_LOOKED_AT + 1]
    if _PART.search(text):
        rows = run_prepared(_BY_PART, [*common, f"%{_escaped(text)}%"])
    else:
        rows = run_prepared(_BY_BEGINNING, [*common, text, text + _LAST])
    return _page([Hit(*row) for row in rows], text, after=after, limit=limit)


def clean(text: str) -> str:
    """Return a search's text; empty for one that can't be anything's name."""
    stripped = text.strip()
    return stripped if stripped.isprintable() and len(stripped) <= LONGEST else ""


def _page(hits: Sequence[Hit], text: str, *, after: tuple[int, int] | None, limit: int) -> Found:
    is_cut, wanted = len(hits) > MOST_LOOKED_AT, text.casefold()
    place = _placed(wanted)
    ordered = sorted(hits[:MOST_LOOKED_AT], key=place)
    behind = [one for one in ordered if after is None or place(one) > after]
    shown = tuple(behind[:limit])
    more = len(behind) > limit
    return Found(shown, place(shown[-1]) if more else None, is_cut)


def _placed(wanted: str) -> Callable[[Hit], tuple[int, int]]:
    """Return what hits are sorted by: those that are the text, that begin with it, and the others; the newest first."""

    def place(hit: Hit) -> tuple[int, int]:
        title = hit.title.casefold()
        return (0 if title == wanted else 1 if title.startswith(wanted) else 2), -hit.id

    return place


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
