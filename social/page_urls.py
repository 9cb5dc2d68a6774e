"""Addresses of the players' pages and the front page."""

from django.urls import path

from social import inbox_pages, search_pages
from social.pages import compare, friends, front, profile, sharing

urlpatterns = [
    path("", front.home, name="home"),
    path("me/inbox", inbox_pages.inbox, name="player-inbox"),
    path("me/inbox/read", inbox_pages.read, name="read-player-inbox"),
    path("me/inbox/preferences", inbox_pages.preferences, name="player-inbox-preferences"),
    path("me/friends", friends.friends, name="friends"),
    path("me/friends/<uuid:player_id>", friends.act, name="friend-act"),
    path("search", search_pages.search, name="player-search"),
    path("players/<uuid:player_id>", profile.player, name="player"),
    path("players/<uuid:player_id>/card.png", sharing.card, name="player-card"),
    path("players/<uuid:player_id>/badge.svg", sharing.badge, name="player-badge"),
    path("players/<uuid:player_id>/feed.atom", sharing.feed, name="player-feed"),
    path("players/<uuid:player_id>/games/<uuid:game_id>", profile.game, name="player-game"),
    path("players/<uuid:player_id>/compare/<uuid:other_id>", compare.compare, name="compare"),
]
