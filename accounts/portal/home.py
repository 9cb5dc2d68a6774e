"""The portal's door, a new studio, and what its owner needs."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import limits, owners, selectors, services
from accounts.doorway import LAST_STUDIO
from accounts.forms import StudioForm
from accounts.models import User
from core.forms import sent
from core.refusals import Conflict

STUDIOS_A_DAY = "10/d"


@require_safe
@never_cache
@login_required
def door(request: HttpRequest) -> HttpResponse:
    """Lead to the studio that was visited last, or to making the first one."""
    assert isinstance(request.user, User)
    studios = selectors.memberships(request.user.pk)
    last = request.session.get(LAST_STUDIO)
    here = next((one for one in studios if str(one.studio_uuid) == last), studios[0] if studios else None)
    return redirect("new-studio") if here is None else redirect("portal-home", studio=here.studio_uuid)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def new_studio(request: HttpRequest) -> HttpResponse:
    """Make a studio; who makes it owns it."""
    assert isinstance(request.user, User)
    form = StudioForm(sent(request))
    if form.is_valid():
        refusal = _("You made ten studios today. Make the next one tomorrow.")
        limits.count(request, group="new-studio", key=request.user.pk, rate=STUDIOS_A_DAY, refusal=refusal)
        try:
            made = services.create_studio(name=form.cleaned_data["name"], owner=request.user)
        except Conflict as refused:
            form.refuse(refused)
        else:
            return redirect("portal-home", studio=made.uuid)
    shown = {"form": form, "has_studios": bool(selectors.memberships(request.user.pk))}
    return render(request, "portal/new_studio.html", shown, status=422 if form.errors else 200)


@require_safe
@never_cache
@login_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask an owner for a second factor; who has one goes on."""
    assert isinstance(request.user, User)
    if not owners.lacks_factor(request.user):
        return redirect("portal")
    return render(request, "portal/second_factor.html")
