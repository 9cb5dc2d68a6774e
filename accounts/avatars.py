"""Pictures that players upload of themselves: drawn anew, stored under the name of their content, and then named.

What is stored and not named (replaced, or because something failed in between) goes by itself.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from accounts import own_settings
from accounts.models import Avatar
from core import media, shifts
from core.artwork import LARGE, MEDIA, SMALL
from core.db import lend_back, run_prepared
from core.pictures import drawing
from core.pictures.painting import painted

_FOLDER: Final = "avatars/"
KEPT_UNNAMED: Final = timedelta(hours=1)  # longer than an upload takes from its row to its name
_SWEPT_AT_ONCE: Final = 200


def file(folder: UUID, digest: str, side: int) -> str:
    """Return the name of a picture's file in the store."""
    return f"{_FOLDER}{folder}/{digest}-{side}.webp"


def upload(player_id: int, body: bytes, *, at: datetime) -> None:
    """Give a player a picture: PNG, JPEG or WebP, at most 512 KiB and 1024 pixels a side.

    Raises:
        UnusablePicture, Refused `payload-too-large`: the file is not taken; it says why and what to do.
        Unavailable: the store does not answer, or many are uploaded right now.

    """
    drawn = painted(drawing.draw_filling, body)
    row = Avatar.objects.create(player_id=player_id, digest=drawn.digest, created_at=at)
    lend_back()
    for side, content in drawn.files.items():
        media.put(file(row.uuid, row.digest, side), content)
    url = media.absolute(MEDIA + file(row.uuid, row.digest, LARGE))
    own_settings.change(player_id, {"avatar_url": url})


# Whom a picture was of may be erased, or another one by now: what counts is whether anybody is shown by it.
_UNNAMED = """
SELECT a.id, a.uuid, a.digest FROM accounts_avatar a
 WHERE a.created_at < $1
   AND NOT EXISTS (SELECT FROM accounts_player p
                    WHERE p.id = a.player_id AND p.avatar_url LIKE '%/' || a.uuid || '/' || a.digest || '-%')
 ORDER BY a.id LIMIT $2
"""


def of(player_ids: Iterable[int]) -> list[Avatar]:
    """Return all pictures that players uploaded and that are still stored."""
    return list(Avatar.objects.filter(player_id__in=list(player_ids)).order_by("pk"))


def remove(rows: Collection[Avatar]) -> int:
    """Remove pictures, their files first; return how many. Raises Unavailable."""
    for row in rows:
        for side in (LARGE, SMALL):
            media.remove(file(row.uuid, row.digest, side))
    Avatar.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def sweep(*, at: datetime) -> int:
    """Remove the pictures by which nobody is shown; return how many. Raises Unavailable; the rest goes next time."""
    gone = 0
    while not shifts.is_over() and (rows := run_prepared(_UNNAMED, [at - KEPT_UNNAMED, _SWEPT_AT_ONCE])):
        gone += remove([Avatar(pk=pk, uuid=folder, digest=digest) for pk, folder, digest in rows])
    return gone
