"""What a studio used, and how much of its limits."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from analytics.selectors import usage
from core import clock, limits


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def usage_page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what the studio used, and how much of its limits."""
    told = limits.of_studio(visit.studio.studio_id)
    context = {
        "visit": visit,
        "here": "usage",
        "used": usage.used(visit.studio.studio_id, at=clock.now()),
        "counted": [limit for limit in told if limit.used is not None],
        "each": [limit for limit in told if limit.used is None],
    }
    return render(request, "portal/usage.html", context)
