"""Addresses of analytics under /api/v1/."""

from django.urls import path

from analytics.api import views
from analytics.api.facts import FactsView

_ROOT = "games/<str:game_id>/analytics"
urlpatterns = [
    path("games/<str:game_id>/facts", FactsView.as_view()),
    path(f"{_ROOT}/overview", views.OverviewView.as_view()),
    path(f"{_ROOT}/achievements", views.AchievementsView.as_view()),
    path(f"{_ROOT}/retention", views.RetentionView.as_view()),
    path(f"{_ROOT}/funnel", views.FunnelView.as_view()),
    path(f"{_ROOT}/leaderboards", views.LeaderboardsView.as_view()),
    path(f"{_ROOT}/regions", views.RegionsView.as_view()),
    path(f"{_ROOT}/distributions", views.DistributionsView.as_view()),
]
