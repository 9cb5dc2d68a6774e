"""The tables of analytics as files: what a page shows, in full."""

from collections.abc import Callable
from typing import Final

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from analytics import tables
from analytics.portal.funnel import steps_of
from analytics.portal.state import State, state
from analytics.selectors import achievements, activity, boards, cohorts, funnels, spreads
from analytics.tables import Table
from core import csv_files
from stats.selectors import definitions as stats


def _overview(here: State) -> Table:
    about = here.asked
    before = activity.buckets(here.game.id, about.before) if about.before else None
    return tables.overview(activity.buckets(here.game.id, about.span), before)


def _funnel(here: State) -> Table:
    steps = steps_of(here)
    reached = funnels.funnel(here.game.id, [one.id for one in steps]).reached if steps else ()
    return tables.funnel(tables.steps(((one.key, one.name) for one in steps), reached))


def _named_stats(here: State) -> list[tuple[int, str, str]]:
    listed = stats.fresh_stats(here.game.id).values()
    return [(one.id, one.key, one.name) for one in listed if not one.archived]


FILES: Final[dict[str, Callable[[State], Table]]] = {
    "overview": _overview,
    "achievements": lambda here: tables.achievements(achievements.rows(here.game.id, here.asked.span)),
    "retention": lambda here: tables.retention(
        cohorts.steps(here.game.id, here.asked.span, today=here.asked.today)
    ),
    "funnel": _funnel,
    "leaderboards": lambda here: tables.boards(boards.rows(here.game.id, here.asked.span)),
    "regions": lambda here: tables.regions(activity.regions(here.game.id, here.asked.span)),
    "quantiles": lambda here: tables.quantiles(spreads.taken(here.game.id), _named_stats(here)),
    "bars": lambda here: tables.bars(spreads.taken(here.game.id), _named_stats(here)),
    "completion": lambda here: tables.completion(spreads.taken(here.game.id)),
}


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def table_file(request: HttpRequest, visit: Visit, table: str) -> HttpResponseBase:
    """Send a table as a file."""
    if table not in FILES:
        raise Http404
    here = state(request, visit, "portal-analytics")
    made = FILES[table](here)
    name = csv_files.file_name(made.name, here.game.title, here.asked.span.until.isoformat())
    return csv_files.answer(name, made.head, made.rows)
