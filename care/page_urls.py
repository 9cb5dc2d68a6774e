"""Addresses of what a player does with his own data."""

from django.urls import path

from care import pages

urlpatterns = [
    path("me/settings/export", pages.export, name="player-export"),
    path("me/settings/erase", pages.erase, name="player-erase"),
]
