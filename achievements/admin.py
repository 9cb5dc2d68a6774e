"""The operator's view of the rulebooks. They are edited through the API, which knows their rules and versions."""

from django.contrib import admin

from achievements.models import Achievement, AchievementTranslation
from core.admin import ReadOnlyAdmin


class TranslationInline(admin.TabularInline):  # type: ignore[type-arg]
    """A definition's texts in other languages."""

    model = AchievementTranslation
    extra = 0
    can_delete = False
    fields = readonly_fields = ("language", "name", "description")


@admin.register(Achievement)
class AchievementAdmin(ReadOnlyAdmin):
    """Definitions."""

    list_display = ("name", "key", "game", "points", "type", "state", "hidden", "updated_at")
    list_filter = ("state", "type", "hidden", "authority", "game")
    list_select_related = ("game",)
    search_fields = ("key", "name")
    ordering = ("game", "sort_order", "id")
    inlines = (TranslationInline,)
