"""Forms whose answer shows a secret: a form sent again, by a reload or a second click, makes no second one."""

import secrets

from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

_NAME = "once"
_MOST = 20  # forms that are open in one browser


def token(request: HttpRequest) -> str:
    """Return what a form carries as `once`; it counts in this session only."""
    made = secrets.token_urlsafe(12)
    request.session[_NAME] = [*request.session.get(_NAME, []), made][-_MOST:]
    return made


def spend(request: HttpRequest, sent: str) -> bool:
    """Say whether a form is sent for the first time; of two at once, one is."""
    with transaction.atomic():
        row = Session.objects.select_for_update().filter(pk=request.session.session_key).first()
        data = row.get_decoded() if row else {}
        if row is None or sent not in data.get(_NAME, []):
            return False
        data[_NAME].remove(sent)
        row.session_data = Session.objects.encode(data)
        row.save(update_fields=["session_data"])
    request.session[_NAME] = data[_NAME]
    return True
