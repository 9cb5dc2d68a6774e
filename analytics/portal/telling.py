"""What pages of analytics say in words, and what their charts are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.distributions import Spread, at_least
from analytics.rules.windows import Span
from analytics.selectors import activity
from analytics.selectors.activity import Bucket
from analytics.selectors.cohorts import Cohort
from analytics.templatetags.figures import figure
from core import spoken
from core.templatetags import laurel

_ACTIVE: Final[dict[str, Promise]] = {
    "day": gettext_lazy("Daily players"),
    "week": gettext_lazy("Weekly players"),
    "month": gettext_lazy("Monthly players"),
}
_AVERAGES: Final[dict[str, Promise]] = {
    "day": gettext_lazy("average of %(n)d days"),
    "week": gettext_lazy("average of %(n)d weeks"),
    "month": gettext_lazy("average of %(n)d months"),
}
_SO_FAR: Final[dict[str, Promise]] = {
    "day": gettext_lazy("today so far"),
    "week": gettext_lazy("this week so far"),
    "month": gettext_lazy("this month so far"),
}
HEAT_AGES: Final = (0, 1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 30)


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure of the strip; `before` is what it is compared with, None if nothing; `line` is drawn small."""

    label: str
    value: float
    before: float | None
    about: str
    line: tuple[float, ...] = ()

    @property
    def shown(self) -> str:
        """The value as it is written: averages of many are whole, and small ones never read as nothing."""
        is_whole = self.value == int(self.value)
        return spoken.whole(int(self.value)) if is_whole else spoken.average(self.value)


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A line of the heat map: the percent of each age, None for what is not over."""

    day: date | None
    players: int
    cells: tuple[float | None, ...]


def active(step: str) -> str:
    """Return what the active players of a step are called."""
    return str(_ACTIVE[step])


def freshness(as_of: datetime, *, now: datetime) -> str:
    """Say until when everything is counted, and how far behind that is."""
    at = f"{as_of.astimezone(UTC):%H:%M}"
    behind = int((now - as_of).total_seconds() // 60)
    if behind < 1:
        return _("As of %(at)s UTC") % {"at": at}
    if behind >= 24 * 60:
        return _("As of %(day)s, %(at)s UTC") % {"day": spoken.day(as_of), "at": at}
    late = ngettext("one minute behind", "%(n)d minutes behind", behind) % {"n": behind}
    return _("As of %(at)s UTC, %(late)s") % {"at": at, "late": late}


def kpis(
    span: Span, listed: list[Bucket], before: list[Bucket] | None, *, ever: int, so_far: bool
) -> list[Kpi]:
    """Return the strip of a window's figures."""
    now, then = activity.totals(listed), activity.totals(before) if before else None
    average = str(_AVERAGES[span.step]) % {"n": len(listed)}
    if so_far:
        average = f"{average}, {_SO_FAR[span.step]}"
    share = _("%(percent)s of all who ever played") % {"percent": _percent(now.new, ever)}
    players = {"7d": now.weekly, "30d": now.monthly, "all": ever}.get(span.name)
    each = (
        _("per player: %(n)s") % {"n": spoken.average(now.unlocks / players)}
        if players
        else _("%(points)s points") % {"points": spoken.whole(now.points)}
    )
    month = (_("Monthly players"), now.monthly, then.monthly if then else None, _("of 30 days, each once"))
    week = (_("Weekly players"), now.weekly, then.weekly if then else None, _("of 7 days, each once"))
    return [
        Kpi(active(span.step), now.active, then.active if then else None, average),
        Kpi(*(week if span.step == "month" else month)),
        Kpi(_("New players"), now.new, then.new if then else None, share),
        Kpi(_("Unlocks"), now.unlocks, then.unlocks if then else None, each),
    ]


def _percent(part: int, whole: int) -> str:
    return _share(100 * part / whole if whole else 0.0)


def _share(percent: float) -> str:
    """Return a percentage without decimals, but for one that would read as nothing."""
    if 0 < percent < 0.5:
        return laurel.percent(percent)
    return spoken.percentage(f"{percent:.0f}")


def dates(span: Span) -> str:
    """Return a span's first and last day."""
    years = span.since.year != span.until.year or span.step == "month"
    style = "j M Y" if years else "j M"
    return f"{spoken.day(span.since, style)} – {spoken.day(span.until, style)}"


def before_label(span: Span) -> str:
    """Return what the span before is called."""
    return _("a year before") if span.name == "365d" else _("%(n)d days before") % {"n": span.days}


def line_data(span: Span, listed: Sequence[Bucket], before: Sequence[Bucket] | None) -> dict[str, Any]:
    """Return what the chart of active players is drawn from."""
    series = [{"label": dates(span), "values": [one.active for one in listed]}]
    if before:
        series.append({"label": before_label(span), "values": [one.active for one in before]})
    return {"kind": "time", "step": span.step, "x": [_midnight(one.at) for one in listed], "series": series}


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def line_finding(span: Span, listed: Sequence[Bucket], *, so_far: bool) -> str:
    """Say in a sentence what the chart of active players shows; a step that is not over is left out."""
    over = list(listed[:-1] if so_far and len(listed) > 1 else listed)
    first, last, most = over[0], over[-1], max(over, key=lambda one: one.active)
    if not most.active:
        return _("Nobody played in this span. The table has every step.")
    verb = (
        _("rose from %(a)s to %(b)s")
        if last.active > first.active
        else _("fell from %(a)s to %(b)s")
        if last.active < first.active
        else _("were %(a)s at both ends")
    ) % {"a": spoken.whole(first.active), "b": spoken.whole(last.active)}
    return _(
        "%(what)s %(verb)s within %(dates)s; the most were %(most)s on %(day)s. The table has every step."
    ) % {
        "what": active(span.step),
        "verb": verb,
        "dates": dates(span),
        "most": spoken.whole(most.active),
        "day": spoken.day(most.at, "j M"),
    }


def heat(listed: Sequence[Cohort], average: Sequence[float | None], ages: Sequence[int]) -> list[HeatRow]:
    """Return the lines of a heat map, those without players left out; the average of all comes first."""
    rows = [
        HeatRow(one.day, one.players, tuple(one.percent(age) for age in ages))
        for one in listed
        if one.players
    ]
    total = sum(one.players for one in listed)
    return [HeatRow(None, total, tuple(average[age] for age in ages)), *rows] if rows else []


def retention_finding(average: Sequence[float | None]) -> str:
    """Say how many came back after a day, a week and a month."""
    known = [
        _("%(percent)s after %(age)s") % {"percent": _share(share), "age": word}
        for age, word in ((1, _("a day")), (7, _("a week")), (30, _("30 days")))
        if (share := average[age]) is not None
    ]
    return _("Came back: %(list)s.") % {"list": ", ".join(known)} if known else _("No day is over yet.")


def completion_data(counted: Sequence[int]) -> dict[str, Any]:
    """Return what the completion curve is drawn from: how many percent have at least so many achievements."""
    players = sum(counted)
    shares = [100 * more / players for more in at_least(counted)]
    return {
        "kind": "curve",
        "unit": spoken.percentage(""),
        "x": list(range(len(counted))),
        "series": [{"label": _("players"), "values": [round(share, 2) for share in shares]}],
    }


def completion_finding(counted: Sequence[int]) -> str:
    """Say how many achievements half of the players have."""
    players = sum(counted)
    half = max((n for n, more in enumerate(at_least(counted)) if 2 * more >= players), default=0)
    return _(
        "Half of %(players)s players have %(half)d achievements or more; %(all)s have the most, %(most)d."
    ) % {
        "players": spoken.whole(players),
        "half": half,
        "all": spoken.whole(counted[-1]),
        "most": len(counted) - 1,
    }


def bars_data(spread: Spread, *, unit: str = "") -> dict[str, Any]:
    """Return what a histogram is drawn from."""
    return {
        "kind": "bars",
        "unit": unit,
        "edges": [*(one[0] for one in spread.bars), spread.bars[-1][1]],
        "values": [int(one[2]) for one in spread.bars],
        "marks": [
            {"label": "p10", "at": spread.p10},
            {"label": "p50", "at": spread.p50},
            {"label": "p90", "at": spread.p90},
        ],
    }


def bars_finding(spread: Spread, *, unit: str = "") -> str:
    """Say between what most players lie."""
    return _(
        "Half of %(players)s players have %(half)s or less; a tenth %(few)s or less, a tenth %(many)s or more."
    ) % {
        "players": spoken.whole(spread.players),
        "half": figure(spread.p50) + unit,
        "few": figure(spread.p10) + unit,
        "many": figure(spread.p90) + unit,
    }
