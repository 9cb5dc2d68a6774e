"""What is not shown of a board, with who took it off and why; and beginning the whole board anew."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import named
from accounts import selectors as accounts
from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from core import clock
from core.forms import sent
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Conflict, Refused
from leaderboards.portal import words
from leaderboards.portal.asking import Chosen, Person, answer, chosen, game_of, people, player_named, to
from leaderboards.portal.forms import ResetForm
from leaderboards.selectors import summaries, taken_off
from leaderboards.selectors.taken_off import TakenOff
from leaderboards.services import moderation

A_PAGE = 50
COUNTED = 20_000  # entries of a board that would begin anew


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
@studio_page(needs=Act.WRITE_DEFINITIONS)
def reset(request: HttpRequest, visit: Visit, board: str) -> HttpResponse:
    """Begin a board anew, once its name is typed and a reason given."""
    visit.need(Act.CARE_FOR_PLAYERS)  # as keys need both scopes
    about = chosen(visit, board)
    if about.info is None:
        raise Conflict("The `points` board is made of unlocks and can't be reset.")
    form = ResetForm(sent(request), name=about.name, initial={"epoch": about.info.epoch})
    if form.is_valid():
        try:
            moderation.reset(
                game=game_of(visit),
                key=about.key,
                reason=form.cleaned_data["reason"],
                seen_epoch=form.cleaned_data["epoch"],
                actor=visit.actor,
                at=clock.now(),
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
