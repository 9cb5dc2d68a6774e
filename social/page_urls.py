"""Addresses of the players' pages and the front page."""

from django.urls import path

from social import inbox_pages, pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("me/inbox", inbox_pages.inbox, name="player-inbox"),
    path("me/inbox/read", inbox_pages.read, name="read-player-inbox"),
    path("me/inbox/preferences", inbox_pages.preferences, name="player-inbox-preferences"),
    path("players/<uuid:player_id>", pages.player, name="player"),
    path("players/<uuid:player_id>/games/<uuid:game_id>", pages.game, name="player-game"),
]
