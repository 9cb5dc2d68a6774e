"""How pages and answers spell spans of time and numbers."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import spoken

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SECONDS_SPELLED = 10  # below it with a decimal


def span(passed: timedelta) -> str:
    """Return how long something took, in one unit: `0.3 s`, `4 min`, `7 h`, `2 days`."""
    seconds = abs(passed.total_seconds())
    if seconds < _SECONDS_SPELLED:
        return _("%(n)s s") % {"n": spoken.spelled(f"{seconds:.1f}".removesuffix(".0"))}
    if seconds < _MINUTE:
        return _("%(n)s s") % {"n": int(seconds)}
    if seconds < _HOUR:
        return _("%(n)s min") % {"n": int(seconds // _MINUTE)}
    if seconds < 2 * _DAY:
        return _("%(n)s h") % {"n": int(seconds // _HOUR)}
    days = int(seconds // _DAY)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": spoken.whole(days)}


def hours(milliseconds: int) -> str:
    """Return a playtime: `61 h`, `1 h 12 min`, `12 min`, `0 min`."""
    minutes = milliseconds // 60_000
    if minutes < _MINUTE:
        return _("%(n)s min") % {"n": minutes}
    whole, rest = divmod(minutes, 60)
    if whole >= _SECONDS_SPELLED or not rest:
        return _("%(n)s h") % {"n": spoken.whole(whole)}
    return _("%(h)s h %(m)s min") % {"h": whole, "m": rest}


def number(value: float | None) -> str:
    """Return a number with thousands separated; nothing as an en dash."""
    if value is None:
        return "–"
    return spoken.spelled(f"{int(value):,}" if value == int(value) else f"{value:,.6f}".rstrip("0"))


def short(text: object) -> str:
    """Return an id without its middle."""
    return f"{str(text)[:8]}…{str(text)[-4:]}"
