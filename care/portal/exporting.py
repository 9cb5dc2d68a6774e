"""A player's data as a file."""

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import selectors
from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from care import services
from care.exporting import Subject
from care.files import zip_answer
from care.selectors import profile
from core import clock
from core.forms import ReasonForm, sent


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def export(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponseBase:
    """Send everything that the studio holds of a player, once a reason is given."""
    found = profile.profile(visit.studio.studio_id, player, selectors.every_game(visit.studio.studio_id))
    if found is None:
        raise Http404
    form = ReasonForm(sent(request))
    if form.is_valid():
        return _file(visit, found, form.cleaned_data["reason"])
    context = {
        "visit": visit,
        "here": "players",
        "person": found.person,
        "form": form,
        "title": _("Export a player's data"),
        "means": _(
            "A zip file with everything that your studio holds of this player, as CSV and as JSON: ids, unlocks,"
            " revokes, progress, stats, scores, playtime, and what was done to the player and why. It holds nothing of"
            " other studios, and nothing of other people."
        ),
        "button": _("Download the file"),
    }
    return render(request, "portal/players/act.html", context, status=422 if form.errors else 200)


def _file(visit: Visit, found: profile.Profile, reason: str) -> FileResponse:
    studio, now = visit.studio, clock.now()
    subject = Subject(studio.studio_id, studio.studio_uuid, studio.name, found)
    return zip_answer(
        services.export(subject, reason=reason, actor=visit.actor, at=now), found.person, at=now
    )
