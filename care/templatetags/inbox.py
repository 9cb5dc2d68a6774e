"""What the portal's top bar shows of the inbox."""

from django import template

from accounts.doorway import Visit
from care.selectors import inbox
from core import clock

register = template.Library()


@register.simple_tag
def unread(visit: Visit) -> str:
    """Return how much is new, empty for nothing, at most `99+`."""
    count = inbox.unread(visit, at=clock.now())
    return "" if not count else str(count) if count < inbox.MOST_COUNTED else f"{inbox.MOST_COUNTED - 1}+"
