"""Addresses of the portal's pages of studios, members, games, keys and the audit log."""

from django.urls import path

from accounts.portal import home

urlpatterns = [
    path("portal/", home.door, name="portal"),
    path("portal/new", home.new_studio, name="new-studio"),
]
