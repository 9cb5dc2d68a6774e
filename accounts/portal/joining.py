"""The page that an invitation's link leads to."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import invitations
from accounts.invitations import InvitationInfo
from accounts.models import User
from core import clock
from core.refusals import Conflict, Gone


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Say who invites to what; a POST accepts. What does not work any more says so, and names no studio."""
    try:
        found = invitations.find(token, at=clock.now())
        if not isinstance(request.user, User):
            return _welcome(request, found)
        if not found.is_for(request.user):
            return render(request, "portal/invitation_other.html", {"path": request.path}, status=404)
        if request.method == "POST":
            return _accept(request, token, request.user)
    except Gone as refused:
        invitations.forget(request)
        return render(request, "portal/invitation_over.html", {"detail": refused.detail}, status=410)
    return _shown(request, found)


def _welcome(request: HttpRequest, found: InvitationInfo) -> HttpResponse:
    """Lead somebody who is not signed in to an account, with the address to which the link was sent."""
    if request.method == "POST":
        return redirect_to_login(request.path)
    invitations.remember(request, found)
    return _shown(request, found)


def _accept(request: HttpRequest, token: str, user: User) -> HttpResponse:
    try:
        joined = invitations.accept(token=token, user=user, at=clock.now())
    except Conflict as refused:
        messages.error(request, refused.detail)
        return redirect(request.path)
    invitations.forget(request)
    told = {"studio": joined.studio}
    messages.success(request, _("You are a member of %(studio)s now.") % told)
    return redirect("portal-home", studio=joined.studio_uuid)


def _shown(request: HttpRequest, found: InvitationInfo) -> HttpResponse:
    return render(request, "portal/invitation.html", {"invitation": found, "path": request.path})
