"""Addresses of the portal's pages of leaderboards."""

from django.urls import path

from leaderboards.portal import plausibility

_GAME = "portal/<uuid:studio>/games/<uuid:game>"

urlpatterns = [
    path(f"{_GAME}/plausibility/scores", plausibility.rules_of_scores, name="plausibility-scores"),
]
