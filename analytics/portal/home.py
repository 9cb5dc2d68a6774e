"""A studio's home: the way to the first unlock, what needs somebody, and its games."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import add
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import needs
from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from analytics.portal import telling
from analytics.portal.telling import Kpi
from analytics.selectors import beginning, freshness, overview, studio
from analytics.selectors.beginning import FIRST_PLAYER, STEPS
from analytics.selectors.studio import WEEK, Day
from core import clock, spoken

MOST_NEEDS: Final = 3


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def home(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what needs the visitor, and the studio's games."""
    now = clock.now()
    found = needs.needs(visit, at=now)
    context = {
        **_way(visit),
        **_figures(visit, now),
        "here": "home",
        "needs": found[:MOST_NEEDS],
        "more_needs": len(found) - MOST_NEEDS,
        "needs_count": len(found),
        "looked_at": now,
    }
    return render(request, "portal/home.html", context)


def _figures(visit: Visit, now: datetime) -> dict[str, object]:
    """Return the studio's games, each with its days, and what they come to together."""
    as_of = freshness.as_of(now=now)
    by_game = studio.days([game.id for game in visit.games], until=now.astimezone(UTC).date())
    together = [reduce(add, days) for days in zip(*by_game.values(), strict=True)]
    rows = [
        (row, by_game[row.game.id][-1].active, _line(by_game[row.game.id]))
        for row in overview.games(visit.games)
    ]
    return {
        "rows": rows,
        "kpis": kpis(together, games=len(by_game)) if any(day.active for day in together) else [],
        "fresh": telling.freshness(as_of, now=now),
    }


def _line(days: Sequence[Day]) -> tuple[float, ...]:
    return tuple(day.active for day in days)


def kpis(days: Sequence[Day], *, games: int) -> list[Kpi]:
    """Return what a studio's last days come to, two weeks of them or more."""
    today = _("%(n)s yesterday") % {"n": spoken.whole(days[-2].active)}
    if games > 1:
        today = _("%(today)s; games added up") % {"today": today}
    week, earlier = reduce(add, days[-WEEK:]), reduce(add, days[-2 * WEEK : -WEEK])
    return [
        Kpi(_("Players today"), days[-1].active, None, today, _line(days)),
        _of_week(_("New players, 7 days"), week.new, earlier.new, tuple(day.new for day in days)),
        _of_week(_("Unlocks, 7 days"), week.unlocks, earlier.unlocks, tuple(day.unlocks for day in days)),
        _of_week(_("Points, 7 days"), week.points, earlier.points, tuple(day.points for day in days)),
    ]


def _of_week(label: str, week: float, earlier: float, line: tuple[float, ...]) -> Kpi:
    """Return a week's figure; after a week of nothing there is no change in percent to be about."""
    about = _("vs the 7 days before") if earlier else _("0 in the 7 days before")
    return Kpi(label, week, earlier, about, line)


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def first_steps(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the checklist alone: a page that waits for the first unlock asks for it every other second."""
    return render(request, "portal/home/first_steps.html", _way(visit))


def _way(visit: Visit) -> dict[str, object]:
    return {
        "visit": visit,
        "way": beginning.beginning(visit.studio.studio_id, visit.game),
        "steps": len(STEPS),
        "player": FIRST_PLAYER,
        "public_url": settings.PUBLIC_URL,
    }
