"""Whom a page is about, if its reader may see him."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest

from accounts import selectors as accounts
from accounts.people import Part
from accounts.selectors import PlayerInfo
from accounts.visitors import visitor_of
from social.page_cards import NOBODY
from social.selectors import seeing

DEFAULT_THEME: Final = "dark"
"""The players' site is dark until a reader chooses otherwise."""


def reader_id(request: HttpRequest) -> int:
    """Return as which player somebody reads; NOBODY for who is not signed in."""
    visitor = visitor_of(request)
    return NOBODY if visitor is None else visitor.player.id


def language_of(request: HttpRequest) -> str | None:
    """Return in which language somebody reads games' texts; None: as each game's first one."""
    visitor = visitor_of(request)
    return (visitor.player.language or None) if visitor else None


def seen_player(request: HttpRequest, player_id: UUID, *, part: Part = Part.PROFILE) -> PlayerInfo:
    """Return a player of whom the reader may see a part.

    Raises Http404, alike for who hides it and for who is not there.
    """
    reader = reader_id(request)  # first: that a session was read shows in Vary
    info = accounts.player_by_uuid(player_id)
    if info is None or not seeing.sees(info, by=reader or None, part=part):
        raise Http404
    return info


def public_player(player_id: UUID, *parts: Part) -> PlayerInfo:
    """Return a player of whom anybody may see these parts: for what is shared elsewhere. Raises Http404."""
    info = accounts.player_by_uuid(player_id)
    if info is None or not seeing.parts_seen(info, by=None).issuperset(parts):
        raise Http404
    return info


def is_demo(info: PlayerInfo) -> bool:
    """Say whether a player is the one that the demo is about: his pages are shown as his own."""
    demo_player = accounts.demo_player() if settings.DEMO else None
    return demo_player is not None and demo_player.id == info.id
