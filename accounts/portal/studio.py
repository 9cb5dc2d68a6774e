"""A studio's own settings, and leaving it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import members, services
from accounts.doorway import Visit, studio_page
from accounts.forms import StudioForm
from accounts.roles import Act
from core import clock
from core.forms import PortalForm, sent
from core.refusals import Conflict


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.SEE_ANALYTICS)
def settings_page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show a studio's settings; a POST renames it."""
    if request.method == "POST":
        visit.need(Act.MANAGE_STUDIO)
    form = StudioForm(sent(request), initial={"name": visit.studio.name})
    if form.is_valid():
        services.rename_studio(
            studio_id=visit.studio.studio_id,
            name=form.cleaned_data["name"],
            by=visit.user,
            at=clock.now(),
        )
        messages.success(request, _("The name is saved."))
        return redirect("studio-settings", studio=visit.studio.studio_uuid)
    return _shown(request, visit, form, PortalForm())


@require_POST
@studio_page(needs=Act.SEE_ANALYTICS)
def leave(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take the visitor out of the studio."""
    leaving = PortalForm(request.POST)
    try:
        members.leave(studio_id=visit.studio.studio_id, by=visit.user, at=clock.now())
    except Conflict as refused:
        leaving.refuse(refused)
        return _shown(request, visit, StudioForm(initial={"name": visit.studio.name}), leaving)
    messages.success(request, _("You left %(studio)s.") % {"studio": visit.studio.name})
    return redirect("portal")


def _shown(request: HttpRequest, visit: Visit, form: StudioForm, leaving: PortalForm) -> HttpResponse:
    shown = {
        "visit": visit,
        "here": "settings",
        "form": form,
        "leaving": leaving,
        "member_count": members.count(visit.studio.studio_id),
    }
    status = 422 if form.errors or leaving.errors else 200
    return render(request, "portal/studio_settings.html", shown, status=status)
