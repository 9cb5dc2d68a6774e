"""The operator's view of accounts. Writes go through the services; secrets are shown once, hashes never."""

from typing import Any

from allauth.usersessions.admin import UserSessionAdmin as LibrarysUserSessionAdmin
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers

from accounts import devices, listening, services
from accounts.keys import SCOPES
from accounts.models import Game, Member, Player, PlayerIdentity, ServerKey, Studio, Tester, User
from core import clock
from core.admin import ReadOnlyAdmin
from core.ids import parse_id


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """A new user, known by an e-mail address."""

    class Meta:
        model = User
        fields = ("email",)


class NewPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """Another password for somebody, whose browsers are signed out by it and hear nothing more."""

    def save(self, commit: bool = True) -> User:
        """Save it."""
        with transaction.atomic():
            user: User = super().save(commit)
            listening.stop_everywhere(user)
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """People who sign in."""

    add_form = NewUserForm
    change_password_form = NewPasswordForm
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    search_fields = ("email", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save; an address that an operator writes is proved by that. Who is locked out hears nothing more."""
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            _sign_out(obj)
        if not change or "email" in form.changed_data:
            User.objects.vouch_for(obj)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete a user, who hears nothing more from then on."""
        with transaction.atomic():
            _sign_out(obj)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete users likewise."""
        with transaction.atomic():
            for user in queryset:
                _sign_out(user)
            super().delete_queryset(request, queryset)


def _sign_out(user: User) -> None:
    """Sign a user out wherever he is, and let no page or game hear anything more for him."""
    devices.end_all(user, at=clock.now())
    listening.stop_everywhere(user)


class MemberInline(admin.TabularInline):  # type: ignore[type-arg]
    """A studio's people and their roles."""

    model = Member
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Studio)
class StudioAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tenants. One is never deleted here: its players' unlocks would go with it."""

    list_display = ("name", "uuid", "created_at")
    search_fields = ("name", "uuid")
    readonly_fields = ("uuid", "created_at")
    inlines = (MemberInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete."""
        return False


class GameForm(forms.ModelForm):  # type: ignore[type-arg]
    """A game's title and regions."""

    class Meta:
        model = Game
        fields = ("studio", "title", "regions")

    def clean_regions(self) -> list[str]:
        """Return the regions in capitals, each once."""
        try:
            regions = [services.clean_region(region) for region in self.cleaned_data["regions"]]
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if len(set(regions)) < len(regions):
            raise ValidationError("Each region is listed once.")
        return regions


class TesterInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who may unlock the game's drafts."""

    model = Tester
    extra = 0
    raw_id_fields = ("player",)


@admin.register(Game)
class GameAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Games. One is never moved to another studio, and never deleted here."""

    form = GameForm
    list_display = ("title", "studio", "uuid", "created_at")
    list_filter = ("studio",)
    list_select_related = ("studio",)
    search_fields = ("title", "uuid")
    autocomplete_fields = ("studio",)
    inlines = (TesterInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Game | None = None) -> tuple[str, ...]:
        """Return what can't be changed any more."""
        return ("studio", "uuid", "created_at", "updated_at") if obj else ()

    def save_model(self, request: HttpRequest, obj: Game, form: Any, change: bool) -> None:
        """Write through the services, which know who keeps copies."""
        if change:
            values = {
                name: form.cleaned_data[name] for name in ("title", "regions") if name in form.changed_data
            }
            if values:
                services.update_game(game_id=obj.pk, changes=values)
        else:
            made = services.create_game(studio_id=obj.studio_id, title=obj.title, regions=obj.regions)
            obj.pk, obj.uuid = made.pk, made.uuid

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete."""
        return False


class NewKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a new key may do."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ServerKey
        fields = ("studio", "game", "name", "scopes", "expires_at")

    def clean(self) -> dict[str, Any]:
        """Refuse a game of another studio."""
        values: dict[str, Any] = super().clean() or {}
        game, studio = values.get("game"), values.get("studio")
        if game and studio and game.studio_id != studio.pk:
            self.add_error("game", "This game belongs to another studio.")
        return values


@admin.register(ServerKey)
class ServerKeyAdmin(ReadOnlyAdmin):
    """Server keys: issued (and then shown once), revoked, never changed."""

    form = NewKeyForm
    list_display = ("name", "studio", "game", "hint", "created_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "studio")
    list_select_related = ("studio", "game")
    search_fields = ("name", "hint")
    autocomplete_fields = ("studio", "game")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those issue keys who have the right."""
        return request.user.has_perm("accounts.add_serverkey")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Let those revoke keys who have the right to change them."""
        return request.user.has_perm("accounts.change_serverkey")

    def get_fields(self, request: HttpRequest, obj: ServerKey | None = None) -> tuple[str, ...]:
        """Return what is asked for, or what is shown; the hash is not."""
        asked = ("studio", "game", "name", "scopes", "expires_at")
        return (*asked, "uuid", "hint", "created_at", "revoked_at") if obj else asked

    def save_model(self, request: HttpRequest, obj: ServerKey, form: Any, change: bool) -> None:
        """Issue the key; `response_add` shows it."""
        row, key = services.issue_key(
            studio_id=obj.studio_id,
            name=obj.name,
            scopes=obj.scopes,
            game_id=obj.game_id,
            expires_at=obj.expires_at,
        )
        obj.pk, obj.hint = row.pk, row.hint
        request.issued_key = key  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ServerKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key, in this answer only: no redirect, no message, no cookie carries it."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Server key issued",
            "opts": self.opts,
            "key": request.issued_key,  # type: ignore[attr-defined]
            "row": obj,
        }
        response = TemplateResponse(request, "admin/accounts/serverkey/issued.html", context)
        add_never_cache_headers(response)
        return response

    @admin.action(description="Revoke at once", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ServerKey]) -> None:
        """Revoke the chosen keys: everywhere within five seconds."""
        waiting = list(chosen.filter(revoked_at=None))
        for row in waiting:
            services.revoke_key(key_id=row.pk, at=clock.now())
            self.log_change(request, row, "Revoked.")
        self.message_user(request, f"{len(waiting)} revoked: everywhere within 5 seconds.", messages.SUCCESS)


class IdentityInline(admin.TabularInline):  # type: ignore[type-arg]
    """What studios call the player."""

    model = PlayerIdentity
    extra = 0
    can_delete = False
    fields = readonly_fields = ("studio", "external_id", "banned_at", "created_at")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody add: a studio's first write that names a player does."""
        return False


@admin.register(Player)
class PlayerAdmin(ReadOnlyAdmin):
    """Players, found by a studio's id or the platform's."""

    list_display = ("display_name", "uuid", "region", "visibility", "created_at", "erased_at")
    list_filter = ("visibility", ("erased_at", admin.EmptyFieldListFilter))
    search_fields = ("uuid",)  # shows the field; `get_search_results` says what is looked up
    search_help_text = "A studio's whole id for the player, or the platform's"
    inlines = (IdentityInline,)
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Player], search_term: str
    ) -> tuple[QuerySet[Player], bool]:
        """Return the players with this id: by indexes only, since there may be millions."""
        if not search_term:
            return queryset, False
        studios = Studio.objects.values_list("pk", flat=True)
        named = PlayerIdentity.objects.filter(studio__in=list(studios), external_id=search_term)
        uuid = parse_id(search_term)
        wanted = Q(pk__in=list(named.values_list("player_id", flat=True)))
        return queryset.filter(wanted | Q(uuid=uuid) if uuid else wanted), False


admin.site.unregister(UserSession)


@admin.register(UserSession)
class UserSessionAdmin(LibrarysUserSessionAdmin):  # type: ignore[misc]
    """Where people are signed in; the library's own looks for names that our users don't have."""

    search_fields = ("user__email", "ip")
