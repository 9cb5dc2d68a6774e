"""The operator's view: how far the log's followers are, the facts that they failed on, and who did what."""

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from post_office.models import Attachment, Email, EmailTemplate, Log

from core import dead_letters, lags
from core.models import AuditEntry, DeadLetter, Follower

admin.site.site_header = admin.site.site_title = "Laurel"
admin.site.index_title = "Operation"


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that are looked at here and written elsewhere."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let nobody add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete."""
        return False


@admin.register(Follower)
class FollowerAdmin(ReadOnlyAdmin):
    """Followers: name, lag in facts and seconds, dead letters."""

    list_display = (
        "name",
        "facts_behind",
        "seconds_behind",
        "dead_letters",
        "attempts",
        "error",
        "updated_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Follower]:
        """Return the followers; lags are counted once a page."""
        self._lags = {lag.name: lag for lag in lags.of_followers()}
        return super().get_queryset(request)

    @admin.display(description="facts behind")
    def facts_behind(self, follower: Follower) -> int | None:
        """Return how many facts it has not read."""
        lag = self._lags.get(follower.name)
        return None if lag is None else lag.facts

    @admin.display(description="seconds behind")
    def seconds_behind(self, follower: Follower) -> str | None:
        """Return how old the oldest of them is."""
        lag = self._lags.get(follower.name)
        return None if lag is None else f"{lag.seconds:.1f}"

    @admin.display(description="dead letters")
    def dead_letters(self, follower: Follower) -> int | None:
        """Return how many facts it gave up on."""
        lag = self._lags.get(follower.name)
        return None if lag is None else lag.dead_letters


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Dead letters, and their replay."""

    list_display = ("follower", "kind", "fact_id", "studio_id", "last_line", "created_at", "replayed_at")
    list_filter = ("follower", "kind", ("replayed_at", admin.EmptyFieldListFilter))
    fields = (
        "follower",
        "kind",
        "fact_id",
        "fact_at",
        "studio_id",
        "payload",
        "whole_error",
        "created_at",
        "replayed_at",
    )
    actions = ("replay",)
    ordering = ("fact_tx", "fact_id")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Let those replay who might change a dead letter if anybody might."""
        return request.user.has_perm("core.change_deadletter")

    @admin.display(description="error")
    def last_line(self, letter: DeadLetter) -> str:
        """Return what went wrong, in a line."""
        return letter.error.strip().rsplit("\n", 1)[-1]

    @admin.display(description="error")
    def whole_error(self, letter: DeadLetter) -> str:
        """Return what went wrong, with its traceback."""
        return format_html("<pre>{}</pre>", letter.error)

    @admin.action(description="Give to the follower again", permissions=["replay"])
    def replay(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        """Give the chosen letters to their followers again, in the log's order, until one fails again."""
        applied = 0
        for pk in (
            letters.filter(replayed_at=None).order_by("fact_tx", "fact_id").values_list("pk", flat=True)
        ):
            try:
                dead_letters.replay(pk)
            except Exception as error:  # noqa: BLE001 - whatever a listener raises is told, and the letter stays
                self.message_user(request, f"Letter {pk} failed again and stays: {error}", messages.ERROR)
                break
            applied += 1
        if applied:
            self.message_user(request, f"{applied} applied.", messages.SUCCESS)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what to whom and why, newest first."""

    list_display = ("at", "studio_id", "actor", "action", "object_kind", "object_id", "reason")
    list_filter = ("action", "object_kind")
    search_fields = ("actor", "object_id", "reason")
    ordering = ("-at", "-id")
    show_full_result_count = False


# post_office's own pages send a mail again at the click of a link, and load scripts that the policy does not let run.
for _model in (Attachment, Email, EmailTemplate, Log):
    admin.site.unregister(_model)


@admin.register(Email)
class EmailAdmin(ReadOnlyAdmin):
    """Mail of the last days: whom it went to, and whether it did. Texts are not shown: they hold links that work."""

    list_display = ("created", "to", "subject", "status", "scheduled_time")
    list_filter = ("status",)
    search_fields = ("to", "subject")
    fields = (
        "created",
        "last_updated",
        "to",
        "subject",
        "status",
        "number_of_retries",
        "scheduled_time",
        "errors",
    )
    readonly_fields = ("errors",)
    change_form_template = "admin/change_form.html"  # not post_office's, which has the button

    @admin.display(description="what the mail server said")
    def errors(self, email: Email) -> str:
        """Return what the last attempts failed at."""
        return "; ".join(log.message for log in email.logs.order_by("-date")[:5] if log.message)
