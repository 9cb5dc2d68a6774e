"""Addresses of the portal's pages of studios, members, games, keys and the audit log."""

from django.urls import path

from accounts.portal import audit, home

urlpatterns = [
    path("portal/", home.door, name="portal"),
    path("portal/new", home.new_studio, name="new-studio"),
    path("portal/<uuid:studio>/", home.home, name="portal-home"),
    path("portal/<uuid:studio>/audit", audit.audit_log, name="portal-audit"),
    path("portal/<uuid:studio>/audit.csv", audit.audit_file, name="portal-audit-file"),
]
