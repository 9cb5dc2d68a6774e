"""The operator's view of boards and their periods. They are written through the API, which knows their rules."""

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from leaderboards.models import Leaderboard, Period


@admin.register(Leaderboard)
class LeaderboardAdmin(ReadOnlyAdmin):
    """Boards that studios declare."""

    list_display = (
        "name",
        "key",
        "game",
        "sort",
        "operator",
        "reset",
        "authority",
        "archived_at",
        "updated_at",
    )
    list_filter = ("sort", "operator", "reset", "authority", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("game",)
    search_fields = ("key", "name")
    ordering = ("game", "id")


@admin.register(Period)
class PeriodAdmin(ReadOnlyAdmin):
    """Periods, newest first; how many players are in one is counted once it is final."""

    list_display = (
        "name",
        "leaderboard",
        "span",
        "epoch",
        "state",
        "starts_at",
        "ends_at",
        "players",
        "finalised_at",
    )
    list_filter = ("state", "span")
    list_select_related = ("leaderboard",)
    search_fields = ("=name", "=leaderboard__key")
    ordering = ("-id",)
    exclude = ("standings_hash",)
    readonly_fields = ("hash",)
    show_full_result_count = False

    @admin.display(description="SHA-256 of the standings")
    def hash(self, period: Period) -> str:
        """Return it as the API gives it."""
        return "" if period.standings_hash is None else bytes(period.standings_hash).hex()
