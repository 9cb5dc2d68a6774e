"""Addresses of the portal's pages of achievements."""

from django.urls import path

from achievements.portal import first

urlpatterns = [
    path(
        "portal/<uuid:studio>/games/<uuid:game>/achievements/first",
        first.make_first,
        name="first-achievement",
    ),
]
