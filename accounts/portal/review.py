"""The review queue: unlocks and scores that broke a rule of plausibility, and what somebody decides about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts import named, selectors
from accounts.doorway import Visit, studio_page
from accounts.portal.review_forms import Chosen, DecisionForm
from accounts.roles import Act
from accounts.selectors import GameInfo
from core import clock, reviewing, spoken
from core.forms import sent
from core.pagination import decode_cursor, encode_cursor
from core.reviewing import Event, Flagged, Position, Settled, Wanted

A_PAGE: Final = 50
AROUND: Final = 20
KINDS: Final[dict[str, Promise]] = {"unlock": gettext_lazy("Unlocks"), "score": gettext_lazy("Scores")}
KIND: Final[dict[str, Promise]] = {"unlock": gettext_lazy("Unlock"), "score": gettext_lazy("Score")}
STATES: Final[dict[str, Promise]] = {
    reviewing.OPEN: gettext_lazy("Waiting"),
    reviewing.APPROVED: gettext_lazy("Approved"),
    reviewing.REJECTED: gettext_lazy("Rejected"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; what can't be is nothing."""

    state: str
    game: GameInfo | None
    kind: str
    rule: str

    def query(self, **other: str) -> str:
        """Return it as in an address, with something else instead."""
        parts = {
            "state": "" if self.state == reviewing.OPEN else self.state,
            "game": str(self.game.uuid) if self.game else "",
            "kind": self.kind,
            "rule": self.rule,
            **other,
        }
        return "?" + urlencode({name: value for name, value in parts.items() if value})


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter: what it is called, where it leads, and whether it is set."""

    label: str
    href: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as pages show it; `player_url` is empty where there is no page of players."""

    entry: Flagged
    kind: str
    game: str
    player: str
    player_url: str
    url: str
    rules: tuple[str, ...]
    state: str
    is_chosen: bool = False
    who: str = ""


@require_http_methods(["GET", "HEAD"])
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def queue(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List what waits for a decision, newest first, or what was decided."""
    return _queue(request, visit, DecisionForm())


@require_POST
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def decide(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Approve or reject the chosen ones."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _queue(request, visit, form)
    _say(request, _decided(visit, form), approves=form.approves)
    return redirect(_address(visit) + _asked(request, visit).query())


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def one(request: HttpRequest, visit: Visit, kind: str, flagged: UUID) -> HttpResponse:
    """Show one with what happened to its player about that time; a POST decides."""
    source = reviewing.sources().get(kind)
    found = None if source is None else source.find(visit.studio.studio_id, flagged)
    if found is None:
        raise Http404
    form = DecisionForm(sent(request), about=found.name)
    if form.is_valid():
        _say(request, _decided(visit, form), approves=form.approves)
        return redirect(_address(visit))
    line = _lines(visit, [found], chosen=())[0]
    events = reviewing.around(found.game_id, found.player_id, found.at, limit=AROUND)
    context = {
        "visit": visit,
        "here": "review",
        "line": line,
        "events": [(event, _event_url(visit, event), event.uuid == found.uuid) for event in events],
        "form": form,
    }
    return render(request, "portal/review/one.html", context, status=422 if form.errors else 200)


def _decided(visit: Visit, form: DecisionForm) -> Settled:
    chosen: Chosen = form.cleaned_data["chosen"]
    results = [
        reviewing.sources()[kind].settle(
            visit.studio.studio_id,
            uuids,
            approves=form.approves,
            reason=form.cleaned_data["reason"],
            actor=visit.actor,
            at=clock.now(),
        )
        for kind, uuids in chosen.items()
    ]
    return Settled(
        sum(one.done for one in results),
        sum(one.before for one in results),
        tuple(text for one in results for text in one.left),
    )


def _say(request: HttpRequest, settled: Settled, *, approves: bool) -> None:
    """Say what a decision came to."""
    count = settled.done
    if approves:
        said = ngettext("%(n)s entry is approved and counts.", "%(n)s entries are approved and count.", count)
    else:
        said = ngettext("%(n)s entry is rejected.", "%(n)s entries are rejected.", count)
    if count:
        messages.success(request, said % {"n": spoken.whole(count)})
    if settled.before:
        said = ngettext(
            "%(n)s entry had been decided already, and stays so.",
            "%(n)s entries had been decided already, and stay so.",
            settled.before,
        )
        messages.info(request, said % {"n": spoken.whole(settled.before)})
    for text in dict.fromkeys(settled.left):
        messages.warning(request, text)
    if not (count or settled.before or settled.left):
        messages.warning(request, _("Nothing was decided: the entries are not there any more."))


def _queue(request: HttpRequest, visit: Visit, form: DecisionForm) -> HttpResponse:
    asked = _asked(request, visit)
    cursor = request.GET.get("cursor", "")
    kinds = [asked.kind] if asked.kind else list(reviewing.sources())
    found = reviewing.page(
        visit.studio.studio_id,
        Wanted(asked.state, asked.game.id if asked.game else None, asked.rule),
        kinds=kinds,
        after=_after(visit, cursor),
        limit=A_PAGE + 1,
    )
    shown = found[:A_PAGE]
    more = encode_cursor(_list(visit), list(shown[-1].position)) if len(found) > A_PAGE else ""
    context = {
        "visit": visit,
        "here": "review",
        "form": form,
        "lines": _lines(visit, shown, chosen=form.names),
        "asked": asked,
        "query": asked.query(),
        "is_filtered": bool(asked.game or asked.kind or asked.rule),
        "chips": _chips(visit, asked),
        "older": asked.query(cursor=more) if more else "",
        "is_first": not cursor,
        "can_be_decided": asked.state == reviewing.OPEN,
    }
    return render(request, "portal/review/queue.html", context, status=422 if form.errors else 200)


def _asked(request: HttpRequest, visit: Visit) -> Asked:
    state, kind, rule = (request.GET.get(name, "") for name in ("state", "kind", "rule"))
    game = request.GET.get("game", "")
    return Asked(
        state if state in reviewing.STATES else reviewing.OPEN,
        next((one for one in (*visit.games, *visit.put_away) if str(one.uuid) == game), None),
        kind if kind in reviewing.sources() else "",
        rule if rule in _rules() else "",
    )


def _rules() -> dict[str, Promise]:
    return {name: text for source in reviewing.sources().values() for name, text in source.rules.items()}


def _chips(visit: Visit, asked: Asked) -> list[tuple[str, list[Chip]]]:
    """Return the filters in groups; one of them is set in each."""
    sources = reviewing.sources()
    groups = [
        (
            _("State"),
            [
                Chip(
                    str(text), asked.query(state="" if name == reviewing.OPEN else name), name == asked.state
                )
                for name, text in STATES.items()
            ],
        )
    ]
    if len(visit.games) > 1 or asked.game:
        listed = [Chip(_("All games"), asked.query(game=""), asked.game is None)]
        listed += [
            Chip(
                one.title, asked.query(game=str(one.uuid)), asked.game is not None and one.id == asked.game.id
            )
            for one in visit.games
        ]
        groups.append((_("Game"), listed))
    if len(sources) > 1:
        listed = [Chip(_("All"), asked.query(kind=""), not asked.kind)]
        listed += [Chip(str(KINDS[kind]), asked.query(kind=kind), kind == asked.kind) for kind in sources]
        groups.append((_("Kind"), listed))
    listed = [Chip(_("Any rule"), asked.query(rule=""), not asked.rule)]
    listed += [Chip(str(text), asked.query(rule=name), name == asked.rule) for name, text in _rules().items()]
    groups.append((_("Rule"), listed))
    return groups


def _lines(visit: Visit, entries: Sequence[Flagged], *, chosen: Sequence[str]) -> list[Line]:
    studio_id = visit.studio.studio_id
    players = selectors.players_shown({one.player_id for one in entries}, studio_id=studio_id)
    games = {one.id: one.title for one in (*visit.games, *visit.put_away)}
    who = named.actors(studio_id, {one.actor for one in entries if one.actor})
    words = _rules()
    return [
        Line(
            entry=one,
            kind=str(KIND[one.kind]),
            game=games.get(one.game_id, ""),
            player=_called(players.get(one.player_id, {})),
            player_url=_player_url(visit, players.get(one.player_id, {}).get("id", "")),
            url=reverse("review-entry", args=[visit.studio.studio_uuid, one.kind, one.uuid]),
            rules=tuple(str(words.get(rule, rule)) for rule in one.rules),
            state=str(STATES[one.state]),
            is_chosen=one.name in chosen,
            who=who.get(one.actor, one.actor),
        )
        for one in entries
    ]


def _called(player: dict[str, str]) -> str:
    name, external_id = player.get("display_name", ""), player.get("external_id", "")
    return f"{name} ({external_id})" if name and external_id else name or external_id or "–"


def _player_url(visit: Visit, uuid: str) -> str:
    try:
        return reverse("portal-player", kwargs={"studio": visit.studio.studio_uuid, "player": uuid})
    except NoReverseMatch:  # there is no such page
        return ""


def _event_url(visit: Visit, event: Event) -> str:
    if event.uuid is None:
        return ""
    kind = "score" if event.kind == "flagged-score" else "unlock"
    return reverse("review-entry", args=[visit.studio.studio_uuid, kind, event.uuid])


def _after(visit: Visit, cursor: str) -> Position | None:
    if not cursor:
        return None
    heard_us, kind, number = decode_cursor(_list(visit), cursor)
    return heard_us, kind, number


def _list(visit: Visit) -> str:
    return f"review {visit.studio.studio_id}"


def _address(visit: Visit) -> str:
    return reverse("review-queue", args=[visit.studio.studio_uuid])


def waiting(visit: Any) -> str:
    """Return how many wait for a decision, as the rail shows it: nothing for none, at most `99+`."""
    count = reviewing.count(visit.studio.studio_id, most=100)
    return "" if not count else "99+" if count > 99 else str(count)
