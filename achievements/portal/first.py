"""A new game's first achievement, made in one step so that there is something to unlock."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from achievements.services import arranging
from core import clock

KEY = "first-light"


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def make_first(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Make the first achievement of a game; where it is there already nothing happens."""
    assert visit.game is not None  # the address names it
    values = {
        "key": KEY,
        "name": _("First light"),
        "description": _("The first of many. Change its name and text, or archive it, whenever you like."),
        "points": 10,
        "state": "published",
    }
    arranging.make_first(game=visit.game, values=values, actor=visit.actor, at=clock.now())
    return redirect("portal-home", studio=visit.studio.studio_uuid)
