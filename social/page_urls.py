"""Addresses of the players' pages and the front page."""

from django.urls import path

from social import pages, search_pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("demo", pages.demo, name="demo"),
    path("demo/fragment", pages.live_fragment, name="demo-fragment"),
    path("search", search_pages.search, name="player-search"),
    path("players/<uuid:player_id>", pages.player, name="player"),
    path("players/<uuid:player_id>/games/<uuid:game_id>", pages.game, name="player-game"),
]
