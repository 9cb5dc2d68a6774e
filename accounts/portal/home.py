"""The portal's door, and a new studio."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_ratelimit.core import is_ratelimited

from accounts import selectors, services
from accounts.doorway import LAST_STUDIO
from accounts.forms import StudioForm
from accounts.models import User
from core.refusals import Refused

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


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def new_studio(request: HttpRequest) -> HttpResponse:
    """Make a studio; who makes it owns it."""
    assert isinstance(request.user, User)
    form = StudioForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if is_ratelimited(request, group="new-studio", key="user", rate=STUDIOS_A_DAY, increment=True):
            raise Refused("You made ten studios today. Make the next one tomorrow.", slug="rate-limited")
        made = services.create_studio(name=form.cleaned_data["name"], owner=request.user)
        return redirect("portal-home", studio=made.uuid)
    return render(request, "portal/new_studio.html", {"form": form}, status=422 if form.errors else 200)
