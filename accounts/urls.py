"""Addresses of accounts under /api/v1/."""

from django.urls import path

from accounts.api.exclusions import ExclusionView
from accounts.api.games import GamesView, GameView
from accounts.api.links import LinkCodeView, LinkView
from accounts.api.players import PlayerTokenView, PlayerView

# A studio's id for a player may hold a slash, so the longer addresses come first.
urlpatterns = [
    path("games", GamesView.as_view()),
    path("games/<str:game_id>", GameView.as_view()),
    path("players/<path:player>/token", PlayerTokenView.as_view()),
    path("players/<path:player>/link-code", LinkCodeView.as_view()),
    path("players/<path:player>/link", LinkView.as_view()),
    path("players/<path:player>/exclusion", ExclusionView.as_view()),
    path("players/<path:player>", PlayerView.as_view()),
]
