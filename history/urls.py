"""Addresses of history under /api/v1/."""

from django.urls import path

from history.api.dashboards import DashboardView
from history.api.recaps import RecapView
from history.api.trends import TrendsView

urlpatterns = [
    path("players/<path:player>/dashboard", DashboardView.as_view()),
    path("players/<path:player>/recap", RecapView.as_view()),
    path("players/<path:player>/trends", TrendsView.as_view()),
]
