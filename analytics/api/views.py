"""GET /games/{game_id}/analytics/…: what a studio sees of a game."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.authentication import named_game
from accounts.selectors import GameInfo
from analytics import tables
from analytics.api import documents, examples, shapes
from analytics.api.answers import csv_answer, json_answer, wants_csv
from analytics.asking import Asked, asked, steps_named
from analytics.selectors import achievements, activity, boards, cohorts, freshness, funnels, spreads
from analytics.tables import Table
from core import clock
from core.clock import rfc3339
from core.endpoint import PAGE_PARAMETERS, Endpoint, page, read_limit
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Malformed
from stats.selectors import definitions as stats

_TABLES = {"quantiles": tables.quantiles, "bars": tables.bars}
_WINDOWED = [documents.GAME, documents.WINDOW, documents.UNTIL, documents.FORMAT]


class _Figures(Endpoint):
    """What all of them share."""

    scopes = {"GET": "analytics:read"}
    query = frozenset({"window", "until", "format"})


def _asked(request: Request, game: GameInfo) -> tuple[Asked, datetime]:
    """Return what is asked, and how fresh it is, which is looked at before the figures are."""
    now = clock.now()
    return asked(request.GET, game_id=game.id, now=now), freshness.as_of(now=now)


def _answer(
    request: Request, game: GameInfo, about: Asked, table: Table, *, as_of: datetime, **data: Any
) -> HttpResponse:
    """Answer a window's figures, or their table."""
    if wants_csv(request):
        return csv_answer(request, game, table, until=about.span.until.isoformat(), as_of=as_of)
    return json_answer(request, {**shapes.about(about), **data}, as_of=as_of)


class OverviewView(_Figures):
    """How many played and unlocked."""

    query = _Figures.query | {"compare"}

    @extend_schema(
        operation_id="get_analytics_overview",
        summary="Tell how many played and unlocked",
        description=(
            f"Players (each once in a day, 7 and 30 days), new and returning ones, unlocks, points and playtime. "
            f"{documents.ABOUT_WINDOWS}"
        ),
        tags=documents.TAGS,
        parameters=[*_WINDOWED, documents.COMPARE],
        responses=documents.answers(documents.AnalyticsOverview),
        examples=[examples.OVERVIEW],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer the window by its buckets."""
        game = named_game(request, game_id)
        about, as_of = _asked(request, game)
        listed = activity.buckets(game.id, about.span)
        before = activity.buckets(game.id, about.before) if about.before else None
        shown = shapes.span(about.span, listed)
        compared = shapes.span(about.before, before) if about.before and before else None
        return _answer(
            request, game, about, tables.overview(listed, before), as_of=as_of, **shown, before=compared
        )


class AchievementsView(_Figures):
    """Who has which achievements, and how long that took."""

    query = _Figures.query | {"limit", "cursor"}

    @extend_schema(
        operation_id="get_analytics_achievements",
        summary="Tell how achievements are unlocked",
        description=(
            "Each published achievement: who has it, unlocks within the window, and how long it takes from a player's "
            "first sign in the game. What most have comes first. A file holds all of them. "
            f"{documents.ABOUT_WINDOWS}"
        ),
        tags=documents.TAGS,
        parameters=[*_WINDOWED, *PAGE_PARAMETERS],
        responses=documents.answers(documents.AnalyticsAchievementPage),
        examples=[examples.ACHIEVEMENTS],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer a page of achievements, or the file."""
        game = named_game(request, game_id)
        (about, as_of), limit = _asked(request, game), read_limit(request)
        kind, cursor = f"analytics achievements {game.id}", request.GET.get("cursor")
        after = decode_cursor(kind, cursor) if cursor is not None else None
        rows = achievements.rows(game.id, about.span)
        ahead = [row for row in rows if after is None or list(row.position) > after]
        shown, goes_on = ahead[:limit], len(ahead) > limit
        data = page(
            [shapes.achievement(row) for row in shown],
            next_cursor=encode_cursor(kind, list(shown[-1].position)) if goes_on else None,
            times_as_of=rfc3339(rows[0].times_as_of) if rows and rows[0].times_as_of else None,
        )
        return _answer(request, game, about, tables.achievements(rows), as_of=as_of, **data)


class RetentionView(_Figures):
    """Who came back."""

    @extend_schema(
        operation_id="get_analytics_retention",
        summary="Tell how many players come back",
        description=(
            "The players of each first day within the window (week, month), and how many of them were there 0 to 30 "
            f"days later. {documents.ABOUT_WINDOWS}"
        ),
        tags=documents.TAGS,
        parameters=_WINDOWED,
        responses=documents.answers(documents.AnalyticsRetention),
        examples=[examples.RETENTION],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer the cohorts."""
        game = named_game(request, game_id)
        about, as_of = _asked(request, game)
        listed = cohorts.steps(game.id, about.span, today=about.today)
        return _answer(
            request,
            game,
            about,
            tables.retention(listed),
            as_of=as_of,
            cohorts=[shapes.cohort(one) for one in listed],
            average_percent=[tables.rounded(share) for share in cohorts.average(listed)],
        )


class FunnelView(_Figures):
    """Where players stop."""

    query = frozenset({"achievements", "format"})

    @extend_schema(
        operation_id="get_analytics_funnel",
        summary="Tell where players stop",
        description=(
            "How many players unlocked a sequence of achievements in that order, none earlier than the one before, of "
            "all time. Who is banned or excluded is not counted."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.STEPS, documents.FORMAT],
        responses=documents.answers(documents.AnalyticsFunnel),
        examples=[examples.FUNNEL],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer the steps."""
        game = named_game(request, game_id)
        text = request.GET.get("achievements")
        steps = funnels.usual_steps(game.id) if text is None else steps_named(game.id, text)
        found = funnels.funnel(game.id, [one.id for one in steps]) if steps else None
        listed = tables.steps(((one.key, one.name) for one in steps), found.reached if found else ())
        as_of = found.as_of if found else freshness.as_of(now=clock.now())
        if wants_csv(request):
            until = as_of.date().isoformat()
            return csv_answer(request, game, tables.funnel(listed), until=until, as_of=as_of)
        return json_answer(request, {"steps": [shapes.step(one) for one in listed]}, as_of=as_of)


class LeaderboardsView(_Figures):
    """How busy boards are."""

    @extend_schema(
        operation_id="get_analytics_leaderboards",
        summary="Tell how busy leaderboards are",
        description=f"The game's own boards; that of points follows unlocks. {documents.ABOUT_WINDOWS}",
        tags=documents.TAGS,
        parameters=_WINDOWED,
        responses=documents.answers(documents.AnalyticsBoards),
        examples=[examples.BOARDS],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer the boards."""
        game = named_game(request, game_id)
        about, as_of = _asked(request, game)
        rows = boards.rows(game.id, about.span)
        return _answer(
            request,
            game,
            about,
            tables.boards(rows),
            as_of=as_of,
            results=[shapes.board(row) for row in rows],
        )


class RegionsView(_Figures):
    """Where players are."""

    @extend_schema(
        operation_id="get_analytics_regions",
        summary="Tell which regions players are of",
        description=f"A player's region as it was on the day. {documents.ABOUT_WINDOWS}",
        tags=documents.TAGS,
        parameters=_WINDOWED,
        responses=documents.answers(documents.AnalyticsRegions),
        examples=[examples.REGIONS],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer the regions."""
        game = named_game(request, game_id)
        about, as_of = _asked(request, game)
        rows = activity.regions(game.id, about.span)
        return _answer(
            request,
            game,
            about,
            tables.regions(rows),
            as_of=as_of,
            results=[shapes.region(row) for row in rows],
        )


class DistributionsView(_Figures):
    """How achievements, playtime and values are spread."""

    query = frozenset({"format", "table"})

    @extend_schema(
        operation_id="get_analytics_distributions",
        summary="Tell how completion, playtime and stats are spread",
        description=(
            "Of all players who count for rarity; taken a few times an hour, `as_of` says when. Bars reach from the "
            "least value to the 95th percentile, and the last one holds what is more."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.FORMAT, documents.TABLE],
        responses=documents.answers(documents.AnalyticsDistributions),
        examples=[examples.DISTRIBUTIONS],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer what was taken of the game."""
        game = named_game(request, game_id)
        named = request.GET.get("table", "quantiles")
        if named not in (*_TABLES, "completion"):
            raise Malformed(f"`table` is {named[:40]!r}; it takes quantiles, bars or completion.")
        taken = spreads.taken(game.id)
        listed = [one for one in stats.fresh_stats(game.id).values() if not one.archived]
        if not wants_csv(request):
            return json_answer(
                request, shapes.distributions(taken, listed), as_of=taken.as_of if taken else None
            )
        about = [(one.id, one.key, one.name) for one in listed]
        table = _TABLES[named](taken, about) if named in _TABLES else tables.completion(taken)
        until = taken.as_of.date().isoformat() if taken else ""
        return csv_answer(request, game, table, until=until, as_of=taken.as_of if taken else None)
