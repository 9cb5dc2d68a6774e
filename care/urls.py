"""Addresses of care under /api/v1/."""

from django.urls import path

from care.api.exports import ExportView

urlpatterns = [path("players/<path:player>/export", ExportView.as_view())]
