"""Addresses of social under /api/v1/; `GET /api/v1` itself is social.api.root.RootView."""

from django.urls import path

from social.api.blocks import BlocksView
from social.api.changes import ChangesView
from social.api.comparing import CompareFriendsView, CompareView
from social.api.feed import FeedView
from social.api.friends import (
    AcceptView,
    BlockView,
    DeclineView,
    FriendRequestsView,
    FriendsView,
    FriendView,
)
from social.api.notifications import NotificationsView, NotificationView, ReadView
from social.api.preferences import PreferencesView

# A studio's id for a player may hold a slash.
urlpatterns = [
    path("players/<path:player>/changes", ChangesView.as_view()),
    path("players/<path:player>/notifications", NotificationsView.as_view()),
    path("players/<path:player>/notifications/read", ReadView.as_view()),
    path("players/<path:player>/notifications/<str:notification_id>", NotificationView.as_view()),
    path("players/<path:player>/notification-preferences", PreferencesView.as_view()),
    path("players/<path:player>/friends", FriendsView.as_view()),
    # Before the friend: one whom a studio calls `compare` is named by `id:<uuid>`.
    path("players/<path:player>/friends/compare", CompareFriendsView.as_view()),
    path("players/<path:player>/friends/<path:other>", FriendView.as_view()),
    path("players/<path:player>/compare/<path:other>", CompareView.as_view()),
    path("players/<path:player>/feed", FeedView.as_view()),
    path("players/<path:player>/friend-requests", FriendRequestsView.as_view()),
    path("players/<path:player>/friend-requests/<str:request_id>/accept", AcceptView.as_view()),
    path("players/<path:player>/friend-requests/<str:request_id>/decline", DeclineView.as_view()),
    path("players/<path:player>/blocks", BlocksView.as_view()),
    path("players/<path:player>/blocks/<path:other>", BlockView.as_view()),
]
