"""Addresses of the portal's pages of leaderboards. A board's key holds no slash; `points` is the built-in one."""

from django.urls import path

from leaderboards.portal import entries, listing, moderation, periods, plausibility, settings, standings

_GAME = "portal/<uuid:studio>/games/<uuid:game>"
_BOARD = f"{_GAME}/leaderboards/<str:board>"

urlpatterns = [
    path(f"{_GAME}/plausibility/scores", plausibility.rules_of_scores, name="plausibility-scores"),
    path(f"{_GAME}/leaderboards", listing.boards, name="portal-leaderboards"),
    path(f"{_GAME}/new-leaderboard", listing.new_board, name="new-board"),
    path(_BOARD, standings.standings_page, name="portal-board"),
    path(f"{_BOARD}/periods", periods.periods_page, name="board-periods"),
    path(f"{_BOARD}/periods/<str:period>/standings", periods.standings_file, name="board-standings-file"),
    path(f"{_BOARD}/snapshots", periods.snapshots_page, name="board-snapshots"),
    path(f"{_BOARD}/snapshots/<uuid:snapshot>", periods.snapshot_page, name="board-snapshot"),
    path(f"{_BOARD}/moderation", moderation.moderation_page, name="board-moderation"),
    path(f"{_BOARD}/moderation/<uuid:player>", entries.entry_page, name="board-entry"),
    path(f"{_BOARD}/reset", moderation.reset, name="reset-board"),
    path(f"{_BOARD}/settings", settings.settings, name="board-settings"),
    path(f"{_BOARD}/archive", settings.archive, name="archive-board"),
    path(f"{_BOARD}/delete", settings.delete, name="delete-board"),
]
