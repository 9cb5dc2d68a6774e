"""What is done to a player in all of a studio's games: bans, exclusions from boards, and who tests a game.

Each act has a page that says what it means and asks for a reason. Its form carries what is wanted (`to`), so that one
that was sent twice, or by two people, does not undo itself.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import finding, games, selectors, services
from accounts.doorway import Visit, studio_page
from accounts.finding import Known
from accounts.roles import Act
from accounts.selectors import GameInfo, PlayerInfo
from core import clock
from core.forms import ReasonForm, sent
from core.refusals import Conflict

ON, OFF = "on", "off"
METHODS = ["GET", "HEAD", "POST"]


class SwitchForm(ReasonForm):
    """Why something is switched on or off for a player."""

    to = forms.ChoiceField(choices=[(ON, ON), (OFF, OFF)], widget=forms.HiddenInput)


_Texts = dict[str, tuple[str | Promise, str | Promise, str | Promise, str | Promise]]
# What a page is called, what the act means, its button, and what is said when it is done.
BAN: _Texts = {
    ON: (
        gettext_lazy("Ban from unlocking"),
        gettext_lazy(
            "Every report about this player, in all of your games, is answered 403 from now on, and sessions that began"
            " with your tokens end. Nothing is deleted: unlocks and scores stay, and the player can be let back."
        ),
        gettext_lazy("Ban the player"),
        gettext_lazy("The player is banned from your games."),
    ),
    OFF: (
        gettext_lazy("Let a banned player back"),
        gettext_lazy("Reports about this player are taken again, in all of your games."),
        gettext_lazy("Let the player back"),
        gettext_lazy("The player may play your games again."),
    ),
}
EXCLUDE: _Texts = {
    ON: (
        gettext_lazy("Take off the boards"),
        gettext_lazy(
            "The player leaves all boards of all of your games within seconds, and counts for no achievement's rarity."
            " Scores are kept and still taken, and the player alone sees where they would stand."
        ),
        gettext_lazy("Take the player off"),
        gettext_lazy("The player is on none of your boards any more."),
    ),
    OFF: (
        gettext_lazy("Let back on the boards"),
        gettext_lazy("The player is on all of your boards again, with everything that was scored meanwhile."),
        gettext_lazy("Let the player back"),
        gettext_lazy("The player is on your boards again."),
    ),
}
TEST: _Texts = {
    ON: (
        gettext_lazy("Make a tester"),
        gettext_lazy("Drafts of this game unlock for the player from now on."),
        gettext_lazy("Make a tester"),
        gettext_lazy("The player tests this game: drafts unlock from now on."),
    ),
    OFF: (
        gettext_lazy("Make a player again"),
        gettext_lazy("Drafts of this game unlock for the player no more. What was unlocked stays."),
        gettext_lazy("Make a player again"),
        gettext_lazy("The player tests this game no more, and keeps what was unlocked."),
    ),
}


@require_http_methods(METHODS)
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def ban(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Ban a player from all of the studio's games, or let him back."""
    person, info = _person(visit, player)

    def act(wanted: bool, reason: str) -> bool:
        return services.ban_player(
            studio_id=visit.studio.studio_id,
            player=info,
            banned=wanted,
            reason=reason,
            actor=visit.actor,
            at=clock.now(),
        )

    return _switch(request, visit, person, BAN, is_on=person.banned_at is not None, act=act)


@require_http_methods(METHODS)
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def exclude(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Take a player off all of the studio's boards, or let him back."""
    person, info = _person(visit, player)

    def act(wanted: bool, reason: str) -> bool:
        return services.exclude_player(
            studio_id=visit.studio.studio_id,
            player=info,
            excluded=wanted,
            reason=reason,
            actor=visit.actor,
            at=clock.now(),
        )

    return _switch(request, visit, person, EXCLUDE, is_on=person.excluded_at is not None, act=act)


@require_http_methods(METHODS)
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def test(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Make a player a tester of a game, or a player again."""
    person, info = _person(visit, player)
    game = visit.game
    assert game is not None  # the address names it

    def act(wanted: bool, reason: str) -> bool:
        change = games.add_tester if wanted else games.remove_tester
        return change(game=game, player=info, reason=reason, actor=visit.actor, at=clock.now())

    is_on = bool(selectors.tests([game.id], [person.id]))
    return _switch(request, visit, person, TEST, is_on=is_on, act=act, game=game)


def _person(visit: Visit, player: UUID) -> tuple[Known, PlayerInfo]:
    """Return a player of the studio's, and as services take him. Raises Http404."""
    found = finding.named(visit.studio.studio_id, player)
    if found is None:
        raise Http404
    return found


def _switch(
    request: HttpRequest,
    visit: Visit,
    person: Known,
    texts: _Texts,
    *,
    is_on: bool,
    act: Callable[[bool, str], bool],
    game: GameInfo | None = None,
) -> HttpResponse:
    """Ask why something is to be switched, and switch it."""
    form = SwitchForm(sent(request), initial={"to": OFF if is_on else ON})
    if form.is_valid():
        to = form.cleaned_data["to"]
        try:
            changed = act(to == ON, form.cleaned_data["reason"])
        except Conflict as refused:
            form.refuse(refused)
        else:
            messages.success(
                request, str(texts[to][3]) if changed else _("It was so already: nothing changed.")
            )
            answer = redirect("portal-player", studio=visit.studio.studio_uuid, player=person.uuid)
            if game is not None:
                answer["Location"] += f"?game={game.uuid}"
            return answer
    title, means, button, _done = texts[_wanted(form, is_on=is_on)]
    context: dict[str, Any] = {
        "visit": visit,
        "here": "players",
        "person": person,
        "form": form,
        "title": title,
        "means": means,
        "button": button,
        "game": game,
        "is_dangerous": not is_on and game is None,
    }
    return render(request, "portal/players/act.html", context, status=422 if form.errors else 200)


def _wanted(form: SwitchForm, *, is_on: bool) -> str:
    told = form.data.get("to") if form.is_bound else None
    return told if told in (ON, OFF) else (OFF if is_on else ON)
