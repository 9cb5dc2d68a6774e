"""What of a studio's webhooks needs somebody."""

from datetime import datetime
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from accounts.doorway import Visit
from accounts.needs import Need, Severity
from accounts.roles import Act
from webhooks import selectors
from webhooks.models import Disabled
from webhooks.selectors import EndpointInfo
from webhooks.services import endpoints


def webhooks(visit: Visit, at: datetime) -> list[Need]:
    """Tell of endpoints that were given up, and of those that fail."""
    if not visit.may(Act.MANAGE_KEYS):
        return []
    found = selectors.endpoints(visit.studio.studio_id, limit=endpoints.MOST)
    told = [_need(visit, one, at) for one in found]
    return [need for need in told if need is not None]


def _need(visit: Visit, one: EndpointInfo, at: datetime) -> Need | None:
    host = {"host": urlsplit(one.url).hostname or one.url}
    if one.disabled in (Disabled.GONE, Disabled.FAILING):
        severity, title = Severity.BAD, _("A webhook was stopped")
        text = _("%(host)s gets nothing any more. What happens is kept for a week, to be sent again.") % host
    elif not one.disabled and one.failing_since is not None:
        severity = Severity.BAD
        title = _("A webhook has failed for %(time)s") % {"time": timesince(one.failing_since, at, depth=1)}
        text = _("%(host)s does not take what it is sent. Deliveries wait; none is lost.") % host
    else:
        return None
    url = reverse("portal-webhook", args=[visit.studio.studio_uuid, one.uuid])
    return Need(severity, "webhook", title, text, _("See deliveries"), url)
