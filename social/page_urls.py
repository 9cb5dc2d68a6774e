"""Addresses of the front page, of profiles and what is shared of them, of friends and comparisons."""

from django.urls import path

from social.pages import compare, friends, front, profile, sharing

urlpatterns = [
    path("", front.home, name="home"),
    path("demo", front.demo, name="demo"),
    path("demo/fragment", front.live_fragment, name="demo-fragment"),
    path("players/<uuid:player_id>", profile.player, name="player"),
    path("players/<uuid:player_id>/card.png", sharing.card, name="player-card"),
    path("players/<uuid:player_id>/badge.svg", sharing.badge, name="player-badge"),
    path("players/<uuid:player_id>/feed.atom", sharing.feed, name="player-feed"),
    path("players/<uuid:player_id>/games/<uuid:game_id>", profile.game, name="player-game"),
    path("players/<uuid:player_id>/compare/<uuid:other_id>", compare.compare, name="compare"),
    path("me/friends", friends.friends, name="friends"),
    path("me/friends/<uuid:player_id>", friends.act, name="friend-act"),
]
