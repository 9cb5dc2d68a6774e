"""Addresses of the portal's pages of achievements."""

from django.urls import path

from achievements.portal import editor, files, first, listing, past, publishing

_LIST = "portal/<uuid:studio>/games/<uuid:game>/achievements"
_ONE = f"{_LIST}/<uuid:achievement>"

urlpatterns = [
    path(_LIST, listing.achievements, name="portal-achievements"),
    path(f"{_LIST}/change", listing.change_several, name="change-achievements"),
    path(f"{_LIST}/move", listing.move, name="move-achievement"),
    path(f"{_LIST}/first", first.make_first, name="first-achievement"),
    path(f"{_LIST}/import", files.import_file, name="import-file"),
    path(f"{_LIST}/import/apply", files.apply_import, name="apply-import"),
    path(f"{_LIST}/export", files.export_file, name="export-file"),
    path(f"{_LIST}/new", editor.new, name="new-achievement"),
    path(f"{_LIST}/preview", editor.show_preview, name="preview-achievement"),
    path(_ONE, editor.edit, name="edit-achievement"),
    path(f"{_ONE}/publish", publishing.publish, name="publish-achievement"),
    path(f"{_ONE}/archive", publishing.archive, name="archive-achievement"),
    path(f"{_ONE}/discard", publishing.discard, name="discard-achievement-changes"),
    path(f"{_ONE}/delete", publishing.delete, name="delete-achievement"),
    path(f"{_ONE}/history", past.history, name="achievement-history"),
    path(f"{_ONE}/history/<int:version>", past.version, name="achievement-version"),
]
