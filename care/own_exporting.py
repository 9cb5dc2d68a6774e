"""Everything that is kept of a person, for himself: his account, and what each studio has (docs/player-export.md).

One zip file: what is the account's at its top, and a folder for each studio with what that studio would give out.
"""

import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import IO, Any, Final

from accounts import own_data, player_accounts, selectors
from accounts.people import PUBLIC, people
from accounts.selectors import PlayerInfo
from accounts.visitors import Visitor
from care import exporting
from care.exporting import READ_AT_ONCE, Row, Subject
from care.selectors import profile
from core.rendering import dumps
from social import preferences
from social import selectors as social
from social.selectors import FriendInfo
from social.selectors.inboxes import Inbox

SCHEMA: Final = "laurel.own-export/1"
_PERSON = ("id", "display_name")


def write(visitor: Visitor, *, at: datetime) -> IO[bytes]:
    """Return the file, open at its beginning; whoever takes it closes it. Raises Unavailable."""
    return exporting.zipped(partial(_fill, visitor=visitor, at=at))


def _fill(archive: zipfile.ZipFile, *, visitor: Visitor, at: datetime) -> None:
    player = visitor.player
    head = {"schema": SCHEMA, "exported_at": at, **own_data.account(visitor.user, player)}
    archive.writestr("account.json", dumps({**head, "notifications": _choices(player.id)}))
    if (picture := own_data.picture(player)) is not None:
        archive.writestr("picture.webp", picture)
    exporting.add_list(
        archive,
        "devices",
        ("user_agent", "address", "signed_in_at", "seen_at"),
        own_data.devices(visitor.user),
    )
    exporting.add_list(
        archive,
        "sessions",
        ("user_agent", "begun_at", "expires_at", "ended_at"),
        own_data.listening(player.id),
    )
    exporting.add_list(
        archive, "friends", (*_PERSON, "since"), _persons(player.id, social.friends, told=True)
    )
    exporting.add_list(archive, "blocks", (*_PERSON, "since"), _persons(player.id, social.blocks, told=False))
    exporting.add_list(archive, "friend_requests", ("direction", *_PERSON, "asked_at"), _requests(player.id))
    exporting.add_list(archive, "inbox", ("id", "kind", "at", "read_at", "content"), _inbox(player.id))
    for subject in _subjects(player):
        exporting.add_subject(archive, subject, at=at, folder=f"studios/{subject.studio_uuid}/")


def _subjects(player: PlayerInfo) -> Iterator[Subject]:
    for studio_id, studio_uuid, name in player_accounts.studios_of(player.id):
        found = profile.profile(studio_id, player.uuid, selectors.every_game(studio_id))
        if found is not None:
            yield Subject(studio_id, studio_uuid, name, found)


def _choices(player_id: int) -> dict[str, Any]:
    chosen = preferences.preference(player_id)
    return {
        "not_told": sorted(chosen.not_told),
        "not_pushed": sorted(chosen.not_pushed),
        "quiet_minutes": chosen.quiet,
    }


def _persons(player_id: int, page: Callable[..., list[FriendInfo]], *, told: bool) -> Iterator[Row]:
    after = 0
    while rows := page(player_id, after_id=after, limit=READ_AT_ONCE):
        shown = people((row.player_id for row in rows), studio_id=None)
        for row in rows:
            yield (*_person(shown, row.player_id, told=told), row.at)
        after = rows[-1].player_id


def _requests(player_id: int) -> Iterator[Row]:
    for direction in ("incoming", "outgoing"):
        before: int | None = None
        while rows := social.requests(
            player_id, incoming=direction == "incoming", before_id=before, limit=READ_AT_ONCE
        ):
            shown = people((row.player_id for _, row in rows), studio_id=None)
            for _, row in rows:
                yield (direction, *_person(shown, row.player_id, told=direction == "incoming"), row.at)
            before = rows[-1][0]


def _person(shown: dict[int, PlayerInfo], player_id: int, *, told: bool) -> tuple[str, str]:
    """Return who is meant; the name where he is public or told it himself, as lists do (ADR 0028)."""
    info = shown.get(player_id)
    if info is None:
        return "", ""
    return str(info.uuid), info.display_name if told or info.visibility == PUBLIC else ""


def _inbox(player_id: int) -> Iterator[Row]:
    after = 0
    while rows := social.changes(Inbox(player_id), after_seq=after, limit=READ_AT_ONCE):
        for row in rows:
            yield (str(row.uuid), row.kind, row.created_at, row.read_at, row.data)
        after = rows[-1].seq
