"""A public player's card, badge and feed, as other sites fetch them: the same for everybody, whoever is signed in."""

import hashlib
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.people import Part
from core import clock, lettering, media
from core.db import lend_back
from core.endpoint import etag_of
from core.public_pages import WITHDRAWABLE
from core.refusals import Unavailable
from social import badge as badges
from social import card as cards
from social import keys, sharing
from social.pages.seen import public_player

FIGURES: Final = (Part.PROFILE, Part.GAMES)
CARD_KEPT_S: Final = 24 * 3600
CARD_FRESH_S: Final = 60
_DRAWN_WITHIN_S: Final = 2.0  # how long a request waits for another one's drawing


@require_safe
def card(request: HttpRequest, player_id: UUID) -> HttpResponse:
    """Answer a player's card as of a minute ago at most; that he is public, and his name, are read each time."""
    info, host = public_player(player_id, *FIGURES), urlsplit(settings.PUBLIC_URL).netloc
    whose = _hash(cards.VERSION, host, info.uuid, info.display_name, info.region, info.avatar_url)
    found: tuple[str, bytes] | None = _kept(whose)
    if found is None:
        shared = sharing.shared(info, with_rarest=True, at=clock.now())
        digest = _hash(cards.VERSION, host, shared)
        lend_back()  # the store may take its time, and nobody's connection waits for it
        picture = media.get(shared.picture) if shared.picture else None
        found = digest, _drawn(digest, lambda: cards.png(shared, host=host, picture=picture))
        cache.set(keys.card_of(whose), digest, CARD_FRESH_S)
    digest, body = found
    return _answer(request, body, f'"{digest}"', "image/png")


def _hash(*values: object) -> str:
    return hashlib.blake2b(repr(values).encode(), digest_size=16).hexdigest()


def _kept(whose: str) -> tuple[str, bytes] | None:
    digest = cache.get(keys.card_of(whose))
    body = None if digest is None else cache.get(keys.card(digest))
    return None if body is None else (digest, body)


def _drawn(digest: str, draw: Callable[[], bytes]) -> bytes:
    """Return a card that was drawn, or draw it: one at a time in a process, since each takes a core for a moment.

    Raises Unavailable to who would wait long.
    """
    name = keys.card(digest)
    found: bytes | None = cache.get(name)
    if found is None:
        if not lettering.lock.acquire(timeout=_DRAWN_WITHIN_S):
            raise Unavailable("Many cards are being drawn. Ask again in a moment.")
        try:
            found = cache.get(name) or draw()
            cache.set(name, found, CARD_KEPT_S)
        finally:
            lettering.lock.release()
    return found


@require_safe
def badge(request: HttpRequest, player_id: UUID) -> HttpResponse:
    """Answer a player's badge; `?theme=light` for a light page."""
    theme = "light" if request.GET.get("theme") == "light" else "dark"
    shared = sharing.shared(public_player(player_id, *FIGURES), with_rarest=False, at=clock.now())
    body = badges.svg(shared, theme=theme)
    return _answer(request, body, etag_of(body), "image/svg+xml; charset=utf-8")


@require_safe
def feed(request: HttpRequest, player_id: UUID) -> HttpResponse:
    """Answer a player's unlocks as Atom."""
    body = sharing.feed(public_player(player_id, *FIGURES, Part.FEED))
    return _answer(request, body, etag_of(body), "application/atom+xml; charset=utf-8")


def _answer(request: HttpRequest, body: bytes, etag: str, content_type: str) -> HttpResponse:
    """Answer bytes that other sites may show, and in which nothing runs, whatever they are taken for."""
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    if etag in known:
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        response = HttpResponse(body, content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = WITHDRAWABLE
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Access-Control-Allow-Origin"] = "*"
    response["X-Content-Type-Options"] = "nosniff"
    return response
