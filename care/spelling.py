"""How pages and answers spell playtimes, numbers and ids."""

from django.utils.translation import gettext as _

from core import spoken

_MINUTE = 60
_HOURS_ALONE = 10  # from there on without minutes


def hours(milliseconds: int) -> str:
    """Return a playtime: `61 h`, `1 h 12 min`, `12 min`, `0 min`."""
    minutes = milliseconds // 60_000
    if minutes < _MINUTE:
        return _("%(n)s min") % {"n": minutes}
    whole, rest = divmod(minutes, 60)
    if whole >= _HOURS_ALONE or not rest:
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
