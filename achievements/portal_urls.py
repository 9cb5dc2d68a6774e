"""Addresses of the portal's pages of achievements."""

from django.urls import path

from achievements.portal import (
    checking,
    editor,
    files,
    first,
    icons,
    listing,
    past,
    persons,
    plausibility,
    publishing,
    reports,
)

_REPORT = "portal/<uuid:studio>/reports/<uuid:report>"
_LIST = "portal/<uuid:studio>/games/<uuid:game>/achievements"
_PLAYER = "portal/<uuid:studio>/players/<uuid:player>"
_ONE = f"{_LIST}/<uuid:achievement>"

urlpatterns = [
    path(_LIST, listing.achievements, name="portal-achievements"),
    path(f"{_LIST}/change", listing.change_several, name="change-achievements"),
    path(f"{_LIST}/move", listing.move, name="move-achievement"),
    path(f"{_LIST}/first", first.make_first, name="first-achievement"),
    path(f"{_LIST}/import", files.import_file, name="import-file"),
    path(f"{_LIST}/import/apply", files.apply_import, name="apply-import"),
    path(f"{_LIST}/check", checking.check, name="check-achievements"),
    path(f"{_LIST}/<uuid:achievement>/icon", icons.icon, name="achievement-icon"),
    path("portal/<uuid:studio>/games/<uuid:game>/plausibility", plausibility.rules, name="plausibility"),
    path(f"{_LIST}/export", files.export_file, name="export-file"),
    path(f"{_PLAYER}/games/<uuid:game>/grant", persons.grant, name="grant-achievement"),
    path(f"{_PLAYER}/games/<uuid:game>/revoke", persons.revoke, name="revoke-unlock"),
    path(f"{_PLAYER}/reset", persons.reset, name="reset-player"),
    path("portal/<uuid:studio>/reports", reports.index, name="portal-reports"),
    path(_REPORT, reports.report, name="portal-report"),
    path(f"{_REPORT}/answer", reports.answer, name="answer-report"),
    path(f"{_REPORT}/resolve", reports.resolve, name="resolve-report"),
    path(f"{_REPORT}/reopen", reports.reopen, name="reopen-report"),
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
