"""Addresses of the players' pages and the front page."""

from django.urls import path

from social import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("players/<uuid:player_id>", pages.player, name="player"),
    path("players/<uuid:player_id>/games/<uuid:game_id>", pages.game, name="player-game"),
]
