"""What a player holds on a board: hidden, shown again, deleted; and the player taken off all boards, or let back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts import named
from accounts import selectors as accounts
from accounts import services as accounts_services
from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from accounts.selectors import PlayerInfo
from core import clock
from core.forms import PortalForm, sent
from core.refusals import Refused
from leaderboards.portal import words
from leaderboards.portal.asking import Chosen, answer, chosen, game_of, people, to
from leaderboards.portal.forms import DeleteEntryForm, EntryForm, ReasonForm
from leaderboards.selectors import history, standings, taken_off
from leaderboards.selectors.history import Sample
from leaderboards.selectors.standings import Rank
from leaderboards.selectors.taken_off import Held
from leaderboards.services import moderation
from leaderboards.services.moderation import EVERY, Action

SHOWN_PAST = timedelta(days=7)
_EVERY_LABEL = gettext_lazy("Every period that is not final")
_ACTS = ("hide", "restore", "delete", "exclude", "include")


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
        return data if act == name or (name == "hide" and act not in _ACTS) else None

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
    now = clock.now()
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
    now = clock.now()
    period = about.current(now)
    order = about.order(period)
    if order is None or any(one.period_id == period.id and one.is_off for one in held):
        return None, []
    history.note_watch([order], info.id, now=now)
    by_day = {one.at.date(): one for one in history.samples(order, info.id, since=now - SHOWN_PAST)}
    past = [(one, about.score(one.sort_value)) for one in reversed(by_day.values())]
    rank = standings.rank(order, info.id)
    return rank, past if rank is not None else []


def _note(notes: Any, names: dict[str, str], info: PlayerInfo, period: str | None) -> dict[str, Any] | None:
    note = notes.get((str(info.uuid), period))
    return note and {"reason": note.reason, "at": note.at, "who": names.get(note.actor, note.actor)}


def _is_excluded(studio_id: int, info: PlayerInfo) -> bool:
    return (studio_id, info.id) in accounts.excluded_players([info.id])
