"""The door to the players' pages: who looks, and as which player.

A page that is somebody's own asks its visitor to sign in. One that is for anybody shows a visitor more of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.account.internal.flows import reauthentication
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts import devices, listening, player_accounts
from accounts.models import User
from accounts.selectors import PlayerInfo
from core import clock
from core.public_pages import is_personal

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, and the player that the account is of."""

    user: User
    player: PlayerInfo

    @property
    def id(self) -> UUID:
        """The player's public id, by which a picture is tinted."""
        return self.player.uuid

    @property
    def display_name(self) -> str:
        """The player's name, empty before one was chosen."""
        return self.player.display_name

    @property
    def avatar_url(self) -> str:
        """The player's picture, empty for none."""
        return self.player.avatar_url

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone that the player lives in; None for UTC, which whoever never chose one has."""
        name = self.player.time_zone
        return None if name == "UTC" else clock.zone(name)

    @property
    def is_new(self) -> bool:
        """Say whether the player has no name yet: the first thing to choose."""
        return not self.player.display_name


Page = Callable[Concatenate[HttpRequest, Visitor, P], HttpResponseBase]


def visitor_of(request: HttpRequest) -> Visitor | None:
    """Return who looks at a page, once a request; None for who is not signed in, at no cost.

    Who signs in for the first time becomes a player then: without a name, and with no studio's id.
    """
    if not is_personal(request):
        return None
    if not hasattr(request, "visitor"):
        user = request.user
        known = isinstance(user, User)
        request.visitor = _visitor(user) if known else None  # type: ignore[attr-defined, arg-type]
        request.zone = request.visitor.zone if known else None  # type: ignore[attr-defined]  # for core.templatetags
    found: Visitor | None = request.visitor  # type: ignore[attr-defined]
    return found


def visitors_page(page: Page[P]) -> Callable[..., HttpResponseBase]:
    """Make a page of one's own of a function of `(request, visitor, …)`; who is not signed in is asked to.

    Nothing of it is kept by browsers or proxies. Who gets it may listen from then on (accounts/listening.py).
    """

    @wraps(page)
    @never_cache
    def view(request: HttpRequest, *args: P.args, **named: P.kwargs) -> HttpResponseBase:
        visitor = visitor_of(request)
        if visitor is None:
            return redirect_to_login(request.get_full_path() if request.method in ("GET", "HEAD") else "/me/")
        answer = page(request, visitor, *args, **named)
        if request.method == "GET" and answer.status_code == HTTPStatus.OK:
            is_new = listening.let_listen(request, answer, visitor.player)
            devices.seen(request, at=clock.now(), is_new=is_new)
        return answer

    return view


def grave_page(page: Page[P]) -> Callable[..., HttpResponseBase]:
    """Make a page of one's own that is shown, and taken, only from who has proved in the last minutes who he is."""

    def view(request: HttpRequest, visitor: Visitor, *args: P.args, **named: P.kwargs) -> HttpResponseBase:
        if reauthentication.is_reauthentication_required(request, app="accounts"):
            return redirect_to_login(request.path, login_url=reverse("account_reauthenticate"))
        return page(request, visitor, *args, **named)

    return visitors_page(wraps(page)(view))  # type: ignore[arg-type]


def shown(request: HttpRequest) -> dict[str, Visitor | None]:
    """Give the templates of players' pages who looks at them."""
    return {"visitor": getattr(request, "visitor", None)}


def _visitor(user: User) -> Visitor:
    return Visitor(user, player_accounts.player_of(user, at=clock.now()))
