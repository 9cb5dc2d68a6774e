"""An achievement's page: how one gets it, who has it, and where a player says that it did not unlock."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from accounts.visitors import Visitor, visitor_of
from achievements.models.reports import LONGEST_MESSAGE
from achievements.pages import asked as addresses
from achievements.pages.asked import Asked
from achievements.pages.game import DEFAULT_THEME, public_game
from achievements.selectors import cards, company, definitions, holders, reasons, reports
from achievements.selectors.cards import AchievementCard, Holding
from achievements.selectors.definitions import Definition, GameCatalogue
from achievements.selectors.reasons import Why
from achievements.services import reports as services
from core import clock
from core.forms import PortalForm
from core.public_pages import public_page
from core.refusals import Refused

SHOWN_REPORTS: Final = 10


class ReportForm(PortalForm):
    """What happened when it did not unlock."""

    message = forms.CharField(
        label="What happened?",
        max_length=LONGEST_MESSAGE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What you did, when, and on which device. May be left empty.",
    )

    def clean_message(self) -> str:
        """Refuse what no text has; line breaks are fine."""
        text: str = self.cleaned_data["message"].replace("\r\n", "\n")
        if any(not sign.isprintable() and sign not in "\n\t" for sign in text):
            raise forms.ValidationError("Use characters that can be seen.", code="unprintable")
        return text


@dataclass(frozen=True, slots=True)
class Subject:
    """The achievement that a page is about, and who looks."""

    game: GameInfo
    catalogue: GameCatalogue
    definition: Definition
    holding: Holding
    visitor: Visitor | None
    asked: Asked


@dataclass(frozen=True, slots=True)
class Archived:
    """An achievement that only those have by now who unlocked it; friends' news and old notifications lead to it."""

    game: GameInfo


@require_http_methods(["GET", "HEAD", "POST"])
@public_page(query=frozenset({"lang"}), kept_s=0)
def achievement(request: HttpRequest, game: UUID, key: str) -> HttpResponse:
    """Show an achievement; store what its visitor reports of it.

    A hidden one is not there for who has not unlocked it: its address, its key, is told to nobody. Of one that was
    archived its page says so, in few words, to who has not.
    """
    subject, now = _subject(request, game, key), clock.now()
    if isinstance(subject, Archived):
        return render(request, "player/achievement_archived.html", _nothing(subject), status=HTTPStatus.GONE)
    if subject is None:
        return redirect("achievement-page", game=game, key=key)
    form, status = ReportForm(request.POST if request.method == "POST" else None), 200
    why = None
    if subject.visitor is not None:
        why = reasons.why(subject.visitor.player.id, subject.catalogue, subject.definition, at=now)
    may_report = why is not None and why.may_report and _is_known(subject)
    if request.method == "POST":
        if subject.visitor is None or not may_report:
            raise Http404
        refused = _store(form, subject, subject.visitor, at=now) if form.is_valid() else 422
        if refused is None:
            messages.success(request, "Your report is sent. The answer comes into your inbox.")
            return redirect(f"{request.path}#report")
        status = refused
    context = _content(subject, why, at=now) | {"form": form, "may_report": may_report}
    return render(request, "player/achievement.html", context, status=status)


def _subject(request: HttpRequest, game: UUID, key: str) -> Subject | Archived | None:
    """Return what is asked for; None in a language that there is not. Raises Http404."""
    visitor = visitor_of(request)
    info, catalogue = public_game(game)
    definition = cards.named(catalogue, unicodedata.normalize("NFC", key))
    if definition is None:
        raise Http404
    holding = cards.own(visitor.player.id, catalogue) if visitor else cards.NOBODY
    if definition not in reasons.visible(catalogue, holding):
        if definition.is_archived and not cards.is_masked(definition, holding):
            return Archived(info)
        raise Http404
    asked = addresses.read(request, catalogue, visitor)
    return None if asked is None else Subject(info, catalogue, definition, holding, visitor, asked)


def _nothing(archived: Archived) -> dict[str, Any]:
    return {"game": archived.game, "here": "games", "default_theme": DEFAULT_THEME}


def _content(subject: Subject, why: Why | None, *, at: datetime) -> dict[str, Any]:
    one, catalogue, holding, visitor = (
        subject.definition,
        subject.catalogue,
        subject.holding,
        subject.visitor,
    )
    language, game = subject.asked.language, subject.game.uuid
    reader_id = visitor.player.id if visitor else None
    card = cards.card(one, catalogue, holding, game=game, language=language, at=at)
    found = holders.holders(
        one.id,
        game_id=subject.game.id,
        studio_id=subject.game.studio_id,
        total=card.rarity.unlocked,
        reader_id=reader_id,
    )
    months = company.growth(subject.game.id, one.id) if card.rarity.tier else []
    return {
        "game": subject.game,
        "studio": accounts.studio_name(subject.game.studio_id),
        "card": card,
        "why": why,
        "holders": found,
        "curve": holders.rarity_curve(months, percent=card.rarity.unlocked_percent, today=at.date()),
        "required": reasons.required(catalogue, one, holding, game=game, language=language),
        "required_count": one.requires_count,
        "reports": _reports(subject),
        "languages": addresses.offered(catalogue, subject.asked),
        "asked": subject.asked,
        "suffix": subject.asked.suffix,
        "game_url": reverse("game-page", args=[subject.game.uuid]) + subject.asked.suffix,
        **_neighbours(subject),
        **_about(card, subject),
        "here": "games",
        "default_theme": DEFAULT_THEME,
    }


def _neighbours(subject: Subject) -> dict[str, Any]:
    """Return the achievements before and behind this one, of those that the reader may be told of."""
    listed = reasons.visible(subject.catalogue, subject.holding)
    place = listed.index(subject.definition)
    around = {
        "previous": listed[place - 1] if place else None,
        "following": listed[place + 1] if place + 1 < len(listed) else None,
    }
    return {
        name: one
        and {
            "name": cards.texts(one, subject.asked.language).name,
            "url": cards.address(subject.game.uuid, one) + subject.asked.suffix,
        }
        for name, one in around.items()
    }


def _about(card: AchievementCard, subject: Subject) -> dict[str, str]:
    """Return what other sites show of a link to the page."""
    rarity = card.rarity
    told = "Too new to tell how rare it is."
    if rarity.unlocked_percent is not None:
        told = f"{rarity.unlocked_percent:g}% of {rarity.players:,} players have it."
    own = subject.definition.icon_url
    return {
        "canonical": f"{settings.PUBLIC_URL}{card.url}",
        "summary": f"{card.description} {told}".strip(),
        "picture": own if own.startswith(("https://", f"{settings.PUBLIC_URL}/")) else "",
    }


def _reports(subject: Subject) -> list[reports.ReportInfo]:
    if subject.visitor is None:
        return []
    return reports.of_player(
        subject.visitor.player.id,
        studio_id=subject.game.studio_id,
        game_id=subject.game.id,
        achievement_id=subject.definition.id,
        before_id=None,
        limit=SHOWN_REPORTS,
    )


def _is_known(subject: Subject) -> bool:
    """Say whether the game's studio knows the visitor: it could look into nothing of anybody else."""
    assert subject.visitor is not None
    return subject.game.studio_id in accounts.studio_ids_of(subject.visitor.player.id)


def _store(form: ReportForm, subject: Subject, visitor: Visitor, *, at: datetime) -> int | None:
    """Store what a valid form says; return the status of a refusal, which the form then tells."""
    try:
        services.report(
            game=subject.game,
            player_id=visitor.player.id,
            catalogue=definitions.fresh_catalogue(subject.game.id),
            definition=subject.definition,
            message=form.cleaned_data["message"],
            at=at,
        )
    except Refused as refused:
        form.refuse(refused)
        return refused.problem.status
    return None
