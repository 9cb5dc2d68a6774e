"""Erasing a player: a page that says what goes, asks why and for the id, and then says how far it is."""

from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import finding
from accounts.doorway import Visit, studio_page
from accounts.erasure import asking
from accounts.erasure.asking import ErasureInfo
from accounts.finding import Known
from accounts.roles import Act
from core import clock
from core.forms import TypedForm, sent
from core.refusals import Refused

METHODS = ["GET", "HEAD", "POST"]
Tells = Callable[[int, int], list[str]]


class EraseForm(TypedForm):
    """Why, and the player's id as a second thought."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say that nothing personal belongs there."""
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("Kept in the audit log for ever: write no names and no ids here.")


@require_http_methods(METHODS)
@studio_page(needs=Act.ERASE_PLAYERS)
def erase(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Ask why a player is to be erased, and erase; of who was erased say so."""
    studio_id = visit.studio.studio_id
    found = finding.named(studio_id, player)
    if found is None:
        return _gone(request, visit, player)
    person, _info = found
    form = EraseForm(sent(request), external_id=person.external_id)
    if form.is_valid():
        try:
            asking.erase(
                studio_id=studio_id,
                player_id=person.id,
                reason=form.cleaned_data["reason"],
                actor=visit.actor,
                at=clock.now(),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            # The browser that asked is led to an answer: the bare address is gone, and says so.
            place = reverse("erase-player", args=(visit.studio.studio_uuid, player))
            return redirect(f"{place}?seen=erasing")
    context = {
        "visit": visit,
        "here": "players",
        "person": person,
        "form": form,
        "told": _told(visit, person),
    }
    return render(request, "portal/players/erase.html", context, status=422 if form.errors else 200)


def _gone(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Say that a player was erased, or is being. Raises Http404 for whom the studio never had."""
    erasure: ErasureInfo | None = asking.found(visit.studio.studio_id, f"id:{player}")
    if erasure is None:
        raise Http404
    context = {"visit": visit, "here": "players", "erasure": erasure, "player": player}
    # While somebody waits the page is asked for again, and what is asked for again must be there.
    is_polled = "seen" in request.GET
    return render(request, "portal/players/erased.html", context, status=200 if is_polled else 404)


def _told(visit: Visit, person: Known) -> list[str]:
    return [line for tell in _tellers() for line in tell(visit.studio.studio_id, person.id)]


@cache
def _tellers() -> tuple[Tells, ...]:
    return tuple(import_string(path) for path in settings.PLAYER_NUMBERS)
