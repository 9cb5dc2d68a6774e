"""Addresses of the players' pages of achievements."""

from django.urls import path

from achievements import report_pages

urlpatterns = [path("games/<uuid:game_id>/report", report_pages.report, name="report-achievement")]
