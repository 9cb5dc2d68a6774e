"""Addresses of players' sessions in browsers, and of what somebody chooses anywhere."""

from django.urls import path

from accounts import pages
from accounts.players_pages import views
from core import picture_pages  # noqa: F401 - names the converters

urlpatterns = [
    path("language", pages.set_language, name="language"),
    path("session", pages.begin_session, name="begin-session"),
    path("me/session", pages.own_session, name="my-session"),
    path("me/settings", views.settings, name="player-settings"),
    path("me/settings/privacy", views.privacy, name="player-privacy"),
    path("me/settings/picture", views.picture, name="player-picture"),
    path("me/settings/link", views.link, name="player-link"),
    path("me/settings/devices", views.end_devices, name="player-devices"),
    path("account/sessions/", views.sessions_are_here),
    path("media/avatars/<uuid:folder>/<digest:digest>-<side:side>.webp", pages.avatar, name="avatar"),
    path("session/end", pages.end_session, name="end-session"),
    path("demo/session", pages.demo_session, name="demo-session"),
]
