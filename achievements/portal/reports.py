"""Players' reports in the portal: who waits for an answer, why it was locked, and the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from achievements.models.reports import LONGEST_ANSWER
from achievements.selectors import definitions, explaining, reports
from achievements.selectors.reports import ReportInfo
from achievements.services import reports as services
from core import clock
from core.forms import PortalForm
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Conflict

PAGE: Final = 50
STATES: Final = (
    ("open", gettext_lazy("Open")),
    ("answered", gettext_lazy("Answered")),
    ("resolved", gettext_lazy("Resolved")),
    ("all", gettext_lazy("All")),
)


class AnswerForm(PortalForm):
    """What the player is told."""

    text = forms.CharField(
        label=gettext_lazy("What the player is told"),
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("It comes as a notification, without your name."),
    )

    def clean_text(self) -> str:
        """Refuse what no text has; line breaks are fine."""
        text: str = self.cleaned_data["text"]
        if any(not sign.isprintable() and sign not in "\n\r\t" for sign in text):
            raise forms.ValidationError(_("Use characters that can be seen."), code="unprintable")
        return text.replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Step:
    """A condition of a trace: how deep it stands, whether it holds, what it asks for and where the player is."""

    depth: int
    met: bool
    name: str
    value: str
    by: Mapping[str, Any] | None


@require_safe
@studio_page(needs=Act.SEE_PLAYERS)
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List reports, those that wait first of all."""
    state = request.GET.get("state", "open")
    state = state if state in dict(STATES) else "open"
    game = next((one for one in visit.games if str(one.uuid) == request.GET.get("game", "")), None)
    kind, cursor = (
        f"portal reports {visit.studio.studio_id} {state} {game and game.id}",
        request.GET.get("cursor"),
    )
    found = reports.of_studio(
        visit.studio.studio_id,
        state="" if state == "all" else state,
        game_id=game.id if game else None,
        before_id=decode_cursor(kind, cursor)[0] if cursor else None,
        limit=PAGE + 1,
    )
    asked = {"state": state, **({"game": str(game.uuid)} if game else {})}
    older = ""
    if len(found) > PAGE:
        older = urlencode({**asked, "cursor": encode_cursor(kind, [found[PAGE - 1].id])})
    context = {
        "visit": visit,
        "here": "reports",
        "reports": found[:PAGE],
        "state": state,
        "game": game,
        "states": [(one, label, urlencode({**asked, "state": one})) for one, label in STATES],
        "games": [(one, urlencode({"state": state, "game": str(one.uuid)})) for one in visit.games],
        "every_game": urlencode({"state": state}),
        "older": older,
        "is_first": not cursor,
    }
    return render(request, "portal/reports/list.html", context)


@require_safe
@studio_page(needs=Act.SEE_PLAYERS)
def report(request: HttpRequest, visit: Visit, report: UUID) -> HttpResponse:
    """Show a report, with why it was locked then and is now."""
    return _page(request, visit, _report(visit, report), AnswerForm())


@require_POST
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def answer(request: HttpRequest, visit: Visit, report: UUID) -> HttpResponse:
    """Answer a report, unless somebody has."""
    info, form = _report(visit, report), AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, visit, info, form, status=422)
    try:
        services.answer(
            studio_id=visit.studio.studio_id,
            uuid=info.uuid,
            text=form.cleaned_data["text"],
            actor=visit.actor,
            at=clock.now(),
        )
    except Conflict as refused:
        form.refuse(refused)
        return _page(request, visit, _report(visit, report), form, status=409)
    messages.success(request, _("The answer is sent. The player finds it among his notifications."))
    return _back(visit, info)


@require_POST
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def resolve(request: HttpRequest, visit: Visit, report: UUID) -> HttpResponse:
    """Put a report away."""
    info = _report(visit, report)
    services.resolve(studio_id=visit.studio.studio_id, uuid=info.uuid, actor=visit.actor, at=clock.now())
    messages.success(request, _("The report is resolved."))
    return _back(visit, info)


@require_POST
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def reopen(request: HttpRequest, visit: Visit, report: UUID) -> HttpResponse:
    """Let a report wait for an answer again."""
    info = _report(visit, report)
    try:
        services.reopen(studio_id=visit.studio.studio_id, uuid=info.uuid, actor=visit.actor, at=clock.now())
        messages.success(request, _("The report is open again."))
    except Conflict as refused:
        messages.error(request, refused.detail)
    return _back(visit, info)


def _report(visit: Visit, uuid: UUID) -> ReportInfo:
    found = reports.one(visit.studio.studio_id, uuid)
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest, visit: Visit, info: ReportInfo, form: AnswerForm, *, status: int = 200
) -> HttpResponse:
    catalogue = definitions.fresh_catalogue(info.game_id)
    definition = catalogue.by_key.get(info.achievement_key)
    now = None
    if definition is not None:
        now = explaining.trace(info.player_id, catalogue, definition, at=clock.now())
    context = {
        "visit": visit,
        "here": "reports",
        "report": info,
        "form": form,
        "player_url": _player_url(visit, info),
        "then": info.trace,
        "then_steps": _steps(info.trace),
        "now": now,
        "now_steps": _steps(now) if now else [],
        "by": info.handled_by.removeprefix("user:"),
    }
    return render(request, "portal/reports/report.html", context, status=status)


def _steps(trace: Mapping[str, Any]) -> list[Step]:
    """Return a trace's conditions one below the other."""
    return [step for one in trace["conditions"] for step in _step(one, 0)]


def _step(one: Mapping[str, Any], depth: int) -> list[Step]:
    parts = next((one[name] for name in ("all", "any") if isinstance(one.get(name), list)), None)
    if parts is not None:
        name = _("All of these") if isinstance(one.get("all"), list) else _("Any of these")
        inner = [step for part in parts for step in _step(part, depth + 1)]
        return [Step(depth, one["met"], name, "", None), *inner]
    wanted = [f"{word.replace('_', ' ')} {value}" for word, value in _asked(one) if value is not None]
    current = one.get("current")
    value = "" if current is None else str(current)
    return [Step(depth, one["met"], " ".join((_subject(one), *wanted)), value, one.get("decided_by"))]


def _asked(one: Mapping[str, Any]) -> list[tuple[str, Any]]:
    asked = one["steps"] if isinstance(one.get("steps"), dict) else one
    return [(word, asked.get(word)) for word in ("at_least", "at_most", "equals")]


def _subject(one: Mapping[str, Any]) -> str:
    if "achievement" in one:
        return str(one["achievement"])
    if "stat" in one:
        return str(one["stat"])
    return _("Sum of stats") if "sum" in one else _("Steps")


def _player_url(visit: Visit, info: ReportInfo) -> str:
    """Return the address of the player's page; empty where there is none."""
    if info.player is None or parse_id(info.player["id"]) is None:
        return ""
    try:
        return reverse(
            "portal-player", kwargs={"studio": visit.studio.studio_uuid, "player": info.player["id"]}
        )
    except NoReverseMatch:
        return ""


def _back(visit: Visit, info: ReportInfo) -> HttpResponse:
    return redirect("portal-report", studio=visit.studio.studio_uuid, report=info.uuid)
