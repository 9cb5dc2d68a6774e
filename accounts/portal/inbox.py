"""What a member has read of a studio's inbox; the page itself is of who asks every room."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts import members
from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from core import clock
from core.clock import from_microseconds

_LATEST_US = 2**53


@require_POST
@studio_page(needs=Act.SEE_ANALYTICS)
def read(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take as read what happened until the newest that was shown; what came since stays new."""
    until = request.POST.get("until", "")
    if until.isascii() and until.isdigit() and 0 < int(until[:17]) < _LATEST_US:
        shown = min(from_microseconds(int(until[:17])), clock.now())
        members.read_until(studio_id=visit.studio.studio_id, user_id=visit.user.pk, until=shown)
    return redirect("portal-inbox", studio=visit.studio.studio_uuid)
