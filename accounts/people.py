"""Other players, as a caller may see them: found by a name, or many at once."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from accounts import selectors
from accounts.models import Visibility
from accounts.selectors import PlayerInfo
from core.db import array_literal, run_prepared
from core.ids import parse_id

PUBLIC, FRIENDS, PRIVATE = Visibility.PUBLIC.value, Visibility.FRIENDS.value, Visibility.PRIVATE.value
_NARROWER = (PUBLIC, FRIENDS, PRIVATE)

# Of several ids the first that the studio gave; a ban is noted at all of them.
_PEOPLE = """
    SELECT p.id, p.uuid, p.display_name, p.region, p.avatar_url, p.visibility, p.time_zone,
           x.external_id, x.banned_at IS NOT NULL, p.erased_at IS NOT NULL, NULL::timestamptz,
           p.games_visibility, p.feed_visibility, p.presence_visibility, p.language
      FROM accounts_player p
      LEFT JOIN LATERAL (SELECT i.external_id, i.banned_at FROM accounts_playeridentity i
                          WHERE i.player_id = p.id AND i.studio_id = $2 ORDER BY i.id LIMIT 1) AS x ON true
     WHERE p.id = ANY($1::bigint[])
"""


def people(ids: Iterable[int], *, studio_id: int | None) -> dict[int, PlayerInfo]:
    """Return players by internal id, in one query; `external_id` and `banned` are the asking studio's, if any."""
    return {row[0]: PlayerInfo(*row) for row in run_prepared(_PEOPLE, [array_literal(ids), studio_id])}


# In the order of the index: what is read is what is answered.
_CALLED = """
    SELECT p.id, p.uuid, p.display_name, p.region, p.avatar_url, p.visibility, p.time_zone, NULL, false, false,
           NULL::timestamptz, p.games_visibility, p.feed_visibility, p.presence_visibility, p.language
      FROM accounts_player p
     WHERE p.display_name <> '' AND lower(p.display_name) ~>=~ lower($1::text)
       AND lower(p.display_name) ~<~ lower($2::text) AND p.visibility = 'public' AND p.erased_at IS NULL
     ORDER BY lower(p.display_name) USING ~<~ LIMIT $3
"""
_LAST = "\U0010ffff"  # behind every character that a name may hold


def called(text: str, *, limit: int) -> list[PlayerInfo]:
    """Return public players whose names begin with a text, by name, in one query; nobody for an empty one."""
    text = text.strip()
    if not text or not text.isprintable():
        return []
    return [PlayerInfo(*row) for row in run_prepared(_CALLED, [text, text + _LAST, limit])]


def shown(info: PlayerInfo, *, to_studio: bool) -> dict[str, str]:
    """Return a player as lists of the API show him; his studio's id for him only to a studio that has one."""
    player = {
        "id": str(info.uuid),
        "display_name": info.display_name,
        "region": info.region,
        "avatar_url": info.avatar_url,
    }
    if to_studio and info.external_id is not None:
        player["external_id"] = info.external_id
    return player


def found(name: str, *, studio_id: int | None) -> PlayerInfo | None:
    """Return whoever `name` means to a studio: anybody by `id:<uuid>`, its own players by its ids; None: nobody."""
    if name.startswith("id:"):
        uuid = parse_id(name[3:])
        return None if uuid is None else selectors.player_by_uuid(uuid, studio_id=studio_id, known=False)
    # What can't be anybody's id is not looked up: PostgreSQL would refuse some of it.
    return selectors.player_of_studio(studio_id, name) if studio_id and name.isprintable() else None


class Part(StrEnum):
    """What of a player is to be seen; nothing of him is seen by more people than his profile."""

    PROFILE = "profile"
    GAMES = "games"
    FEED = "feed"
    PRESENCE = "presence"


def visibility(info: PlayerInfo, part: Part) -> str:
    """Return who sees a part of a player: what he chose for it, or for his profile if those are fewer people."""
    chosen = info.visibility if part is Part.PROFILE else getattr(info, f"{part}_visibility")
    return max(info.visibility, chosen, key=_NARROWER.index)


def sees(info: PlayerInfo, *, by: int | None, part: Part = Part.PROFILE) -> bool:
    """Say whether (a part of) a player may be seen by another, or (None) by the studio whose id for him `info` holds.

    Who is whose friend is known downstream: config says which function to ask.
    """
    return _asked()(info, by=by, part=part)


@cache
def _asked() -> Callable[..., bool]:
    asked: Callable[..., bool] = import_string(settings.PLAYER_SIGHT)
    return asked
