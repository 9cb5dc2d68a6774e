"""One search over all of a studio, from any page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from care.selectors import searching


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def search(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what fits, a few of each kind, or all of one."""
    query, only = request.GET.get("q", ""), request.GET.get("in", "")
    context = {
        "visit": visit,
        "here": "search",
        "query": query[: searching.LONGEST],
        "only": only if only in searching.GROUPS else "",
        "groups": searching.search(visit, query, only=only),
        "is_too_long": len(query.strip()) > searching.LONGEST,
        "longest": searching.LONGEST,
    }
    return render(request, "portal/search.html", context)


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def suggestions(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what fits so far, as options below the field that is typed into."""
    query = request.GET.get("q", "")
    context = {"visit": visit, "query": query, "groups": searching.search(visit, query)}
    return render(request, "portal/suggestions.html", context)
