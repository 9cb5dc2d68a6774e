"""Addresses of the portal's pages of what a studio sees of its games."""

from django.urls import path

from analytics import portal

urlpatterns = [
    path("portal/<uuid:studio>/", portal.home, name="portal-home"),
    path("portal/<uuid:studio>/usage", portal.usage_page, name="portal-usage"),
    path("portal/<uuid:studio>/games/<uuid:game>/first-steps", portal.first_steps, name="first-steps"),
]
