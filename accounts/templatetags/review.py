"""How many wait in the review queue."""

from django import template

from accounts.doorway import Visit
from accounts.portal import review

register = template.Library()


@register.simple_tag
def waiting(visit: Visit) -> str:
    """Return how many wait for a decision: nothing for none, at most `99+`."""
    return review.waiting(visit)
