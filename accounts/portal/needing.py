"""What of a studio's keys needs somebody."""

from datetime import datetime, timedelta
from typing import Final

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import issued_keys
from accounts.doorway import Visit
from accounts.needs import Need, Severity
from accounts.roles import Act

SOON: Final = timedelta(days=7)


def keys(visit: Visit, at: datetime) -> list[Need]:
    """Tell of keys that end soon."""
    if not visit.may(Act.MANAGE_KEYS):
        return []
    ending = issued_keys.ending(visit.studio.studio_id, at=at, before=at + SOON)
    if not ending:
        return []
    name, ends_at = ending[0]
    title = ngettext("An API key ends soon", "%(n)d API keys end soon", len(ending)) % {"n": len(ending)}
    text = _("“%(name)s” works until %(when)s UTC. What is sent with it later is refused.") % {
        "name": name,
        "when": date_format(ends_at, "j M, H:i"),
    }
    url = reverse("keys", args=[visit.studio.studio_uuid])
    return [Need(Severity.WARN, "key", title, text, _("See API keys"), url)]
