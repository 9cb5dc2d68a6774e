"""The portal's pages of games: a new one, its settings and testers, and putting it away."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import games, selectors, shelving, testers
from accounts.doorway import Visit, studio_page
from accounts.portal.game_forms import GameForm, NewGameForm, PutAwayForm, TesterForm
from accounts.roles import Act
from accounts.selectors import GameInfo
from core import clock
from core.ids import parse_id
from core.refusals import Conflict


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def door(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Choose a game: from now on it is the one that the rail is about."""
    return redirect("portal-achievements", studio=visit.studio.studio_uuid, game=_game(visit).uuid)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.MANAGE_STUDIO)
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Make a game. The same form sent twice leads to the one game."""
    form = NewGameForm(request.POST if request.method == "POST" else None, visit=visit)
    if not form.is_valid():
        return _page(
            request, "portal/new_game.html", visit, here="new-game", refused=form.is_bound, form=form
        )
    game = games.create(
        studio_id=visit.studio.studio_id,
        title=form.cleaned_data["title"],
        regions=form.cleaned_data["regions"],
        uuid=form.uuid,
        actor=visit.actor,
        at=clock.now(),
    )
    if not visit.games:  # the checklist on the home page leads on from the first one
        return redirect("portal-home", visit.studio.studio_uuid)
    return redirect("game-settings", studio=visit.studio.studio_uuid, game=game.uuid)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def settings(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show a game's settings; change its title, regions and signatures."""
    game = _game(visit)
    if request.method != "POST":
        return _settings(request, visit)
    form = GameForm(request.POST, initial=_initial(game))
    if not form.is_valid():
        return _settings(request, visit, form, refused=True)
    changed = games.update(
        studio_id=game.studio_id,
        game_id=game.id,
        changes=form.changes,
        actor=visit.actor,
        at=clock.now(),
    )
    messages.success(request, _("The settings are saved.") if changed else _("Nothing was different."))
    return _to_settings(visit)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def add_tester(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Let a player unlock the game's drafts."""
    game = _game(visit)
    form = TesterForm(request.POST, studio_id=game.studio_id)
    if form.is_valid():
        try:
            games.add_tester(game=game, player=form.cleaned_data["player"], actor=visit.actor, at=clock.now())
        except Conflict as refused:
            form.add_error("player", refused.detail)
        else:
            messages.success(request, _("The player tests this game: drafts unlock from now on."))
            return _to_settings(visit)
    return _settings(request, visit, None, tester_form=form, refused=True)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def remove_tester(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Let a player unlock the game's drafts no more."""
    game = _game(visit)
    uuid = parse_id(request.POST.get("player", ""))
    player = None if uuid is None else selectors.player_by_uuid(uuid, studio_id=game.studio_id)
    if player is None:
        raise Http404
    games.remove_tester(game=game, player=player, actor=visit.actor, at=clock.now())
    messages.success(request, _("The player tests this game no more, and keeps what was unlocked."))
    return _to_settings(visit)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.MANAGE_STUDIO)
def put_away(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Put a game away, once its title is typed and a reason given."""
    game = _game(visit)
    if game.archived_at is not None:
        return _to_settings(visit)
    form = PutAwayForm(request.POST if request.method == "POST" else None, title=game.title)
    if form.is_valid():
        games.archive(
            studio_id=game.studio_id,
            game_id=game.id,
            reason=form.cleaned_data["reason"],
            actor=visit.actor,
            at=clock.now(),
        )
        messages.success(request, _("%(title)s is put away. Bring it back here.") % {"title": game.title})
        return _to_settings(visit)
    return _page(
        request,
        "portal/put_game_away.html",
        visit,
        refused=form.is_bound,
        game=game,
        form=form,
        means=shelving.of_putting_away(game.id, at=clock.now()),
    )


@require_POST
@studio_page(needs=Act.MANAGE_STUDIO)
def restore(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Bring a game back."""
    game = _game(visit)
    if games.restore(studio_id=game.studio_id, game_id=game.id, actor=visit.actor, at=clock.now()):
        messages.success(request, _("%(title)s is back.") % {"title": game.title})
    return _to_settings(visit)


def _settings(
    request: HttpRequest,
    visit: Visit,
    form: GameForm | None = None,
    *,
    tester_form: TesterForm | None = None,
    refused: bool = False,
) -> HttpResponse:
    """Show the settings, with the form that was refused, if one was."""
    game = _game(visit)
    return _page(
        request,
        "portal/game_settings.html",
        visit,
        refused=refused,
        game=game,
        form=form or GameForm(initial=_initial(game)),
        tester_form=tester_form or TesterForm(studio_id=game.studio_id),
        testers=testers.of(game),
        means=shelving.of_putting_away(game.id, at=clock.now()),
    )


def _initial(game: GameInfo) -> dict[str, Any]:
    """Return what the form of a game's settings begins with."""
    return {
        "title": game.title,
        "regions": list(game.regions),
        "signed_requests": game.signed_requests,
    }


def _page(
    request: HttpRequest,
    template: str,
    visit: Visit,
    *,
    here: str = "game-settings",
    refused: bool = False,
    **context: Any,
) -> HttpResponse:
    return render(
        request, template, {"visit": visit, "here": here, **context}, status=422 if refused else 200
    )


def _to_settings(visit: Visit) -> HttpResponse:
    return redirect("game-settings", studio=visit.studio.studio_uuid, game=_game(visit).uuid)


def _game(visit: Visit) -> GameInfo:
    assert visit.game is not None  # these addresses name one
    return visit.game
