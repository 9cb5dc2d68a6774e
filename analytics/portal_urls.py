"""Addresses of the portal's pages of what a studio sees of its games."""

from django.urls import path

from analytics.portal import files, funnel, home, pages

_GAME = "portal/<uuid:studio>/games/<uuid:game>"
urlpatterns = [
    path("portal/<uuid:studio>/", home.home, name="portal-home"),
    path(f"{_GAME}/first-steps", home.first_steps, name="first-steps"),
    path(f"{_GAME}/analytics", pages.overview, name="portal-analytics"),
    path(f"{_GAME}/analytics/achievements", pages.achievements_page, name="analytics-achievements"),
    path(f"{_GAME}/analytics/retention", pages.retention, name="analytics-retention"),
    path(f"{_GAME}/analytics/funnel", funnel.funnel, name="analytics-funnel"),
    path(f"{_GAME}/analytics/funnel/keep", funnel.keep_funnel, name="keep-funnel"),
    path(f"{_GAME}/analytics/leaderboards", pages.leaderboards, name="analytics-leaderboards"),
    path(f"{_GAME}/analytics/stats", pages.stats_page, name="analytics-stats"),
    path(f"{_GAME}/analytics/<slug:table>.csv", files.table_file, name="analytics-file"),
]
