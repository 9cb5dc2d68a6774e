"""Every write of icons: a picture is drawn anew, stored under the name of its content, and only then named.

What is stored and not named, because something failed in between or because nothing names it any more, goes by itself.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.selectors import GameInfo
from achievements import icons
from achievements.models import Icon
from achievements.selectors import definitions as catalogues
from achievements.selectors import icons as selectors
from achievements.selectors.definitions import Definition
from achievements.services import definitions
from achievements.services.versions import Author, Source
from core import audit, media, shifts
from core.artwork import LARGE
from core.db import lend_back
from core.pictures import drawing
from core.pictures.drawing import Drawn
from core.pictures.painting import painted
from core.refusals import Conflict, Invalid, NotFound

MOST_ICONS = 5_000
KEPT_UNNAMED = timedelta(days=14)  # pages, caches and edits that wait may still show it
_SWEPT_AT_ONCE = 2  # while its locks hold every listener back, files go from a store that may be far away


class OtherPlace(Conflict):
    """The icon lies with somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "The achievement has no uploaded icon that could be made grey: upload its picture first."
        )


def upload(
    *, game: GameInfo, key: str, body: bytes, actor: str, at: datetime, locked: bytes | None = None
) -> Definition:
    """Give an achievement an icon, with a grey one for while it is locked unless a file for that is given too.

    Raises:
        NotFound: the game has no such achievement.
        UnusablePicture, Refused `payload-too-large`: a file is not taken; it says why and what to do.
        Invalid: the game has too many icons.
        Unavailable: the store does not answer.

    """
    _require(game, key)
    urls = drawn_anew(game=game, body=body, locked=locked, at=at)
    return _name(game, key, urls, "achievement.icon", actor=actor, at=at)


def upload_locked(*, game: GameInfo, key: str, body: bytes, actor: str, at: datetime) -> Definition:
    """Give an achievement an icon of its own for while it is locked. Raises as `upload` does."""
    _require(game, key)
    urls = drawn_anew(game=game, body=None, locked=body, at=at)
    return _name(game, key, urls, "achievement.icon", actor=actor, at=at)


def remove(*, game: GameInfo, key: str, actor: str, at: datetime, only_locked: bool = False) -> Definition:
    """Leave an achievement without an icon, or without one for while it is locked. Raises NotFound."""
    urls = {"icon_locked_url": ""} if only_locked else {"icon_url": "", "icon_locked_url": ""}
    return _name(game, key, urls, "achievement.remove_icon", actor=actor, at=at)


def drawn_anew(*, game: GameInfo, body: bytes | None, locked: bytes | None, at: datetime) -> dict[str, str]:
    """Draw and store pictures, and return by field what addresses they have; nothing names them yet.

    `locked` is for while it is locked: without it `body` in grey. Without `body` the other one stays.
    Raises as `upload` does.
    """
    drawn = {}
    if body is not None:
        drawn["icon_url"] = painted(drawing.draw, body)
    if locked is not None:
        drawn["icon_locked_url"] = painted(drawing.draw, locked)
    elif body is not None:
        drawn["icon_locked_url"] = painted(drawing.draw_grey, body)
    return {name: _store(game, one, at=at) for name, one in drawn.items()}


def grey_of(*, game: GameInfo, icon_url: str, at: datetime) -> str:
    """Draw an icon of the game in grey, and return its address; nothing names it yet.

    Raises:
        OtherPlace: the icon was not uploaded here.
        Unavailable: the store does not answer.

    """
    digest = icons.digest_in(icon_url, game.uuid)
    body = None if digest is None else media.get(icons.file(game.uuid, digest, LARGE))
    if body is None:
        raise OtherPlace
    return _store(game, painted(drawing.draw_grey, body), at=at)


def _require(game: GameInfo, key: str) -> Definition:
    found = catalogues.fresh_catalogue(game.id).by_key.get(key)
    if found is None:
        raise NotFound("The game has no such achievement.")
    return found


def _store(game: GameInfo, drawn: Drawn, *, at: datetime) -> str:
    """Store a picture's files and return its address; the row comes first, so that nothing is stored unknown.

    The row is also what keeps the sweep away from files that are just being named again.
    """
    digest = drawn.digest
    if Icon.objects.filter(game_id=game.id).count() >= MOST_ICONS:
        raise Invalid(
            f"The game has {MOST_ICONS:,} icons, those of earlier versions included: name one of them by its address."
        )
    Icon.objects.update_or_create(
        game_id=game.id,
        digest=digest,
        defaults={"unnamed_since": at},
        create_defaults={
            "unnamed_since": at,
            "created_at": at,
            "contrast_light": drawn.contrast["light"],
            "contrast_dark": drawn.contrast["dark"],
        },
    )
    lend_back()
    for side, body in drawn.files.items():
        media.put(icons.file(game.uuid, digest, side), body)
    return media.absolute(icons.url(game.uuid, digest))


def _name(
    game: GameInfo, key: str, urls: dict[str, Any], action: str, *, actor: str, at: datetime
) -> Definition:
    source = Source.PORTAL if actor.startswith("user:") else Source.API
    with transaction.atomic():
        changed = definitions.update(game=game, key=key, values=urls, by=Author(actor, at, source))
        audit.record(
            studio_id=game.studio_id,
            actor=actor,
            action=action,
            kind="achievement",
            object_id=changed.uuid,
            reason="",
            at=at,
            details={"game": str(game.uuid), "key": key, **urls},
        )
    return changed


def sweep(*, at: datetime) -> int:
    """Remove what nothing has named for KEPT_UNNAMED; return how many icons that were.

    Raises:
        Unavailable: the store does not answer; what is left goes the next time.

    """
    for game_id in Icon.objects.values_list("game_id", flat=True).distinct().order_by("game_id"):
        _mark(game_id, at=at)
    gone = 0
    while not shifts.is_over() and (done := _sweep_some(at=at)):
        gone += done
    return gone


def _mark(game_id: int, *, at: datetime) -> None:
    """Note of a game's icons since when nothing names them."""
    named = selectors.named_digests(game_id)
    rows = Icon.objects.filter(game_id=game_id)
    rows.filter(digest__in=named, unnamed_since__isnull=False).update(unnamed_since=None)
    rows.filter(unnamed_since=None).exclude(digest__in=named).update(unnamed_since=at)


def _sweep_some(*, at: datetime) -> int:
    """Remove some icons with their files; an upload of the same picture waits for it, and stores it anew."""
    with transaction.atomic():
        rows = (
            Icon.objects.filter(unnamed_since__lt=at - KEPT_UNNAMED)
            .select_related("game")
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("id")[:_SWEPT_AT_ONCE]
        )
        going = list(rows)
        _remove_files(going)
        Icon.objects.filter(pk__in=[row.pk for row in going]).delete()
    return len(going)


def _remove_files(rows: Iterable[Icon]) -> None:
    for row in rows:
        for side in icons.SIDES:
            media.remove(icons.file(row.game.uuid, row.digest, side))
