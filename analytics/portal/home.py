"""A studio's home: the way to the first unlock, what needs somebody, and its games."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from analytics.selectors import beginning, overview
from analytics.selectors.beginning import FIRST_PLAYER, STEPS


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def home(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what needs the visitor, and the studio's games."""
    context = _way(visit) | {"rows": overview.games(visit.games), "here": "home"}
    return render(request, "portal/home.html", context)


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def first_steps(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the checklist alone: a page that waits for the first unlock asks for it every other second."""
    return render(request, "portal/home/first_steps.html", _way(visit))


def _way(visit: Visit) -> dict[str, object]:
    return {
        "visit": visit,
        "way": beginning.beginning(visit.studio.studio_id, visit.game),
        "steps": len(STEPS),
        "player": FIRST_PLAYER,
        "public_url": settings.PUBLIC_URL,
    }
