"""A player's own settings: one page, and an address for each of its forms."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import account_links, avatars, devices, limits, own_settings
from accounts.players_pages import content
from accounts.players_pages.forms import LinkForm, PictureForm, PrivacyForm, ProfileForm
from accounts.visitors import Visitor, visitors_page
from core import clock
from core.deadlines import extend
from core.forms import PortalForm, sent
from core.refusals import Refused

LINK_SECONDS = 30  # as the API's
PICTURES = "30/h"  # those that were replaced are kept for about an hour
_MANY_PICTURES = "You sent very many pictures within an hour. Wait a while, then send the one that you want."


@require_http_methods(["GET", "HEAD", "POST"])
@visitors_page
def settings(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show all settings; take what is shown of the player."""
    if request.method != "POST":
        return render(request, "player/settings/page.html", content.context(request, visitor))
    form = ProfileForm(sent(request), player=visitor.player, regions=content.regions(visitor))
    if form.is_valid():
        own_settings.change(visitor.player.id, form.cleaned_data)
        return _done(request, "Your profile is saved.", "profile")
    return _again(request, visitor, "profile", form)


@require_POST
@visitors_page
def privacy(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Take who sees what."""
    form = PrivacyForm(sent(request), player=visitor.player)
    if form.is_valid():
        own_settings.change(visitor.player.id, form.cleaned_data, is_choice=True)
        return _done(request, "What others see is as you chose from now on.", "privacy")
    return _again(request, visitor, "privacy", form)


@require_POST
@visitors_page
def picture(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Take a picture of the player, or take it away."""
    if request.POST.get("act") == "remove":
        own_settings.change(visitor.player.id, {"avatar_url": ""}, is_choice=True)
        return _done(request, "The picture is removed.", "profile")
    form = PictureForm(sent(request), request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        assert isinstance(file, UploadedFile)
        try:
            limits.count(request, group="picture", key=visitor.user.pk, rate=PICTURES, refusal=_MANY_PICTURES)
            avatars.upload(visitor.player.id, file.read(), at=clock.now())
        except Refused as refused:
            return _again(request, visitor, "picture", form, refused)
        return _done(request, "This is your picture from now on.", "profile")
    return _again(request, visitor, "picture", form)


@require_POST
@visitors_page
def link(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Take a code that a game shows: what it knows of the player is his here, too."""
    form = LinkForm(sent(request))
    if not form.is_valid():
        return _again(request, visitor, "link", form)
    extend(LINK_SECONDS)
    try:
        changed = account_links.redeem(
            user_id=visitor.user.pk, code=form.cleaned_data["code"], at=clock.now()
        )
    except Refused as refused:
        return _again(request, visitor, "link", form, refused)
    said = (
        "The game is linked. What it knows of you shows here." if changed else "This game was linked already."
    )
    return _done(request, said, "games")


@require_POST
@visitors_page
def end_devices(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Sign the visitor out in another browser, or in all others."""
    device, now = request.POST.get("device", ""), clock.now()
    if device == "others":
        ended = devices.end_others(request, visitor.user, at=now)
        said = "You are signed out everywhere else." if ended else "You are signed in nowhere else."
    else:
        known = device.isascii() and device.isdecimal() and len(device) < 19
        ended = known and devices.end(visitor.user, int(device), at=now)
        said = "That device is signed out." if ended else "That device was signed out already."
    return _done(request, said, "devices")


def _done(request: HttpRequest, said: str, section: str) -> HttpResponse:
    messages.success(request, said, extra_tags=section)  # said where the page is scrolled to
    return redirect(f"{reverse('player-settings')}#{section}")


def _again(
    request: HttpRequest, visitor: Visitor, name: str, form: PortalForm, refused: Refused | None = None
) -> HttpResponse:
    """Show the page with what is wrong with one of its forms."""
    if refused is not None:
        form.refuse(refused)
    shown = content.context(request, visitor, **{name: form})
    response = render(
        request, "player/settings/page.html", shown, status=refused.problem.status if refused else 422
    )
    for header, value in (refused.headers if refused else {}).items():
        response[header] = value
    return response


@require_http_methods(["GET", "HEAD"])
def sessions_are_here(request: HttpRequest) -> HttpResponse:
    """Lead from where allauth would list devices to where they are listed."""
    return redirect(f"{reverse('player-settings')}#devices")
