"""The door to the portal's pages: who visits which studio, as what, and what a page may need of them.

Whoever is no member of a studio finds nothing there, not even that it exists.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from accounts import owners, selectors
from accounts.models import User
from accounts.roles import Act, may
from accounts.selectors import GameInfo, Membership
from core.problems import wants_json
from core.refusals import Forbidden

P = ParamSpec("P")
LAST_STUDIO, LAST_GAME = "last_studio", "last_game"  # in the session


@dataclass(frozen=True, slots=True)
class Visit:
    """A member on a page of a studio.

    Attributes:
        user: who.
        studio: the studio, and what the visitor is there.
        studios: all of the visitor's studios, by name.
        games: the studio's games, by title, but for those that are put away.
        game: the one that the page is about (it may be put away), or the one that was looked at last.
        put_away: the games that the studio has put away, by title.

    """

    user: User
    studio: Membership
    studios: tuple[Membership, ...]
    games: tuple[GameInfo, ...]
    game: GameInfo | None
    put_away: tuple[GameInfo, ...] = ()

    @property
    def actor(self) -> str:
        """The visitor as the audit log names him."""
        return self.user.actor

    def may(self, act: Act) -> bool:
        """Say whether the visitor may do something here."""
        return may(self.studio.role, act)

    def need(self, act: Act) -> None:
        """Raise Forbidden unless the visitor may do something here."""
        if not self.may(act):
            raise Forbidden(f"Your role in this studio, {self.studio.role}, may not {act.value}.")

    @property
    def can(self) -> dict[str, bool]:
        """What the visitor may do, by the names of acts in lower case, for templates."""
        return {act.name.lower(): self.may(act) for act in Act}


Page = Callable[Concatenate[HttpRequest, Visit, P], HttpResponseBase]


def studio_page(needs: Act) -> Callable[[Page[P]], Callable[..., HttpResponseBase]]:
    """Make a page of a studio of a function of `(request, visit, …)`; its address has `studio` and perhaps `game`.

    A visitor who is not signed in is asked to; who is no member gets 404, and 403 whose role may not do what the page
    is for. An owner who has to have a second factor, and has none, is led to one. Nothing of it is kept by browsers or
    proxies.
    """

    def decorate(page: Page[P]) -> Callable[..., HttpResponseBase]:
        @wraps(page)
        @never_cache
        def view(
            request: HttpRequest, studio: UUID, game: UUID | None = None, **others: object
        ) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            visit = _visit(request, studio, game)
            if visit.studio.role == owners.OWNER and owners.lacks_factor(visit.user):
                return _lead_to_factor(request)
            request.visit = visit  # type: ignore[attr-defined]  # for templates, refusals included
            visit.need(needs)
            return page(request, visit, **others)  # type: ignore[call-arg, arg-type]

        return view

    return decorate


def _lead_to_factor(request: HttpRequest) -> HttpResponseBase:
    """Lead an owner to where he sets one up. Raises Forbidden for a form, and for a script, which can't be led."""
    if request.method not in ("GET", "HEAD") or wants_json(request):
        raise Forbidden(
            gettext("Owners need a second factor here. Set one up in the portal, then send this again.")
        )
    return redirect("owner-factor")


def _visit(request: HttpRequest, studio: UUID, game: UUID | None) -> Visit:
    user = request.user
    assert isinstance(user, User)
    studios = tuple(selectors.memberships(user.pk))
    here = next((one for one in studios if one.studio_uuid == studio), None)
    if here is None:
        raise Http404
    every = selectors.games_by_title(here.studio_id)
    games = tuple(one for one in every if one.archived_at is None)
    put_away = tuple(one for one in every if one.archived_at is not None)
    about = None if game is None else _game_of(here.studio_id, game, every)
    _remember(request, LAST_STUDIO, studio)
    if about is not None:
        _remember(request, LAST_GAME, about.uuid)
    else:
        last = request.session.get(LAST_GAME)
        about = next((one for one in games if str(one.uuid) == last), games[0] if games else None)
    return Visit(user, here, studios, games, about, put_away)


def _game_of(studio_id: int, uuid: UUID, listed: list[GameInfo]) -> GameInfo:
    """Return a studio's game, listed or not: a list has an end. Raises Http404."""
    about = next((one for one in listed if one.uuid == uuid), None) or selectors.fresh_game(uuid)
    if about is None or about.studio_id != studio_id:
        raise Http404
    return about


def _remember(request: HttpRequest, name: str, uuid: UUID) -> None:
    if request.session.get(name) != str(uuid):
        request.session[name] = str(uuid)
