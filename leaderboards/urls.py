"""Addresses of leaderboards under /api/v1/."""

from django.urls import path

from leaderboards.api.boards import (
    AroundPlayerView,
    BoardView,
    GameBoardView,
    GlobalBoardView,
    PlayerRankView,
    WhatIfView,
)
from leaderboards.api.definitions import BoardDefinitionsView, BoardDefinitionView
from leaderboards.api.moderation import DeleteView, HideView, ResetView, RestoreView
from leaderboards.api.periods import PeriodsView, PeriodView, StandingsView
from leaderboards.api.plausibility import BoardPlausibilityView
from leaderboards.api.ranks import PlayerRanksView
from leaderboards.api.scores import ScoreBatchView, ScoresView
from leaderboards.api.snapshots import RankHistoryView, SnapshotsView, SnapshotView

urlpatterns = [
    path("leaderboards/global", GlobalBoardView.as_view()),
    path("leaderboards/<str:game_id>", GameBoardView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>", BoardView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/around/<path:player>", AroundPlayerView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/rank", WhatIfView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/scores", ScoresView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/scores/batch", ScoreBatchView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/plausibility", BoardPlausibilityView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/periods", PeriodsView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/periods/<str:period>", PeriodView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/periods/<str:period>/standings", StandingsView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/snapshots", SnapshotsView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/snapshots/<str:snapshot>", SnapshotView.as_view()),
    # A studio's id for a player may hold a slash, so the longer addresses come first.
    path("leaderboards/<str:game_id>/<str:board>/players/<path:player>/history", RankHistoryView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/players/<path:player>/hide", HideView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/players/<path:player>/restore", RestoreView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/players/<path:player>/delete", DeleteView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/players/<path:player>", PlayerRankView.as_view()),
    path("games/<str:game_id>/leaderboards", BoardDefinitionsView.as_view()),
    path("games/<str:game_id>/leaderboards/<path:key>/reset", ResetView.as_view()),
    path("games/<str:game_id>/leaderboards/<path:key>", BoardDefinitionView.as_view()),
    path("players/<path:player>/ranks", PlayerRanksView.as_view()),
]
