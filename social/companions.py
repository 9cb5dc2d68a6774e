"""What stands on a player's page of friends: each list bounded, each in a fixed number of queries."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.urls import Resolver404, resolve

from accounts import people
from accounts import selectors as accounts
from accounts.people import PRIVATE, PUBLIC, Part
from accounts.selectors import PlayerInfo
from achievements.selectors.circles import Place
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.spoken import NAMELESS
from social import profiles, selectors
from social.page_models import Person
from social.profile_models import Cut, FriendRow, NewsRow, PersonRow, Seen, Standing
from social.selectors import between, feed, seeing, summaries
from social.selectors.seeing import Asker

SHOWN_FRIENDS = 50
SHOWN_OTHERS = 20
SHOWN_NEWS = 20
FOUND = 10


def friends(player_id: int, *, cursor: str | None, at: datetime) -> tuple[Cut, int]:
    """Return a page of a player's friends and how many there are; in nine queries, be they one or 500.

    Who plays comes first, then who is there, then the others; each by name. Raises Malformed for a strange cursor.
    """
    kind = f"friends page {player_id}"
    ids = selectors.friend_ids(player_id)
    infos = _living(ids)
    shown = {pk: one for pk, one in infos.items() if one.visibility != PRIVATE}
    present = profiles.seen(shown.values(), at=at)
    places = {pk: _place(one, present.get(pk)) for pk, one in infos.items()}
    after = tuple(decode_cursor(kind, cursor)) if cursor is not None else ()
    listed = sorted((pk for pk in infos if not after or places[pk] > after), key=places.__getitem__)
    page = listed[:SHOWN_FRIENDS]
    sums = summaries.overall([pk for pk in page if Part.GAMES in seeing.parts_for(infos[pk], friend=True)])
    rows = tuple(
        FriendRow(
            person=profiles.person(infos[pk]),
            is_private=pk not in shown,
            seen=present.get(pk),
            points=sums[pk].points if pk in sums else None,
            last_unlock_at=sums[pk].last_unlock_at if pk in sums else None,
        )
        for pk in page
    )
    goes_on = len(listed) > len(page)
    return Cut(rows, encode_cursor(kind, list(places[page[-1]])) if goes_on else None), len(infos)


def _place(info: PlayerInfo, seen: Seen | None) -> tuple[int, str, int]:
    """Return where a friend stands in the list."""
    group = 2 if seen is None or not seen.is_online else 0 if seen.game_id else 1
    return group, info.display_name.casefold(), info.id


def requests(player_id: int, *, incoming: bool, cursor: str | None) -> Cut:
    """Return a page of open requests, newest first, in two queries. Raises Malformed for a strange cursor."""
    kind = f"friend requests page {incoming} {player_id}"
    before = decode_cursor(kind, cursor)[0] if cursor is not None else None
    found = selectors.requests(player_id, incoming=incoming, before_id=before, limit=SHOWN_OTHERS + 1)
    listed = found[:SHOWN_OTHERS]
    infos = _living(one.player_id for _, one in listed)
    standing: Standing = "received" if incoming else "sent"
    rows = tuple(  # who asks says who he is
        PersonRow(_named(info, is_told=incoming), standing, one.at, is_seen=info.visibility == PUBLIC)
        for _, one in listed
        if (info := infos.get(one.player_id)) is not None
    )
    goes_on = len(found) > len(listed)
    return Cut(rows, encode_cursor(kind, [listed[-1][0]]) if goes_on else None)


def blocks(player_id: int, *, cursor: str | None) -> Cut:
    """Return a page of those whom a player blocks, in two queries. Raises Malformed for a strange cursor."""
    kind = f"blocks page {player_id}"
    after = decode_cursor(kind, cursor)[0] if cursor is not None else 0
    found = selectors.blocks(player_id, after_id=after, limit=SHOWN_OTHERS + 1)
    listed = found[:SHOWN_OTHERS]
    infos = _living(one.player_id for one in listed)
    rows = tuple(
        PersonRow(_named(info), "blocks", one.at, is_seen=False)
        for one in listed
        if (info := infos.get(one.player_id)) is not None
    )
    goes_on = len(found) > len(listed)
    return Cut(rows, encode_cursor(kind, [listed[-1].player_id]) if goes_on else None)


def news(player_id: int, *, cursor: str | None, language: str | None) -> Cut:
    """Return a page of what friends unlocked, newest first, in six queries. Raises Malformed for a strange cursor."""
    kind = f"news page {player_id}"
    after = None if cursor is None else Place(*decode_cursor(kind, cursor))
    asker = Asker(None, player_id)
    found = feed.feed(player_id, asker=asker, language=language, after=after, limit=SHOWN_NEWS)
    rows = tuple(
        NewsRow(
            person=Person(
                UUID(row["player"]["id"]),
                row["player"]["display_name"] or NAMELESS,
                row["player"]["region"],
                row["player"]["avatar_url"],
            ),
            game_id=UUID(row["game_id"]),
            game_title=row["game"],
            key=row["achievement"]["key"] or "",
            name=row["achievement"]["name"] or "Hidden achievement",
            icon_url=row["achievement"]["icon_url"],
            points=row["points"],
            unlocked_at=row["unlocked_at"],
        )
        for row in found.rows
    )
    return Cut(rows, found.after and encode_cursor(kind, list(found.after)))


def _named(info: PlayerInfo, *, is_told: bool = False) -> Person:
    """Return who a row is about: nobody learns the name of whom he may not see by asking or blocking him."""
    if is_told or info.visibility == PUBLIC:
        return profiles.person(info)
    return Person(info.uuid, "A player who hides", "", "")


def _living(ids: Iterable[int]) -> dict[int, PlayerInfo]:
    found = people.people(list(ids), studio_id=None)
    return {pk: info for pk, info in found.items() if not info.erased}


def found(player_id: int, text: str) -> tuple[PersonRow, ...]:
    """Return whom a player means by a text, in four queries: a profile's address or id, or how a name begins.

    By name whoever is public is found; by an address also whoever may be asked, namelessly if he may not be seen.
    Blocked ones are not found, nor who blocks the player, nor the player himself.
    """
    named = _by_address(text)
    infos = people.called(text, limit=2 * FOUND) if named is None else [named]
    infos = [one for one in infos if one.id != player_id]
    ids = [one.id for one in infos]
    away, known = between.blocked(player_id, ids), between.between(player_id, ids)
    rows = []
    for info in infos:
        seen = info.id not in away and (named is None or seeing.sees(info, by=player_id))
        is_meant = seen or (named is not None and may_be_asked(player_id, info))
        if is_meant and not known[info.id].blocks:
            who = profiles.person(info) if seen else Person(info.uuid, "Whoever this address is of", "", "")
            rows.append(PersonRow(who, profiles.standing_of(known[info.id]), is_seen=seen))
    return tuple(rows[:FOUND])


def _by_address(text: str) -> PlayerInfo | None:
    uuid = parse_id(text.strip().removeprefix("id:"))
    try:
        parts = urlsplit(text.strip()) if len(text) <= 300 else urlsplit("")
    except ValueError:
        return None
    if uuid is None and (parts.path.startswith("/players/") and _is_ours(parts.netloc)):
        try:
            uuid = resolve(parts.path).kwargs.get("player_id")
        except Resolver404:
            return None
    return None if uuid is None else accounts.player_by_uuid(uuid)


def _is_ours(netloc: str) -> bool:
    return netloc in ("", urlsplit(settings.PUBLIC_URL).netloc)


def may_be_asked(player_id: int, info: PlayerInfo) -> bool:
    """Say whether a player may ask another to be friends: as the API does it."""
    if info.erased:
        return False
    return info.visibility != PRIVATE or selectors.may_be_found(player_id, info.id)


def is_known(player_id: int, other: PlayerInfo) -> bool:
    """Say whether a player may know that another one exists: no deed tells him of anybody else."""
    if other.id == player_id or may_be_asked(player_id, other):
        return True
    return not other.erased and between.between(player_id, [other.id])[other.id].blocks
