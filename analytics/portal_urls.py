"""Addresses of the portal's pages of what a studio sees of its games."""

from django.urls import path

from analytics.portal import exports, files, funnel, home, pages, usage

_GAME = "portal/<uuid:studio>/games/<uuid:game>"
urlpatterns = [
    path("portal/<uuid:studio>/", home.home, name="portal-home"),
    path("portal/<uuid:studio>/usage", usage.usage_page, name="portal-usage"),
    path("portal/<uuid:studio>/exports", exports.exports, name="portal-exports"),
    path("portal/<uuid:studio>/exports/list", exports.exports_list, name="portal-exports-list"),
    path("portal/<uuid:studio>/exports/<uuid:export>/file", exports.export_file, name="portal-export-file"),
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
