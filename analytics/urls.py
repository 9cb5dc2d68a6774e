"""Addresses of analytics under /api/v1/."""

from django.urls import path

from analytics.api.facts import FactsView

urlpatterns = [
    path("games/<str:game_id>/facts", FactsView.as_view()),
]
