"""Addresses of signing in by Steam, below those of allauth."""

from django.urls import path

from accounts.steam import views

urlpatterns = [
    path("steam/login/", views.steam_login, name="steam_login"),
    path("steam/login/callback/", views.steam_callback, name="steam_callback"),
]
