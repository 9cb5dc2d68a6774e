"""Addresses of the portal's pages of what a studio sees of its games."""

from django.urls import path

from analytics import portal, portal_exports

urlpatterns = [
    path("portal/<uuid:studio>/", portal.home, name="portal-home"),
    path("portal/<uuid:studio>/games/<uuid:game>/first-steps", portal.first_steps, name="first-steps"),
    path("portal/<uuid:studio>/exports", portal_exports.exports, name="portal-exports"),
    path("portal/<uuid:studio>/exports/list", portal_exports.exports_list, name="portal-exports-list"),
    path(
        "portal/<uuid:studio>/exports/<uuid:export>/file",
        portal_exports.export_file,
        name="portal-export-file",
    ),
]
