"""Addresses of history under /api/v1/."""

from django.urls import path

from history.api.trends import TrendsView

urlpatterns = [
    path("players/<path:player>/trends", TrendsView.as_view()),
]
