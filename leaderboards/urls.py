"""Addresses of leaderboards under /api/v1/."""

from django.urls import path

from leaderboards.api.boards import (
    AroundPlayerView,
    BoardView,
    GameBoardView,
    GlobalBoardView,
    PlayerRankView,
)

urlpatterns = [
    path("leaderboards/global", GlobalBoardView.as_view()),
    path("leaderboards/<str:game_id>", GameBoardView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>", BoardView.as_view()),
    # A studio's id for a player may hold a slash.
    path("leaderboards/<str:game_id>/<str:board>/players/<path:player>", PlayerRankView.as_view()),
    path("leaderboards/<str:game_id>/<str:board>/around/<path:player>", AroundPlayerView.as_view()),
]
