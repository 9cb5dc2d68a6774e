"""A player's own data: taken along."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import player_accounts
from accounts.visitors import Visitor, grave_page
from care import own_exporting
from care.files import zip_answer
from core.deadlines import extend

EXPORT_SECONDS = 60


@require_http_methods(["GET", "HEAD", "POST"])
@grave_page
def export(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """Say what is in the file; send it to who has just proved who he is."""
    if request.method == "POST":
        now = timezone.now()
        extend(EXPORT_SECONDS)
        return zip_answer(own_exporting.write(visitor, at=now), visitor.player, at=now)
    context = {
        "here": "settings",
        "default_theme": "dark",
        "studios": [name for _, _, name in player_accounts.studios_of(visitor.player.id)],
    }
    return render(request, "player/settings/export.html", context)
