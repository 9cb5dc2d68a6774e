"""The player site's page where a player says what did not unlock, and reads what he was answered."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from accounts import selectors as accounts
from accounts import sessions
from accounts.selectors import GameInfo
from accounts.sessions import SessionInfo
from achievements.report_models import LONGEST_MESSAGE
from achievements.selectors import definitions, explaining, reports, unlocks
from achievements.selectors.definitions import Definition, GameCatalogue
from achievements.services import reports as services
from core.forms import PortalForm
from core.refusals import Refused, Unauthenticated

SHOWN: Final = 20
MOST_OFFERED: Final = 1_000


class ReportForm(PortalForm):
    """What did not unlock."""

    achievement = forms.ChoiceField(label="What did not unlock?")
    message = forms.CharField(
        label="What happened?",
        max_length=LONGEST_MESSAGE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What you did, when, and on which device. May be left empty.",
    )

    def __init__(self, *args: object, locked: list[Definition], **kwargs: object) -> None:
        """Offer what is locked."""
        super().__init__(*args, **kwargs)
        field = self.fields["achievement"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Choose an achievement"), *((one.key, one.name) for one in locked)]

    def clean_message(self) -> str:
        """Refuse what no text has; line breaks are fine."""
        text: str = self.cleaned_data["message"].replace("\r\n", "\n")
        if any(not sign.isprintable() and sign not in "\n\t" for sign in text):
            raise forms.ValidationError("Use characters that can be seen.", code="unprintable")
        return text


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_store=True)
def report(request: HttpRequest, game_id: UUID) -> HttpResponse:
    """Show the form with what the player reported before; store what he reports."""
    now = timezone.now()
    held = sessions.holder(request.COOKIES.get(settings.PLAYER_COOKIE, ""), at=now)
    if held is None:
        raise Unauthenticated("Nobody is signed in as a player here. Open the game's site and come back.")
    game = accounts.fresh_game(game_id)
    if game is None or game.archived_at is not None or not _is_of(game, held):
        raise Http404
    catalogue = definitions.fresh_catalogue(game.id)
    sent = request.POST if request.method == "POST" else None
    initial = {"achievement": request.GET.get("achievement", "")}
    form = ReportForm(sent, initial=initial, locked=_locked(held.player_id, catalogue))
    status = 200
    if request.method == "POST":
        refused = _store(form, held, game, catalogue, at=now) if form.is_valid() else 422
        if refused is None:
            messages.success(request, "Your report is sent. The answer comes into your inbox.")
            return redirect("report-achievement", game_id=game.uuid)
        status = refused
    listed = reports.of_player(
        held.player_id, studio_id=game.studio_id, game_id=game.id, before_id=None, limit=SHOWN
    )
    context = {"game": game, "form": form, "reports": listed, "default_theme": "dark"}
    return render(request, "player/report.html", context, status=status)


def _is_of(game: GameInfo, held: SessionInfo) -> bool:
    """Say whether a game's studio knows who is signed in: it began the session, or has an id for him and no ban."""
    if held.studio_id is not None:
        return game.studio_id == held.studio_id
    player = accounts.player_by_uuid(held.player_uuid, studio_id=game.studio_id)
    return player is not None and player.external_id is not None and not player.banned


def _locked(player_id: int, catalogue: GameCatalogue) -> list[Definition]:
    """Return what a player may know of and has not unlocked, by name."""
    held = unlocks.unlocks_of(player_id, game_id=catalogue.game_id)
    known = [one for one in catalogue.by_key.values() if one.is_published and not explaining.is_secret(one)]
    locked = [one for one in known if one.id not in held]
    return sorted(locked, key=lambda one: one.name.casefold())[:MOST_OFFERED]


def _store(
    form: ReportForm, held: SessionInfo, game: GameInfo, catalogue: GameCatalogue, *, at: datetime
) -> int | None:
    """Store what a valid form says; return the status of a refusal, which the form then tells."""
    try:
        services.report(
            game=game,
            player_id=held.player_id,
            catalogue=catalogue,
            definition=catalogue.by_key[form.cleaned_data["achievement"]],
            message=form.cleaned_data["message"],
            at=at,
        )
    except Refused as refused:
        form.refuse(refused)
        return refused.problem.status
    return None
