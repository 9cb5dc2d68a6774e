"""Addresses of players' sessions in browsers."""

from django.urls import path

from accounts import pages

urlpatterns = [
    path("session", pages.begin_session, name="begin-session"),
    path("session/end", pages.end_session, name="end-session"),
    path("demo/session", pages.demo_session, name="demo-session"),
]
