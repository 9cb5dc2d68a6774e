"""What the portal's rail shows of players' reports."""

from django import template

from achievements.selectors import reports

register = template.Library()


@register.simple_tag
def open_reports(studio_id: int) -> str:
    """Return how many reports wait for an answer, empty for none."""
    count = reports.open_count(studio_id)
    return "" if not count else str(count) if count < reports.MOST_COUNTED else f"{reports.MOST_COUNTED - 1}+"
