"""The doors to the admin and, in a browser, to what is a player's own."""

from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import avatars, listening, selectors, sessions, throttling, visitors
from accounts.authentication import TokenHolder, read_credential
from accounts.models import User
from core import clock
from core import pages as core_pages
from core.picture_pages import picture
from core.refusals import Forbidden, Unauthenticated


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the reader's language in this browser; of who is signed in, also for mail."""
    answer = core_pages.set_language(request)
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=request.POST["language"])
    return answer


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the one page for signing in, with its limits and second factors; who may not see the admin is told so."""
    target = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(target)
    if admin.site.has_permission(request):
        return redirect(target)
    raise Forbidden(
        f"You are signed in as {request.user}, who is no operator here. The portal is at {reverse('portal')}."
    )


@require_POST
@cache_control(private=True, no_store=True)
def begin_session(request: HttpRequest) -> HttpResponse:
    """Sign a player in by the player token in the Authorization header: its game has opened one of our pages."""
    held = _token_holder(request)
    with transaction.atomic():
        sessions.hold_studio(player_id=held.player.id, studio_id=held.studio_id)
        held = _token_holder(
            request
        )  # unless the studio took it back meanwhile: what begins now would outlive that
        return _signed_in(request, player_id=held.player.id, studio_id=held.studio_id)


def _token_holder(request: HttpRequest) -> TokenHolder:
    try:
        held = read_credential(request.META.get("HTTP_AUTHORIZATION", ""))
    except Unauthenticated:
        throttling.failed(request)
        raise
    if not isinstance(held, TokenHolder):
        raise Unauthenticated("Send `Authorization: Bearer` with one player token.")
    if held.player.banned:
        raise Forbidden("This player is banned from the studio's games.")
    return held


@require_POST
@cache_control(private=True, no_store=True)
def demo_session(request: HttpRequest) -> HttpResponse:
    """Sign the demo player in; only the demo page's script knows to ask (CSRF)."""
    info = selectors.demo_player() if settings.DEMO else None
    studio_id = selectors.demo_studio_id()
    if info is None or studio_id is None:
        raise Http404
    held = sessions.holder(request.COOKIES.get(settings.PLAYER_COOKIE, ""), at=clock.now())
    if held is not None and held.player_id == info.id:
        return HttpResponse(status=204)
    return _signed_in(request, player_id=info.id, studio_id=studio_id)


@require_POST
@cache_control(private=True, no_store=True)
def end_session(request: HttpRequest) -> HttpResponse:
    """Sign a player out; pages that are open elsewhere in this browser stop listening within seconds."""
    sessions.end(request.COOKIES.get(settings.PLAYER_COOKIE, ""), at=clock.now())
    response = HttpResponse(status=204)
    response.delete_cookie(settings.PLAYER_COOKIE, samesite="Lax")
    return response


@require_safe
def avatar(request: HttpRequest, folder: UUID, digest: str, side: str) -> HttpResponse:
    """Answer a picture that a player uploaded."""
    return picture(request, avatars.file(folder, digest, int(side)), tag=f"{digest}-{side}")


@require_POST
@cache_control(private=True, no_store=True)
def own_session(request: HttpRequest) -> HttpResponse:
    """Let the script of a page of one's own listen: before it connects, it asks here (CSRF)."""
    visitor = visitors.visitor_of(request)
    if visitor is None:
        raise Unauthenticated("You are signed out. Sign in again.")
    response = HttpResponse(status=204)
    listening.let_listen(request, response, visitor.player)
    return response


def _signed_in(request: HttpRequest, *, player_id: int, studio_id: int) -> HttpResponse:
    agent = request.META.get("HTTP_USER_AGENT", "")
    secret = sessions.begin(player_id=player_id, studio_id=studio_id, user_agent=agent, at=clock.now())
    response = HttpResponse(status=204)
    listening.set_cookie(response, secret)
    return response
