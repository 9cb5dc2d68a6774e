"""Addresses of players' sessions in browsers, and of what somebody chooses anywhere."""

from django.urls import path

from accounts import pages

urlpatterns = [
    path("language", pages.set_language, name="language"),
    path("session", pages.begin_session, name="begin-session"),
    path("me/session", pages.own_session, name="my-session"),
    path("session/end", pages.end_session, name="end-session"),
    path("demo/session", pages.demo_session, name="demo-session"),
]
