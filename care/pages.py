"""A player's own data: taken along, or erased."""

from typing import Any

from django import forms
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts import leaving, player_accounts, selectors
from accounts.visitors import Visitor, grave_page
from achievements.selectors import unlocks
from care import own_exporting
from care.files import zip_answer
from core import clock
from core.deadlines import extend
from core.forms import PortalForm, sent
from social import selectors as social

EXPORT_SECONDS = ERASE_SECONDS = 60


class EraseForm(PortalForm):
    """That it is meant."""

    confirm = forms.CharField(
        label="Type “erase”",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_confirm(self) -> str:
        """Take that word only."""
        word: str = self.cleaned_data["confirm"]
        if word.strip("“” ").casefold() != "erase":
            raise forms.ValidationError("Type the word erase, to say that you mean it.", code="other-word")
        return word


@require_http_methods(["GET", "HEAD", "POST"])
@grave_page
def erase(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """Say what goes, in numbers; erase it from who typed that he means it, and has just proved who he is."""
    form, player = EraseForm(sent(request)), visitor.player
    is_member = bool(selectors.memberships(visitor.user.pk))
    if form.is_valid():
        extend(ERASE_SECONDS)
        leaving.erase_oneself(visitor.user, player_id=player.id, at=clock.now())
        if not is_member:
            logout(request)
        request.visitor = None  # type: ignore[attr-defined]
        context: dict[str, Any] = {"default_theme": "dark", "is_member": is_member}
        return render(request, "player/settings/erased.html", context)
    context = {
        "here": "settings",
        "default_theme": "dark",
        "form": form,
        "is_member": is_member,
        "totals": _totals(player.id),
        "studios": [name for _, _, name in player_accounts.studios_of(player.id)],
        "friends": social.friend_count(player.id),
    }
    return render(request, "player/settings/erase.html", context, status=422 if form.errors else 200)


def _totals(player_id: int) -> dict[str, int]:
    held = unlocks.totals_of(player_id)
    return {
        "games": len(held),
        "unlocked": sum(one.unlocked for one in held),
        "points": sum(one.points for one in held),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@grave_page
def export(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """Say what is in the file; send it to who has just proved who he is."""
    if request.method == "POST":
        now = clock.now()
        extend(EXPORT_SECONDS)
        return zip_answer(own_exporting.write(visitor, at=now), visitor.player, at=now)
    context = {
        "here": "settings",
        "default_theme": "dark",
        "studios": [name for _, _, name in player_accounts.studios_of(visitor.player.id)],
    }
    return render(request, "player/settings/export.html", context)
