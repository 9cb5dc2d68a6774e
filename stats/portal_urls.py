"""Addresses of the portal's pages of stats. They name a stat by its id: a key may hold slashes."""

from django.urls import path

from stats.portal import pages

_GAME = "portal/<uuid:studio>/games/<uuid:game>"
_STAT = f"{_GAME}/stats/<uuid:stat>"

urlpatterns = [
    path(f"{_GAME}/stats", pages.stats, name="portal-stats"),
    path(f"{_GAME}/stats/new", pages.new_stat, name="new-stat"),
    path(_STAT, pages.stat, name="portal-stat"),
    path(f"{_STAT}/archive", pages.archive, name="archive-stat"),
    path(f"{_STAT}/delete", pages.delete, name="delete-stat"),
]
