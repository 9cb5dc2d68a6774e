"""What needs somebody of a studio's keys, and of what its rules held back."""

from datetime import datetime, timedelta
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import issued_keys
from accounts.doorway import Visit
from accounts.needs import Need, Severity
from accounts.portal import review
from accounts.roles import Act
from core import spoken

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
        "when": spoken.day(ends_at, "j M, H:i"),
    }
    url = reverse("keys", args=[visit.studio.studio_uuid])
    return [Need(Severity.WARN, "key", title, text, _("See API keys"), url)]


def review_queue(visit: Visit, _at: datetime) -> list[Need]:
    """Tell of what was held back and waits for a decision."""
    count = review.waiting(visit) if visit.may(Act.CARE_FOR_PLAYERS) else ""
    if not count:
        return []
    title = _("%(n)s waiting in the review queue") % {"n": count}
    text = _("What is held back counts on no board and in no percentage until somebody decides.")
    url = reverse("review-queue", args=[visit.studio.studio_uuid])
    return [Need(Severity.WARN, "hourglass", title, text, _("Review"), url)]
