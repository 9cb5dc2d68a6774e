"""A player's pages: what happened, what he has, where he stands, how much he played; in a game or in all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from accounts import finding
from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from achievements.selectors import definitions
from care import spelling
from care.selectors import explaining, holdings, profile, timeline
from care.selectors.profile import InGame, Profile
from care.selectors.timeline import (
    ACTS,
    ALL,
    BEGINNING,
    CONDITIONS,
    FLAGGED,
    REVOKES,
    SESSIONS,
    UNLOCKS,
    Asked,
)
from core import clock
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from leaderboards.selectors import persons as boards

A_PAGE = 50
LONGEST = 128
SHOWN = {
    "": (_("All"), ALL),
    "unlocks": (_("Unlocks"), (UNLOCKS, FLAGGED)),
    "revokes": (_("Revokes"), (REVOKES,)),
    "stats": (_("Stats and sessions"), (CONDITIONS, SESSIONS)),
    "acts": (_("Acts of your studio"), (ACTS, BEGINNING)),
}
WHICH = {"": _("All"), "unlocked": _("Unlocked"), "locked": pgettext_lazy("achievement", "Locked")}


@dataclass(frozen=True, slots=True)
class Look:
    """A player whose page somebody looks at, and the game that it is about, if it is about one."""

    visit: Visit
    profile: Profile
    chosen: InGame | None

    @property
    def game(self) -> InGame | None:
        """The game that is asked for, or the one that he was heard of last in; None in a studio without games."""
        return self.chosen or next(iter(self.profile.games), None)

    @property
    def game_ids(self) -> list[int]:
        """The games that a list over several of them is about."""
        return [one.game.id for one in ([self.chosen] if self.chosen else self.profile.games)]


@require_safe
@studio_page(needs=Act.SEE_PLAYERS)
def story(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Show what happened, newest first, and why something is still locked.

    Who was joined to another meanwhile is shown as the other: older entries of the audit log lead here.
    """
    try:
        look = _look(request, visit, player)
    except Http404:
        into = finding.joined_into(visit.studio.studio_id, player)
        if into is None:
            raise
        return redirect("portal-player", studio=visit.studio.studio_uuid, player=into)
    shown = request.GET.get("show", "")
    shown = shown if shown in SHOWN else ""
    kind = f"timeline {look.profile.person.id} {shown} {look.chosen and look.chosen.game.id}"
    cursor = request.GET.get("cursor")
    after = timeline.from_cursor(decode_cursor(kind, cursor)) if cursor else None
    asked = Asked(visit.studio.studio_id, look.profile.person, look.game_ids, A_PAGE + 1, after)
    events = timeline.events(asked, sources=SHOWN[shown][1])
    more = len(events) > A_PAGE
    events = events[:A_PAGE]
    return _page(
        request,
        look,
        "timeline",
        events=events,
        titles={one.game.id: one.game.title for one in look.profile.games},
        chips=[(value, label) for value, (label, _sources) in SHOWN.items()],
        shown=shown,
        older=encode_cursor(kind, timeline.to_cursor(events[-1].position)) if more else "",
        is_later=after is not None,
        **_why(request, look),
    )


@require_safe
@studio_page(needs=Act.SEE_PLAYERS)
def achievements(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Show a game's achievements as they are for the player, and why something is still locked."""
    look = _look(request, visit, player)
    query = request.GET.get("q", "").strip()[:LONGEST]
    which = request.GET.get("which", "")
    which = which if which in WHICH else ""
    number = _page_number(request)
    rows: Sequence[holdings.Had] = ()
    total = 0
    if look.game is not None:
        rows, total = holdings.achievements(
            look.profile.person.id,
            look.game.game.id,
            query=query,
            which=which,
            offset=(number - 1) * A_PAGE,
            limit=A_PAGE,
        )
    return _page(
        request,
        look,
        "achievements",
        rows=rows,
        total=total,
        query=query,
        which=which,
        chips=list(WHICH.items()),
        number=number,
        pages=max(1, -(-total // A_PAGE)),
        **_why(request, look),
    )


@require_safe
@studio_page(needs=Act.SEE_PLAYERS)
def stats(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Show what the player holds of a game's stats."""
    look = _look(request, visit, player)
    rows: Sequence[Any] = ()
    if look.game is not None:
        rows = holdings.values(visit.studio.studio_id, look.profile.person.id, look.game.game.id)
    return _page(request, look, "stats", rows=rows)


@require_safe
@studio_page(needs=Act.SEE_PLAYERS)
def ranks(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Show where the player stands on every board of a game, and what he scored in each period."""
    look = _look(request, visit, player)
    if look.game is None:
        return _page(request, look, "ranks", stands=(), scores=())
    person, game = look.profile.person, look.game.game
    kind, cursor = f"scores {person.id} {game.id}", request.GET.get("cursor")
    before = decode_cursor(kind, cursor)[0] if cursor else None
    scores = boards.scored(
        visit.studio.studio_id, person.id, game_ids=[game.id], before_id=before, limit=A_PAGE + 1
    )
    more = len(scores) > A_PAGE
    scores = scores[:A_PAGE]
    return _page(
        request,
        look,
        "ranks",
        stands=boards.stands(game.id, person.id, at=clock.now()),
        scores=scores,
        older=encode_cursor(kind, [scores[-1].period_id]) if more else "",
        is_later=before is not None,
    )


@require_safe
@studio_page(needs=Act.SEE_PLAYERS)
def sessions(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Show how much the player played, and when."""
    look = _look(request, visit, player)
    person = look.profile.person
    days = holdings.days_played(person.id, person.time_zone, look.game_ids, at=clock.now())
    played = [one for one in look.profile.games if one.game.id in set(look.game_ids) and one.sessions]
    rows = [(one, spelling.hours(one.played_ms)) for one in played]
    return _page(
        request,
        look,
        "sessions",
        rows=rows,
        days=[(day, spelling.hours(int(day.seconds * 1000))) for day in days],
        has_days=any(day.seconds for day in days),
    )


def _look(request: HttpRequest, visit: Visit, player: UUID) -> Look:
    """Return whom a page is about. Raises Http404 for who is none of the studio's, and for a game that is not."""
    found = profile.profile(visit.studio.studio_id, player, [*visit.games, *visit.put_away])
    if found is None:
        raise Http404
    text = request.GET.get("game", "")
    if not text:
        return Look(visit, found, None)
    uuid = parse_id(text)
    chosen = None if uuid is None else found.of(uuid)
    if chosen is None:
        raise Http404
    return Look(visit, found, chosen)


def _why(request: HttpRequest, look: Look) -> dict[str, Any]:
    """Return why the achievement that is asked about is locked or not, and which ones one may ask about."""
    if look.game is None:
        return {"why": None, "offered": ()}
    offered = explaining.offered(definitions.fresh_catalogue(look.game.game.id))
    key = request.GET.get("why", "")[:LONGEST]
    if not key:
        return {"why": None, "offered": offered}
    about = (look.visit.studio.studio_id, look.profile.person, look.game, key)
    why = explaining.why(*about, at=clock.now())
    if why is None:
        raise Http404
    return {"why": why, "offered": offered}


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and 1 <= len(text) <= 4 and int(text) else 1


def _page(request: HttpRequest, look: Look, tab: str, **context: Any) -> HttpResponse:
    listed = [look.chosen] if look.chosen else look.profile.games
    kept = request.GET.copy()
    for name in ("cursor", "page"):
        kept.pop(name, None)
    return render(
        request,
        f"portal/players/{tab}.html",
        {
            "visit": look.visit,
            "here": "players",
            "tab": tab,
            "look": look,
            "person": look.profile.person,
            "game": look.game,
            "chosen": look.chosen,
            "in_game": urlencode({"game": str(look.chosen.game.uuid)}) if look.chosen else "",
            "asked": kept.urlencode(),
            "points": sum(one.points for one in listed),
            "unlocked": sum(one.unlocked for one in listed),
            "available": sum(one.available for one in listed if look.chosen or one.was_played),
            "played": spelling.hours(sum(one.played_ms for one in listed)),
            "rank": boards.points_rank(look.chosen.game.id, look.profile.person.id) if look.chosen else None,
            "played_sessions": sum(one.sessions for one in listed),
            **context,
        },
    )
