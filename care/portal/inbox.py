"""A member's inbox in a studio."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from care.selectors import inbox as selectors
from core import clock
from core.clock import microseconds


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def inbox(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what happened that the visitor's role may hear of, newest first."""
    found = selectors.news(visit, at=clock.now())
    context = {
        "visit": visit,
        "here": "inbox",
        "news": found,
        "new_count": sum(one.is_new for one in found),
        "until": microseconds(found[0].at) if found else 0,
        "days": selectors.SPAN.days,
    }
    return render(request, "portal/inbox.html", context)
