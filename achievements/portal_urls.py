"""Addresses of the portal's pages of achievements."""

from django.urls import path

from achievements.portal import files, first, listing, reports

_REPORT = "portal/<uuid:studio>/reports/<uuid:report>"
_LIST = "portal/<uuid:studio>/games/<uuid:game>/achievements"

urlpatterns = [
    path(_LIST, listing.achievements, name="portal-achievements"),
    path(f"{_LIST}/change", listing.change_several, name="change-achievements"),
    path(f"{_LIST}/move", listing.move, name="move-achievement"),
    path(f"{_LIST}/first", first.make_first, name="first-achievement"),
    path(f"{_LIST}/import", files.import_file, name="import-file"),
    path(f"{_LIST}/import/apply", files.apply_import, name="apply-import"),
    path(f"{_LIST}/export", files.export_file, name="export-file"),
    path("portal/<uuid:studio>/reports", reports.index, name="portal-reports"),
    path(_REPORT, reports.report, name="portal-report"),
    path(f"{_REPORT}/answer", reports.answer, name="answer-report"),
    path(f"{_REPORT}/resolve", reports.resolve, name="resolve-report"),
    path(f"{_REPORT}/reopen", reports.reopen, name="reopen-report"),
]
