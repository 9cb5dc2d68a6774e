"""What a studio takes off a board and puts back: one player's entries, all of a player's, or the whole board."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts import named
from accounts import selectors as accounts
from accounts import services as accounts_services
from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from accounts.selectors import PlayerInfo
from core.forms import PortalForm, sent
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Conflict, Refused
from leaderboards.portal import words
from leaderboards.portal.asking import Chosen, Person, answer, chosen, game_of, people, player_named, to
from leaderboards.portal.forms import DeleteEntryForm, EntryForm, ReasonForm, ResetForm
from leaderboards.selectors import history, standings, summaries, taken_off
from leaderboards.selectors.history import Sample
from leaderboards.selectors.standings import Rank
from leaderboards.selectors.taken_off import Held, TakenOff
from leaderboards.services import moderation
from leaderboards.services.moderation import EVERY, Action

A_PAGE = 50
SHOWN_PAST = timedelta(days=7)
COUNTED = 20_000  # entries of a board that would begin anew
_EVERY_LABEL = gettext_lazy("Every period that is not final")
_POST_ACTS = ("hide", "restore", "delete", "exclude", "include")


@dataclass(frozen=True, slots=True)
class Off:
    """Something that is not shown: an entry, or with no `period` all that a player has anywhere.

    Attributes:
        is_hidden: the entry itself is; else its player is excluded.

    """

    person: Person
    period: str
    score: str
    is_hidden: bool
    since: datetime | None
    reason: str
    who: str


@require_safe
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def moderation_page(request: HttpRequest, visit: Visit, board: str) -> HttpResponse:
    """List what is not shown of a board; lead to a player's entries."""
    about, query = chosen(visit, board), request.GET.get("player", "").strip()
    found = player_named(visit, query) if query else None
    if found is not None:
        return to(visit, "board-entry", board=about.key, player=found.uuid)
    rows, further = _off(request, visit, about)
    return answer(
        request,
        "moderation",
        visit,
        about,
        tab="moderation",
        rows=rows,
        further=further,
        query=query,
        live=_live(about),
        counted=COUNTED,
    )


def _off(request: HttpRequest, visit: Visit, about: Chosen) -> tuple[list[Off], str]:
    """Return a page of what is not shown, and the cursor behind it."""
    kind, cursor = f"portal off {about.key} {about.game.id}", request.GET.get("cursor")
    after = decode_cursor(kind, cursor) if cursor else None
    if about.info is None:
        before = {"before": after[0]} if after else {}
        excluded = accounts.excluded_of(visit.studio.studio_id, **before, limit=A_PAGE + 1)
        further = encode_cursor(kind, [excluded[A_PAGE - 1][0]]) if len(excluded) > A_PAGE else ""
        return _named(visit, about, excluded=excluded[:A_PAGE]), further
    place = (after[0], after[1]) if after else taken_off.FIRST
    found = taken_off.listed(about.info.id, before=place, limit=A_PAGE + 1)
    further = encode_cursor(kind, list(found[A_PAGE - 1].position)) if len(found) > A_PAGE else ""
    return _named(visit, about, entries=found[:A_PAGE]), further


def _named(
    visit: Visit,
    about: Chosen,
    *,
    entries: list[TakenOff] | None = None,
    excluded: list[tuple[int, datetime]] | None = None,
) -> list[Off]:
    """Return lines with names, reasons and who gave them: three queries for all of them."""
    studio_id = visit.studio.studio_id
    listed = [
        (one.player_id, one.period, one.sort_value, one.hidden_at, one.excluded_at) for one in entries or ()
    ]
    listed += [(pk, "", 0, None, since) for pk, since in excluded or ()]
    persons = people(studio_id, sorted({row[0] for row in listed}))
    notes = taken_off.why(
        studio_id, {one.uuid for one in persons.values() if one.uuid}, game=about.game.uuid, key=about.key
    )
    names = named.actors(studio_id, {one.actor for one in notes.values()})
    found = []
    for pk, period, sort_value, hidden_at, excluded_at in listed:
        note = notes.get((persons[pk].uuid, period if hidden_at else None))
        found.append(
            Off(
                person=persons[pk],
                period=words.period(period),
                score=about.score(sort_value) if period else "",
                is_hidden=hidden_at is not None,
                since=hidden_at or excluded_at,
                reason=note.reason if note else "",
                who=names.get(note.actor, note.actor) if note else "",
            )
        )
    return found


def _live(about: Chosen) -> int:
    return 0 if about.info is None else summaries.live_entries(about.info.id, most=COUNTED + 1)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def entry_page(request: HttpRequest, visit: Visit, board: str, player: UUID) -> HttpResponse:
    """Show what a player holds on a board; hide, restore or delete it, and take him off all boards or back."""
    about = chosen(visit, board)
    info = accounts.player_by_uuid(player, studio_id=visit.studio.studio_id)
    if info is None or info.erased:
        raise Http404
    held = [] if about.info is None else taken_off.held(about.info.id, info.id)
    forms = _forms(request, info, held)
    act = request.POST.get("act", "")
    form = forms.get(act) or forms["hide"]
    if form.is_bound and act in forms and form.is_valid():
        try:
            said = _do(visit, about, info, act, form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, said)
            return to(visit, "board-entry", board=about.key, player=info.uuid)
    return _entry(request, visit, about, info, held, forms, act, refused=form.is_bound)


def _forms(request: HttpRequest, info: PlayerInfo, held: list[Held]) -> dict[str, PortalForm]:
    """Return the page's forms by what they do; of a form that is sent only the one that was meant is filled."""
    data, act = sent(request), request.POST.get("act", "")
    shown = [one for one in held if one.is_live and one.hidden_at is None]
    hidden = [one for one in held if one.is_live and one.hidden_at is not None]

    def of(name: str) -> Any:
        return data if act == name or (name == "hide" and act not in _POST_ACTS) else None

    return {
        "hide": EntryForm(of("hide"), periods=_periods(shown), auto_id="hide_%s"),
        "restore": EntryForm(of("restore"), periods=_periods(hidden), auto_id="restore_%s"),
        "delete": DeleteEntryForm(
            of("delete"),
            periods=_periods([one for one in held if one.is_live]),
            name=info.external_id or "",
            auto_id="delete_%s",
        ),
        "exclude": ReasonForm(of("exclude"), auto_id="exclude_%s"),
        "include": ReasonForm(of("include"), auto_id="include_%s"),
    }


def _periods(held: list[Held]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [(one.period, words.period(one.period)) for one in held]
    return [*found, (EVERY, _EVERY_LABEL)] if len(found) > 1 else found


def _do(visit: Visit, about: Chosen, info: PlayerInfo, act: str, said: dict[str, Any]) -> str:
    """Do it, and return what was done. Raises Refused."""
    now = timezone.now()
    if act in ("exclude", "include"):
        changed = accounts_services.exclude_player(
            studio_id=visit.studio.studio_id,
            player=info,
            excluded=act == "exclude",
            reason=said["reason"],
            actor=visit.actor,
            at=now,
        )
        if not changed:
            return _("Nothing was different.")
        if act == "exclude":
            return _("The player is taken off all boards of the studio. They change within moments.")
        return _("The player is back on all boards of the studio. They change within moments.")
    count = moderation.moderate(
        game=game_of(visit),
        key=about.key,
        player=info,
        action=Action(act),
        period=said["period"],
        reason=said["reason"],
        actor=visit.actor,
        at=now,
    )
    return _done(Action(act), count)


def _done(action: Action, count: int) -> str:
    told = {
        Action.HIDE: ngettext(
            "%(count)s entry is hidden. The board changes within moments.",
            "%(count)s entries are hidden. The board changes within moments.",
            count,
        ),
        Action.RESTORE: ngettext(
            "%(count)s entry is shown again. The board changes within moments.",
            "%(count)s entries are shown again. The board changes within moments.",
            count,
        ),
        Action.DELETE: ngettext(
            "%(count)s entry is deleted. The board changes within moments.",
            "%(count)s entries are deleted. The board changes within moments.",
            count,
        ),
    }
    return told[action] % {"count": count} if count else _("Nothing was different.")


def _entry(
    request: HttpRequest,
    visit: Visit,
    about: Chosen,
    info: PlayerInfo,
    held: list[Held],
    forms: dict[str, PortalForm],
    act: str,
    *,
    refused: bool,
) -> HttpResponse:
    studio_id = visit.studio.studio_id
    person = people(studio_id, [info.id])[info.id]
    notes = taken_off.why(studio_id, [info.uuid], game=about.game.uuid, key=about.key)
    names = named.actors(studio_id, {one.actor for one in notes.values()})
    rank, past = _rank(about, info, held)
    return answer(
        request,
        "entry",
        visit,
        about,
        tab="moderation",
        refused=refused,
        person=person,
        forms=forms,
        act=act,
        rows=[
            (
                one,
                words.period(one.period),
                about.score(one.sort_value),
                _note(notes, names, info, one.period),
            )
            for one in held
        ],
        rank=rank,
        past=past,
        excluded=_is_excluded(studio_id, info),
        exclusion=_note(notes, names, info, None),
        can_hide=any(one.is_live and one.hidden_at is None for one in held),
        can_restore=any(one.is_live and one.hidden_at is not None for one in held),
        can_delete=any(one.is_live for one in held),
    )


def _rank(about: Chosen, info: PlayerInfo, held: list[Held]) -> tuple[Rank | None, list[tuple[Sample, str]]]:
    """Return where the player stands now and stood at the end of each of the last days; nothing of who is not shown.

    A rank that is looked at here is kept from now on.
    """
    now = timezone.now()
    period = about.current(now)
    order = about.order(period)
    if order is None or any(one.period_id == period.id and one.is_off for one in held):
        return None, []
    history.note_watch(order, info.id, now=now)
    by_day = {one.at.date(): one for one in history.samples(order, info.id, since=now - SHOWN_PAST)}
    past = [(one, about.score(one.sort_value)) for one in reversed(by_day.values())]
    rank = standings.rank(order, info.id)
    return rank, past if rank is not None else []


def _note(notes: Any, names: dict[str, str], info: PlayerInfo, period: str | None) -> dict[str, Any] | None:
    note = notes.get((str(info.uuid), period))
    return note and {"reason": note.reason, "at": note.at, "who": names.get(note.actor, note.actor)}


def _is_excluded(studio_id: int, info: PlayerInfo) -> bool:
    return (studio_id, info.id) in accounts.excluded_players([info.id])


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def reset(request: HttpRequest, visit: Visit, board: str) -> HttpResponse:
    """Begin a board anew, once its name is typed and a reason given."""
    visit.need(Act.CARE_FOR_PLAYERS)  # as keys need both scopes
    about = chosen(visit, board)
    if about.info is None:
        raise Conflict("The `points` board is made of unlocks and can't be reset.")
    form = ResetForm(sent(request), name=about.name)
    if form.is_valid():
        try:
            moderation.reset(
                game=game_of(visit),
                key=about.key,
                reason=form.cleaned_data["reason"],
                actor=visit.actor,
                at=timezone.now(),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request, _("%(name)s begins anew: all scores count from zero.") % {"name": about.name}
            )
            return to(visit, "portal-board", board=about.key)
    return answer(
        request,
        "reset",
        visit,
        about,
        tab="moderation",
        refused=form.is_bound,
        form=form,
        live=_live(about),
        counted=COUNTED,
    )
