"""How pages write numbers and days in the reader's language; in English where none was chosen, as in the API."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.utils.formats import date_format, get_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext_lazy

# As Django's `date` takes them: `26 Nov 2026` in English, `26. Nov. 2026` in German.
_STYLES: Final[dict[str, Promise]] = {
    "j M": pgettext_lazy("date", "j M"),
    "M Y": pgettext_lazy("date", "M Y"),
    "F Y": pgettext_lazy("date", "F Y"),
    "j M Y": pgettext_lazy("date", "j M Y"),
    "j F Y": pgettext_lazy("date", "j F Y"),
    "j M, H:i": pgettext_lazy("date", "j M, H:i"),
    "j M Y, H:i": pgettext_lazy("date", "j M Y, H:i"),
    "j M Y, H:i:s": pgettext_lazy("date", "j M Y, H:i:s"),
}

NAMELESS: Final = "Unnamed player"  # who chose no name yet, on players' pages

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SECONDS_SPELLED = 10  # below it with a decimal


def spelled(digits: str) -> str:
    """Return a number that is written the English way, `1,234.5`, as the language writes it."""
    return digits.translate({44: get_format("THOUSAND_SEPARATOR"), 46: get_format("DECIMAL_SEPARATOR")})


def typed(digits: str) -> str:
    """Return a number that was typed in the language, without thousands set apart, as Python reads it.

    The other language's mark is swapped too, so that it is no number: `1.500` is said to be wrong in German, where it
    may mean either.
    """
    mark = get_format("DECIMAL_SEPARATOR")
    return digits.translate({46: mark, ord(mark): "."})


def whole(value: int) -> str:
    """Return a whole number with its thousands set apart."""
    return spelled(f"{value:,}")


def average(value: float) -> str:
    """Return an average: whole if it is large, else with one decimal, and as many as show that it is not nothing."""
    if abs(value) >= 100:
        return whole(round(value))
    text = f"{value:.2g}" if 0 < abs(value) < 0.1 else f"{value:.1f}"
    if "e" in text:
        return "<" + spelled("0.0001")
    return spelled(text.removesuffix(".0"))


def percentage(digits: str) -> str:
    """Return a percentage, of a number that is written the English way."""
    return gettext("%(share)s%%") % {"share": spelled(digits)}


def day(at: date, style: str = "j M Y") -> str:
    """Return a day, or a moment in UTC, in one of the styles that are known."""
    return date_format(at.astimezone(UTC) if isinstance(at, datetime) else at, str(_STYLES[style]))


def moment(at: datetime) -> str:
    """Return a moment in UTC to the minute."""
    return day(at, "j M Y, H:i")


def second(at: datetime) -> str:
    """Return a moment to the second, with its zone."""
    return f"{day(at, 'j M Y, H:i:s')} UTC"


def span(passed: timedelta) -> str:
    """Return how long something took, in one unit: `0.3 s`, `4 min`, `7 h`, `2 days`."""
    seconds = abs(passed.total_seconds())
    if seconds < _SECONDS_SPELLED:
        return gettext("%(n)s s") % {"n": spelled(f"{seconds:.1f}".removesuffix(".0"))}
    if seconds < _MINUTE:
        return gettext("%(n)s s") % {"n": int(seconds)}
    if seconds < _HOUR:
        return gettext("%(n)s min") % {"n": int(seconds // _MINUTE)}
    if seconds < 2 * _DAY:
        return gettext("%(n)s h") % {"n": int(seconds // _HOUR)}
    days = int(seconds // _DAY)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": whole(days)}
