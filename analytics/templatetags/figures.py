"""How pages of analytics write changes and durations, and draw lines, bars and heat.

Everything is an SVG attribute or a class: no `style`, so that the content policy can stay strict.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from analytics.rules.windows import Step
from core import spoken

register = template.Library()

SMALL_SAMPLE: Final = 100
_HEAT: Final = (5, 10, 15, 20, 27, 36, 60)  # percents at which the next of eight steps begins
_WIDE, _HIGH, _EDGE = 100.0, 32.0, 2.0
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@register.simple_tag
def change(now: float, before: float | None, meaning: str = "more") -> str:
    """Write by how many percent something changed; nothing where there was nothing before.

    `meaning`: `more` is good, `less` is good, or `none` is.
    """
    if not before:
        return ""
    percent = round(100 * (now - before) / before, 1)
    sign = "+" if percent > 0 else "−" if percent < 0 else "±"
    is_good = (percent > 0) == (meaning == "more")
    kind = "" if not percent or meaning == "none" else " delta-good" if is_good else " delta-bad"
    return format_html(
        '<span class="delta{}">{}{}</span>', kind, sign, spoken.percentage(_digits(abs(percent)))
    )


def _digits(percent: float) -> str:
    return f"{percent:,.0f}" if percent >= 100 else f"{percent:.1f}"


@register.filter
def duration(seconds: float | None) -> str:
    """Write how long something takes; nothing as an en dash."""
    if seconds is None:
        return "–"
    if seconds < _MINUTE:
        return _("under 1 min")
    if seconds < _HOUR:
        return _("%(n)d min") % {"n": seconds // _MINUTE}
    if seconds < _DAY:
        hours, minutes = divmod(int(seconds) // _MINUTE, 60)
        return _("%(hours)d h %(minutes)02d") % {"hours": hours, "minutes": minutes}
    if seconds < 14 * _DAY:
        return _("%(n)d h") % {"n": seconds // _HOUR}
    return _("%(n)s days") % {"n": spoken.whole(int(seconds // _DAY))}


@register.filter
def hours(milliseconds: int) -> str:
    """Write a playtime in whole hours, one decimal of few."""
    value = milliseconds / 3_600_000
    return spoken.spelled(f"{value:,.1f}" if 0 < value < 10 else f"{value:,.0f}")


@register.filter
def figure(value: float) -> str:
    """Write a value of a distribution: as many digits as tell something."""
    if value == int(value):
        return spoken.whole(int(value))
    return spoken.spelled(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}")


@register.simple_tag
def heat_cells(percents: Sequence[float | None]) -> str:
    """Write the cells of a line of a heat map, all at once: a map has up to three thousand of them."""
    unknown = format_html('<span class="visually-hidden">{}</span>', _("not yet"))
    return format_html_join(
        "",
        '<td class="num heat-{}">{}</td>',
        (("none", unknown) if one is None else (bisect_right(_HEAT, one), _whole(one)) for one in percents),
    )


def _whole(percent: float) -> str:
    """Write a percent without decimals, unless that would say none of what is some."""
    return spoken.average(percent) if 0 < percent < 1 else str(int(percent + 0.5))


@register.filter
def bucket(day: date, step: Step) -> str:
    """Write a day; a month by its name and year."""
    return spoken.day(day, "M Y" if step == "month" else "j M")


@register.simple_tag
def spark(values: Sequence[float]) -> str:
    """Draw a small line over its area; a flat one where there is nothing."""
    if len(values) < 2:
        return ""
    most = max(values) or 1
    step = _WIDE / (len(values) - 1)
    points = [(n * step, _EDGE + (_HIGH - 2 * _EDGE) * (1 - value / most)) for n, value in enumerate(values)]
    line = " ".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(points))
    return format_html(
        '<svg class="spark" viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="spark-area" d="{0} L100 32 L0 32Z"/><path class="spark-line" d="{0}"/></svg>',
        line,
    )


@register.simple_tag
def funnel_bar(percent: float | None, before: float | None) -> str:
    """Draw how many went so far, and before that how many the step lost."""
    return format_html(
        '<svg class="bar funnel-bar" aria-hidden="true"><rect width="100%" height="100%"/>'
        '<rect class="lost" width="{}%" height="100%"/><rect class="fill" width="{}%" height="100%" rx="4"/></svg>',
        f"{before or 0:.1f}",
        f"{percent or 0:.1f}",
    )


@register.filter
def is_small(sample: int | None) -> bool:
    """Say whether a sample is so small that it is named."""
    return sample is not None and sample < SMALL_SAMPLE
