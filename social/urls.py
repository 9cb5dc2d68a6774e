"""Addresses of social under /api/v1/; `GET /api/v1` itself is social.api.root.RootView."""

from django.urls import path

from social.api.notifications import NotificationsView, ReadView

# A studio's id for a player may hold a slash.
urlpatterns = [
    path("players/<path:player>/notifications", NotificationsView.as_view()),
    path("players/<path:player>/notifications/read", ReadView.as_view()),
]
