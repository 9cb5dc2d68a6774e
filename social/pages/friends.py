"""A player's friends, requests and blocks, and what is done about them: forms, answered by a redirect."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts import limits
from accounts import selectors as accounts
from accounts.selectors import PlayerInfo
from accounts.visitors import Visitor, visitors_page
from core import clock
from core.refusals import Invalid, NotFound, Refused
from social import befriending, companions
from social.pages.seen import DEFAULT_THEME
from social.selectors import between, seeing

_SEARCHES: Final = "30/m"
_DEEDS: Final = "60/m"
_LONGEST: Final = 300  # an address with all its parts; a name has 128


@require_safe
@visitors_page
def friends(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show friends, requests, blocks and what friends unlocked; `?q=` finds whom to ask."""
    me, asked = visitor.player.id, request.GET.get("q", "").strip()[:_LONGEST]
    if asked:
        _count(request, visitor, "friend search", _SEARCHES)
    listed, count = companions.friends(me, cursor=request.GET.get("friends"), at=clock.now())
    context = {
        "here": "friends",
        "friends": listed,
        "friend_count": count,
        "most_friends": befriending.MOST_FRIENDS,
        "most_requests": befriending.MOST_REQUESTS,
        "received": companions.requests(me, incoming=True, cursor=request.GET.get("received")),
        "sent": companions.requests(me, incoming=False, cursor=request.GET.get("sent")),
        "blocks": companions.blocks(me, cursor=request.GET.get("blocks")),
        "news": companions.news(me, cursor=request.GET.get("news"), language=visitor.player.language or None),
        "asked": asked,
        "found": companions.found(me, asked) if asked else (),
        "default_theme": DEFAULT_THEME,
    }
    return render(request, "player/friends.html", context)


@require_POST
@visitors_page
def act(request: HttpRequest, visitor: Visitor, player_id: UUID) -> HttpResponse:
    """Do what the pressed button says about another player, say what came of it, and go back.

    Raises NotFound for who does not exist, and alike for who does not want to be found.
    """
    deed = _DEED.get(request.POST.get("do", ""))
    if deed is None:
        raise Invalid(f"`do` takes {', '.join(_DEED)}.")
    _count(request, visitor, "friend deeds", _DEEDS)
    other = accounts.player_by_uuid(player_id)
    if other is None or not companions.is_known(visitor.player.id, other):
        raise NotFound("There is no such player.")
    try:
        messages.success(request, deed(visitor.player.id, other))
    except NotFound:
        raise
    except Refused as refused:
        messages.error(request, refused.detail)
    return _back(request, visitor, other)


def _count(request: HttpRequest, visitor: Visitor, group: str, rate: str) -> None:
    refusal = "That was too often for a minute. Wait a little, then go on."
    limits.count(request, group=group, key=visitor.user.pk, rate=rate, refusal=refusal)


def _back(request: HttpRequest, visitor: Visitor, other: PlayerInfo) -> HttpResponse:
    """Return to the page that the button stood on, unless that page is there no more."""
    target = request.POST.get("next", "")
    is_local = url_has_allowed_host_and_scheme(target, allowed_hosts=None) and target.startswith("/")
    is_his = target.startswith(reverse("player", args=[other.uuid]))
    if not is_local or (is_his and not seeing.sees(other, by=visitor.player.id)):
        target = reverse("friends")
    response = redirect(target)
    response.status_code = 303
    return response


def _ask(me: int, other: PlayerInfo) -> str:
    if other.id != me and not companions.may_be_asked(me, other):
        raise NotFound("There is no such player.")
    asked = befriending.ask(sender_id=me, receiver_id=other.id, at=clock.now())
    return "You are friends." if asked.status == "accepted" else "The request is sent."


def _accept(me: int, other: PlayerInfo) -> str:
    request = between.between(me, [other.id])[other.id].received
    if request is None:
        raise _no_request()
    befriending.accept(player_id=me, request=request, at=clock.now())
    return "You are friends."


def _decline(me: int, other: PlayerInfo) -> str:
    request = between.between(me, [other.id])[other.id].received
    if request is None:
        raise _no_request()
    befriending.decline(player_id=me, request=request)
    return "The request is declined. Who sent it is not told."


def _cancel(me: int, other: PlayerInfo) -> str:
    request = between.between(me, [other.id])[other.id].sent
    if request is None:
        raise _no_request()
    befriending.decline(player_id=me, request=request)
    return "The request is taken back."


def _remove(me: int, other: PlayerInfo) -> str:
    if not between.between(me, [other.id])[other.id].is_friend:
        raise Refused("You are no friends any more.", slug="conflict")
    befriending.remove(player_id=me, friend_id=other.id)
    return "You are no friends any more. The other one is not told."


def _block(me: int, other: PlayerInfo) -> str:
    if not companions.may_be_asked(me, other):
        raise NotFound("There is no such player.")
    befriending.block(player_id=me, blocked_id=other.id, at=clock.now())
    return "Blocked: you see nothing of each other, and no requests arrive. The other one is not told."


def _unblock(me: int, other: PlayerInfo) -> str:
    befriending.unblock(player_id=me, blocked_id=other.id)
    return "Unblocked. Requests may come again."


def _no_request() -> Refused:
    return Refused("That request waits no more: it was answered or taken back.", slug="conflict")


_DEED: Final[dict[str, Callable[[int, PlayerInfo], str]]] = {
    "ask": _ask,
    "accept": _accept,
    "decline": _decline,
    "cancel": _cancel,
    "remove": _remove,
    "block": _block,
    "unblock": _unblock,
}
