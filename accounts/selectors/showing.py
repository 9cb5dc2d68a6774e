"""Many players at once, as lists, boards and a studio's past show them."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from accounts.models import Visibility
from accounts.selectors.players import joined_players
from core.db import array_literal, run_prepared

_Shown = TypeVar("_Shown")


def _with_joined(
    found: dict[int, _Shown], ids: Collection[int], look_up: Callable[[Collection[int]], dict[int, _Shown]]
) -> dict[int, _Shown]:
    """Let who is missing since he was joined be shown as whom he is."""
    missing = [player_id for player_id in ids if player_id not in found]
    joined = joined_players(missing)
    if joined:
        others = look_up(set(joined.values()))
        found |= {gone: others[into] for gone, into in joined.items() if into in others}
    return found


# A board's page shows a thousand players: one prepared statement, and values as they are shown.
_PLAYERS_SHOWN = """
    SELECT p.id, p.uuid::text, p.display_name, p.region, p.avatar_url
      FROM accounts_player p WHERE p.id = ANY($1::bigint[])
"""
_PLAYERS_SHOWN_TO_STUDIO = """
    SELECT p.id, p.uuid::text, p.display_name, p.region, p.avatar_url, i.external_id
      FROM accounts_player p LEFT JOIN accounts_playeridentity i ON i.player_id = p.id AND i.studio_id = $2
     WHERE p.id = ANY($1::bigint[]) ORDER BY i.id DESC
"""


def players_shown(ids: Iterable[int], *, studio_id: int | None = None) -> dict[int, dict[str, str]]:
    """Return players by internal id as lists of the API show them; `external_id` only to `studio_id`.

    Who was joined to another is shown as the other.
    """
    listed = list(ids)
    return _with_joined(_shown(listed, studio_id), listed, lambda others: _shown(others, studio_id))


def _shown(ids: Iterable[int], studio_id: int | None) -> dict[int, dict[str, str]]:
    if studio_id is None:
        rows = run_prepared(_PLAYERS_SHOWN, [array_literal(ids)])
    else:
        rows = run_prepared(_PLAYERS_SHOWN_TO_STUDIO, [array_literal(ids), studio_id])
    shown = {
        row[0]: {"id": row[1], "display_name": row[2], "region": row[3], "avatar_url": row[4]} for row in rows
    }
    if studio_id is not None:
        for row in rows:  # of several ids the first that the studio gave comes last
            if row[5] is not None:
                shown[row[0]]["external_id"] = row[5]
    return shown


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a studio's past is about.

    Attributes:
        external_id: the first that the studio gave.
        was: of a player who was joined to another, who is named here, his own UUID.

    """

    id: str
    external_id: str
    was: str | None = None


_NAMED = """
    SELECT w.id, p.uuid::text, i.external_id, j.uuid::text
      FROM unnest($1::bigint[]) AS w (id)
      LEFT JOIN accounts_joinedplayer j ON j.player_id = w.id
      JOIN accounts_player p ON p.id = coalesce(j.into_id, w.id) AND p.erased_at IS NULL
      JOIN LATERAL (SELECT external_id FROM accounts_playeridentity x
                     WHERE x.player_id = p.id AND x.studio_id = $2 ORDER BY x.id LIMIT 1) AS i ON true
"""


def players_named(ids: Iterable[int], *, studio_id: int) -> dict[int, Named]:
    """Return players by internal id as a studio names them, in one query; whom it erased is left out."""
    wanted = set(ids)
    rows = run_prepared(_NAMED, [array_literal(wanted), studio_id]) if wanted else []
    return {row[0]: Named(*row[1:]) for row in rows}


_PLAYERS_ON_BOARDS = """
    SELECT p.id, p.uuid::text, p.display_name, p.region, p.avatar_url, i.external_id,
           p.visibility = 'public' OR p.visibility = $3::text
      FROM accounts_player p LEFT JOIN accounts_playeridentity i ON i.player_id = p.id AND i.studio_id = $2
     WHERE p.id = ANY($1::bigint[]) ORDER BY i.id DESC
"""
_NOBODY = {"id": None, "display_name": "", "avatar_url": ""}


def players_on_boards(
    ids: Iterable[int], *, studio_id: int | None = None, by_friends: bool = False
) -> dict[int, dict[str, str | None]]:
    """Return players by internal id as boards show them: who is not to be seen keeps a nameless place.

    A studio sees those whom it names, with its ids; friends (`by_friends`) see each other unless they are private. Who
    was joined to another is shown as the other.
    """
    listed = list(ids)

    def look_up(wanted: Iterable[int]) -> dict[int, dict[str, str | None]]:
        return _on_boards(wanted, studio_id=studio_id, by_friends=by_friends)

    return _with_joined(look_up(listed), listed, look_up)


def _on_boards(
    ids: Iterable[int], *, studio_id: int | None, by_friends: bool
) -> dict[int, dict[str, str | None]]:
    visibility = Visibility.FRIENDS if by_friends else Visibility.PUBLIC
    rows = run_prepared(_PLAYERS_ON_BOARDS, [array_literal(ids), studio_id, visibility.value])
    shown: dict[int, dict[str, str | None]] = {}
    for pk, uuid, name, region, avatar_url, external_id, is_seen in rows:
        if external_id is None and not is_seen:
            shown[pk] = {**_NOBODY, "region": region}
            continue
        shown[pk] = {"id": uuid, "display_name": name, "region": region, "avatar_url": avatar_url}
        if external_id is not None:  # of several ids the first that the studio gave comes last
            shown[pk]["external_id"] = external_id
    return shown
