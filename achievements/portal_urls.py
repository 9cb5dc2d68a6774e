"""Addresses of the portal's pages of achievements."""

from django.urls import path

from achievements.portal import files, first, listing, persons

_LIST = "portal/<uuid:studio>/games/<uuid:game>/achievements"
_PLAYER = "portal/<uuid:studio>/players/<uuid:player>"

urlpatterns = [
    path(_LIST, listing.achievements, name="portal-achievements"),
    path(f"{_LIST}/change", listing.change_several, name="change-achievements"),
    path(f"{_LIST}/move", listing.move, name="move-achievement"),
    path(f"{_LIST}/first", first.make_first, name="first-achievement"),
    path(f"{_LIST}/import", files.import_file, name="import-file"),
    path(f"{_LIST}/import/apply", files.apply_import, name="apply-import"),
    path(f"{_LIST}/export", files.export_file, name="export-file"),
    path(f"{_PLAYER}/games/<uuid:game>/grant", persons.grant, name="grant-achievement"),
    path(f"{_PLAYER}/games/<uuid:game>/revoke", persons.revoke, name="revoke-unlock"),
    path(f"{_PLAYER}/reset", persons.reset, name="reset-player"),
]
