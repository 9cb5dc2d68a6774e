"""What any page tells its visitor: how much waits unread in his inbox, and how its script listens (live.js)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import NoReverseMatch, reverse

from social import selectors
from social.api.root import root
from social.selectors import Glance

# Stands for a game's id in the address that live.js builds.
_ANY_GAME = UUID(int=0)


@dataclass
class Listening:
    """How the pages of one player listen; nothing is asked before a template shows it, and then once a request.

    Attributes:
        session, home: the names of the addresses at which the script asks for its session, and of the player's page.

    """

    request: HttpRequest
    player_id: int
    player_uuid: UUID
    session: str
    home: str

    @cached_property
    def glance(self) -> Glance:
        """What waits in the inbox. A page that shows what events change reads it before that: nothing falls between."""
        return selectors.glance(self.player_id)

    @property
    def unread(self) -> int:
        """How much waits unread, MOST_COUNTED at most."""
        return self.glance.unread

    @property
    def unread_words(self) -> str:
        """How that is written; empty for nothing."""
        if self.unread >= selectors.MOST_COUNTED:
            return f"{selectors.MOST_COUNTED - 1}+"
        return str(self.unread or "")

    @cached_property
    def config(self) -> dict[str, Any]:
        """What live.js needs: where to sign in and to listen, from which event on, and where a game's page is."""
        urls = root()["live"]
        return {
            "websocket": _under_the_same_name(self.request, urls["websocket"]),
            "stream": _under_the_same_name(self.request, urls["events"]),
            "session_url": reverse(self.session),
            "home_url": reverse(self.home),
            "game_url": _games(self.player_uuid).replace(str(_ANY_GAME), "{game}"),
            "after": str(self.glance.newest) if self.glance.newest else None,
            "csrf": get_token(self.request),
        }


def shown(request: HttpRequest) -> dict[str, Listening]:
    """Give every template how the visitor's pages listen; nothing where nobody is signed in."""
    visitor = getattr(request, "visitor", None)
    if visitor is None:
        return {}
    return {"listening": Listening(request, visitor.player.id, visitor.player.uuid, "my-session", "my-page")}


def _games(player_uuid: UUID) -> str:
    """Return where any game's page is: the game's own where there are such pages, else the player's."""
    try:
        return reverse("game-page", args=[_ANY_GAME])
    except NoReverseMatch:
        return reverse("player-game", args=[player_uuid, _ANY_GAME])


def _under_the_same_name(request: HttpRequest, url: str) -> str:
    """Return an address of this instance by the name that the browser knows it by.

    A developer's machine has two, and a cookie belongs to one of them.
    """
    host, parts = request.get_host().rpartition(":")[0] or request.get_host(), urlsplit(url)
    if host not in settings.LOOPBACK_NAMES or parts.hostname not in settings.LOOPBACK_NAMES:
        return url
    return parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host).geturl()
