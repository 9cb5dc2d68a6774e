"""What is done to a player's achievements: granting one, revoking one, and letting the player begin anew."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts import finding
from accounts.doorway import Visit, studio_page
from accounts.finding import Known
from accounts.roles import Act
from accounts.selectors import GameInfo, PlayerInfo
from achievements.selectors import definitions, persons, unlocks
from achievements.selectors.definitions import Definition
from achievements.services import anew, granting, revokes
from core import clock, spoken
from core.forms import ReasonForm, TypedForm, sent
from core.refusals import Refused
from stats.selectors import persons as stats

METHODS = ["GET", "HEAD", "POST"]
MOST_OFFERED = 1_000
ALL = "all"


class ChosenForm(ReasonForm):
    """One of some achievements, and why. The service says whether it may be; the list is for choosing only."""

    achievement = forms.CharField(label=gettext_lazy("Achievement"), max_length=128, strip=False)
    field_order = ("achievement", "reason")

    def __init__(self, *args: Any, offered: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        """Offer achievements, as pairs of key and words."""
        super().__init__(*args, **kwargs)
        self.fields["achievement"].widget = forms.Select(choices=[("", _("Choose one")), *offered])

    def clean_achievement(self) -> str:
        """Return the key as it is kept."""
        return unicodedata.normalize("NFC", self.cleaned_data["achievement"])


class AnewForm(TypedForm):
    """Where and of what a player begins anew, why, and the player's id as a second thought."""

    game = forms.ChoiceField(label=gettext_lazy("Where"))
    what = forms.ChoiceField(
        label=gettext_lazy("What"),
        choices=[
            ("both", gettext_lazy("Unlocks, steps and stats")),
            ("unlocks", gettext_lazy("Unlocks and steps")),
            ("stats", gettext_lazy("Stats")),
        ],
    )
    field_order = ("game", "what", "reason", "typed")

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """Offer the games."""
        super().__init__(*args, **kwargs)
        field = self.fields["game"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose a game, or all")), *places]


@require_http_methods(METHODS)
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def grant(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Give a player an achievement by hand."""
    person, info = _person(visit, player)
    game = _game(visit)
    held = unlocks.unlocks_of(person.id, game_id=game.id)
    every = definitions.fresh_catalogue(game.id).by_key.values()
    locked = [one for one in every if one.id not in held and one.state != "archived"]
    form = _chosen(request, locked)
    if form.is_valid():
        try:
            done = granting.grant(
                game=game,
                player=info,
                key=form.cleaned_data["achievement"],
                reason=form.cleaned_data["reason"],
                actor=visit.actor,
                at=clock.now(),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request,
                _("The achievement is unlocked: the player has %(points)s points in this game now.")
                % {"points": spoken.whole(done.total_points)},
            )
            return _to_person(visit, person, game)
    means = _(
        "It is unlocked as if the game had reported it now: points, boards and webhooks follow, and the player is told."
        " What stats or other achievements unlock can't be granted."
    )
    return _page(
        request,
        visit,
        person,
        form,
        game=game,
        title=_("Grant an achievement"),
        means=means,
        button=_("Grant the achievement"),
    )


@require_http_methods(METHODS)
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def revoke(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Take an unlock back."""
    person, _info = _person(visit, player)
    game = _game(visit)
    held = unlocks.unlocks_of(person.id, game_id=game.id)
    every = definitions.fresh_catalogue(game.id).by_key.values()
    form = _chosen(request, [one for one in every if one.id in held])
    if form.is_valid():
        try:
            done = revokes.revoke(
                game=game,
                player_id=person.id,
                key=form.cleaned_data["achievement"],
                reason=form.cleaned_data["reason"],
                actor=visit.actor,
                at=clock.now(),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            if done.revoked_at is not None:
                messages.success(
                    request,
                    _("The unlock is taken back: the player has %(points)s points in this game now.")
                    % {"points": spoken.whole(done.total_points)},
                )
                return _to_person(visit, person, game)
            form.add_error("achievement", _("The player does not have this achievement."))
    means = _(
        "Its points are gone from totals and boards within seconds, its steps begin anew, and it may be unlocked again."
        " Achievements that required it stay."
    )
    return _page(
        request,
        visit,
        person,
        form,
        game=game,
        title=_("Revoke an unlock"),
        means=means,
        button=_("Revoke the unlock"),
        is_dangerous=True,
    )


@require_http_methods(METHODS)
@studio_page(needs=Act.CARE_FOR_PLAYERS)
def reset(request: HttpRequest, visit: Visit, player: UUID) -> HttpResponse:
    """Let a player begin anew, in a game or in all of the studio's."""
    person, info = _person(visit, player)
    games = {str(one.uuid): one for one in (*visit.games, *visit.put_away)}
    form = AnewForm(
        sent(request),
        places=_places(visit, person, games),
        external_id=person.external_id,
        initial={"game": request.GET.get("game", ""), "what": "both"},
    )
    if form.is_valid():
        asked = form.cleaned_data
        try:
            done = anew.begin(
                games=_touched(visit, person, games) if asked["game"] == ALL else [games[asked["game"]]],
                player=info,
                unlocks=asked["what"] in ("both", "unlocks"),
                stats=asked["what"] in ("both", "stats"),
                reason=asked["reason"],
                actor=visit.actor,
                at=clock.now(),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _done(done))
            return _to_person(visit, person, games.get(asked["game"]))
    means = _(
        "Unlocks are taken back and can be earned again, steps begin at none, and values of stats begin at what they"
        " were declared with. Scores on boards stay. This can't be undone."
    )
    return _page(
        request,
        visit,
        person,
        form,
        title=_("Reset progress"),
        means=means,
        button=_("Reset progress"),
        is_dangerous=True,
    )


def _places(visit: Visit, person: Known, games: dict[str, GameInfo]) -> list[tuple[str, str]]:
    """Return where one may begin anew: games with how much is unlocked there, and all of them."""
    totals = persons.totals(visit.studio.studio_id, person.id)
    places = []
    for uuid, game in games.items():
        count = totals[game.id].unlocked if game.id in totals else 0
        told = {"title": game.title, "n": spoken.whole(count)}
        places.append((uuid, _("%(title)s (%(n)s unlocked)") % told))
    everything = sum(one.unlocked for one in totals.values())
    return [*places, (ALL, _("All of your games (%(n)s unlocked)") % {"n": spoken.whole(everything)})]


def _touched(visit: Visit, person: Known, games: dict[str, GameInfo]) -> list[GameInfo]:
    """Return the studio's games in which the player holds anything."""
    studio_id = visit.studio.studio_id
    ids = persons.games(studio_id, person.id) | set(stats.games_with_values(studio_id, person.id))
    return [one for one in games.values() if one.id in ids]


def _done(done: anew.Anew) -> str:
    if not (done.revoked or done.progress or done.values):
        return _("There was nothing to reset.")
    unlocked = ngettext("%(n)s unlock is taken back", "%(n)s unlocks are taken back", done.revoked)
    values = ngettext("%(n)s stat begins anew", "%(n)s stats begin anew", done.values)
    return f"{unlocked % {'n': spoken.whole(done.revoked)}}, {values % {'n': spoken.whole(done.values)}}."


def _chosen(request: HttpRequest, listed: Sequence[Definition]) -> ChosenForm:
    named = request.GET.get("achievement", "")[:128]
    first = [one for one in listed if one.key == named]
    offered = [*first, *(one for one in listed if one.key != named)][:MOST_OFFERED]
    drafts = _("%(name)s (draft)")
    words = [(one.key, drafts % {"name": one.name} if one.state == "draft" else one.name) for one in offered]
    return ChosenForm(sent(request), offered=words, initial={"achievement": named})


def _person(visit: Visit, player: UUID) -> tuple[Known, PlayerInfo]:
    """Return a player of the studio's, and as services take him. Raises Http404."""
    found = finding.named(visit.studio.studio_id, player)
    if found is None:
        raise Http404
    return found


def _game(visit: Visit) -> GameInfo:
    assert visit.game is not None  # the address names it
    return visit.game


def _to_person(visit: Visit, person: Known, game: GameInfo | None) -> HttpResponse:
    answer = redirect("portal-player", studio=visit.studio.studio_uuid, player=person.uuid)
    if game is not None:
        answer["Location"] += f"?game={game.uuid}"
    return answer


def _page(
    request: HttpRequest, visit: Visit, person: Known, form: ReasonForm, **context: Any
) -> HttpResponse:
    shown = {"visit": visit, "here": "players", "person": person, "form": form, **context}
    return render(request, "portal/players/act.html", shown, status=422 if form.errors else 200)
