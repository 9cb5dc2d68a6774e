"""Addresses of achievements outside the API and the portal."""

from django.urls import path

from achievements import pages, report_pages
from core import picture_pages  # noqa: F401 - names the converters

urlpatterns = [
    path("media/icons/<uuid:game>/<digest:digest>-<side:side>.webp", pages.icon, name="icon"),
    path("games/<uuid:game_id>/report", report_pages.report, name="report-achievement"),
]
