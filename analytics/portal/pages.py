"""The pages of a game's analytics: overview, achievements, retention, boards and stats."""

from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from analytics import tables
from analytics.distributions import Taken, at_least
from analytics.portal import telling
from analytics.portal.sorting import sorted_rows, sorts
from analytics.portal.state import State, state
from analytics.selectors import achievements, activity, boards, cohorts, freshness, funnels, spreads
from core import clock
from stats.selectors import definitions as stats

FEW_COHORTS: Final = 9
FEW_ACHIEVEMENTS: Final = 7
FEW_REGIONS: Final = 12
A_PAGE: Final = 50


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def overview(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show whether the game does better than before."""
    here = state(request, visit, "portal-analytics")
    shown, game, span = head(here), here.game, here.asked.span
    if shown["ever"]:
        listed = activity.buckets(game.id, span)
        before = activity.buckets(game.id, here.asked.before) if here.asked.before else None
        steps = funnels.usual_steps(game.id)
        rows = achievements.rows(game.id, span)
        shown |= {
            "kpis": telling.kpis(span, listed, before, ever=shown["ever"], so_far=here.ends_today),
            **_chart(here, listed, before),
            **_retention(here, telling.HEAT_AGES, most=FEW_COHORTS),
            "steps": _steps(game.id, steps),
            "rows": rows[:FEW_ACHIEVEMENTS],
            "more": len(rows) - FEW_ACHIEVEMENTS,
            **_regions(here),
            "chart_url": here.here(view=""),
            "table_url": here.here(view="table"),
            "overview_csv": here.file("overview"),
            "regions_csv": here.file("regions"),
            "funnel_url": here.to("analytics-funnel", view=""),
            "achievements_url": here.to("analytics-achievements", view=""),
        }
    return render(request, "portal/analytics/overview.html", shown)


def head(here: State) -> dict[str, Any]:
    """Return what every tab shows above: how fresh it is, how many ever played, and where one may go."""
    now = clock.now()
    _, ever = activity.ever(here.game.id)
    return {
        "visit": here.visit,
        "here": "analytics",
        "state": here,
        "step": here.asked.span.step,
        "span": here.asked.span,
        "fresh": telling.freshness(freshness.as_of(now=now), now=now),
        "ever": ever,
        "dates": telling.dates(here.asked.span),
    }


def _chart(
    here: State, listed: list[activity.Bucket], before: list[activity.Bucket] | None
) -> dict[str, Any]:
    span = here.asked.span
    return {
        "active": telling.active(span.step),
        "before_label": telling.before_label(span) if before else "",
        "buckets": [(one, before[n] if before else None) for n, one in enumerate(listed)][::-1],
        "line": telling.line_data(span, listed, before),
        "finding": telling.line_finding(span, listed, so_far=here.ends_today),
        "as_table": here.said.get("view") == "table",
    }


def _retention(here: State, ages: tuple[int, ...], *, most: int | None = None) -> dict[str, Any]:
    listed = cohorts.steps(here.game.id, here.asked.span, today=here.asked.today)
    average = cohorts.average(listed)
    heat = telling.heat(listed, average, ages)
    return {
        "ages": ages,
        "heat": heat if most is None else heat[: most + 1],
        "average": average,
        "retention_finding": telling.retention_finding(average) if heat else "",
    }


def _steps(game_id: int, chosen: tuple[Any, ...]) -> list[tables.Step]:
    if not chosen:
        return []
    reached = funnels.funnel(game_id, [one.id for one in chosen]).reached
    return tables.steps(((one.key, one.name) for one in chosen), reached)


def _regions(here: State) -> dict[str, Any]:
    listed = activity.regions(here.game.id, here.asked.span)
    total = sum(one.active for one in listed)
    rows = [(one, 100 * one.active / total) for one in listed]
    return {"regions": rows[:FEW_REGIONS], "more_regions": len(rows) - FEW_REGIONS}


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def achievements_page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show which achievements are off."""
    here = state(request, visit, "analytics-achievements")
    shown = head(here)
    rows = sorted_rows(achievements.rows(here.game.id, here.asked.span), here.said.get("sort", ""))
    page = Paginator(rows, A_PAGE).get_page(here.said.get("page"))
    shown |= {
        "rows": page.object_list,
        "page": page,
        "earlier": here.here(page=str(page.previous_page_number())) if page.has_previous() else "",
        "further": here.here(page=str(page.next_page_number())) if page.has_next() else "",
        "sorts": sorts(here),
        "csv_url": here.file("achievements"),
        "times_as_of": rows[0].times_as_of if rows else None,
    }
    return render(request, "portal/analytics/achievements.html", shown)


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def retention(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show whether players come back."""
    here = state(request, visit, "analytics-retention")
    shown = head(here) | _retention(here, tuple(cohorts.AGES)) | {"csv_url": here.file("retention")}
    return render(request, "portal/analytics/retention.html", shown)


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def leaderboards(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show how busy boards are."""
    here = state(request, visit, "analytics-leaderboards")
    shown = head(here)
    rows = boards.rows(here.game.id, here.asked.span)
    most = max((row.scores for row in rows), default=0) or 1
    shown |= {
        "rows": [(row, 100 * row.scores / most) for row in rows],
        "csv_url": here.file("leaderboards"),
    }
    return render(request, "portal/analytics/leaderboards.html", shown)


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def stats_page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show how completion, playtime and values are spread."""
    here = state(request, visit, "analytics-stats")
    taken = spreads.taken(here.game.id)
    shown = head(here) | {
        "taken": taken,
        **_completion(here, taken),
        **_playtime(taken),
        **_values(here, taken),
    }
    shown["csv_url"] = here.file("quantiles")
    return render(request, "portal/analytics/stats.html", shown)


def _completion(here: State, taken: Taken | None) -> dict[str, Any]:
    counted = taken.completion if taken else []
    if not sum(counted):
        return {}
    return {
        "completion": telling.completion_data(counted),
        "completion_finding": telling.completion_finding(counted),
        "completion_rows": list(zip(range(len(counted)), counted, at_least(counted), strict=True)),
        "completion_players": sum(counted),
        "completion_csv": here.file("completion"),
    }


def _playtime(taken: Taken | None) -> dict[str, Any]:
    if taken is None or taken.playtime is None:
        return {}
    spread = tables.scaled(taken.playtime, 3_600_000)
    return {
        "playtime": spread,
        "playtime_bars": telling.bars_data(spread, unit=" h"),
        "playtime_finding": telling.bars_finding(spread, unit=" h"),
    }


def _values(here: State, taken: Taken | None) -> dict[str, Any]:
    """Return the stats that somebody has a value of, and the one whose bars are drawn."""
    listed = stats.fresh_stats(here.game.id).values()
    rows = [
        (one, taken.values[one.id], here.here(stat=one.key))
        for one in listed
        if taken and not one.archived and one.id in taken.values
    ]
    drawn = next((row for row in rows if row[0].key == here.said.get("stat")), rows[0] if rows else None)
    return {
        "stats": rows,
        "drawn": drawn,
        "drawn_bars": telling.bars_data(drawn[1]) if drawn else None,
        "drawn_finding": telling.bars_finding(drawn[1]) if drawn else "",
        "bars_csv": here.file("bars"),
        "has_stats": any(not one.archived for one in listed),
    }
