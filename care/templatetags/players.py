"""What templates of players' pages need besides the common filters."""

from collections.abc import Mapping

from django import template

from core.templatetags.laurel import number

register = template.Library()
_MS, _S = "time_ms", "time_s"


@register.filter
def of(names: Mapping[int, str], pk: int) -> str:
    """Return what a mapping has for a key, or nothing."""
    return names.get(pk, "")


@register.filter
def score(value: float, kind: str) -> str:
    """Write a score as its board declares it: a time as `1:23.456`, all else as a number with thousands separated."""
    if kind not in (_MS, _S):
        return f"{number(value)}%" if kind == "percent" else number(value)
    seconds = abs(value) / 1000 if kind == _MS else abs(value)
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    sign = "−" if value < 0 else ""
    text = f"{rest:06.3f}" if kind == _MS or rest != int(rest) else f"{int(rest):02d}"
    return f"{sign}{hours}:{minutes:02d}:{text}" if hours else f"{sign}{minutes}:{text}"
