"""The operator's view of stats. They are written through the API, which knows their rules."""

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from stats.models import Stat


@admin.register(Stat)
class StatAdmin(ReadOnlyAdmin):
    """Stats that studios declare."""

    list_display = ("name", "key", "game", "aggregation", "authority", "archived_at", "updated_at")
    list_filter = ("aggregation", "authority", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("game",)
    search_fields = ("key", "name")
    ordering = ("game", "id")
