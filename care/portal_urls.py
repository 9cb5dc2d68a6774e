"""Addresses of the portal's pages that ask every room: players, the inbox and the search.

Below a player lie also the addresses of rooms that do something to one.
"""

from django.urls import path

from care.portal import exporting, finding, inbox, profile, search

_ONE = "portal/<uuid:studio>/players/<uuid:player>"

urlpatterns = [
    path("portal/<uuid:studio>/inbox", inbox.inbox, name="portal-inbox"),
    path("portal/<uuid:studio>/search", search.search, name="portal-search"),
    path("portal/<uuid:studio>/search/suggestions", search.suggestions, name="portal-suggestions"),
    path("portal/<uuid:studio>/players", finding.players, name="players"),
    path(_ONE, profile.story, name="portal-player"),
    path(f"{_ONE}/achievements", profile.achievements, name="player-achievements"),
    path(f"{_ONE}/stats", profile.stats, name="player-stats"),
    path(f"{_ONE}/ranks", profile.ranks, name="player-ranks"),
    path(f"{_ONE}/sessions", profile.sessions, name="player-sessions"),
    path(f"{_ONE}/export", exporting.export, name="export-player"),
]
