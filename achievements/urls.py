"""Addresses of achievements under /api/v1/."""

from django.urls import path

from achievements.api.unlocks import BatchView, UnlockView

urlpatterns = [
    path("achievements/unlock", UnlockView.as_view()),
    path("achievements/unlock/batch", BatchView.as_view()),
]
