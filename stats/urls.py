"""Addresses of stats under /api/v1/."""

from django.urls import path

from stats.api.definitions import StatDefinitionsView, StatDefinitionView
from stats.api.players import PlayerStatsView
from stats.api.reports import ReportBatchView, ReportView
from stats.api.resets import StatsResetView
from stats.api.sessions import PlaytimeView, SessionsView

urlpatterns = [
    path("stats/report", ReportView.as_view()),
    path("stats/report/batch", ReportBatchView.as_view()),
    path("stats/reset", StatsResetView.as_view()),
    path("games/<str:game_id>/stats", StatDefinitionsView.as_view()),
    # Keys and players' ids may hold slashes.
    path("games/<str:game_id>/stats/<path:key>", StatDefinitionView.as_view()),
    path("players/<path:player>/sessions", SessionsView.as_view()),
    path("players/<path:player>/playtime", PlaytimeView.as_view()),
    path("players/<path:player>/stats", PlayerStatsView.as_view()),
]
