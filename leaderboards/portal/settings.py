"""A board's settings: what is declared of it, archiving, and deleting one that nobody scored on."""

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from core import clock, spoken
from core.forms import sent
from core.number_field import written
from core.refusals import Conflict, Refused
from leaderboards.portal import words
from leaderboards.portal.asking import Chosen, answer, chosen, game_of, to
from leaderboards.portal.forms import BoardForm, initial_of
from leaderboards.portal.listing import feeding_stats
from leaderboards.portal.moderation import COUNTED
from leaderboards.rules.scores import exact
from leaderboards.selectors import summaries
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services import definitions, editing


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.SEE_ANALYTICS)
def settings(request: HttpRequest, visit: Visit, board: str) -> HttpResponse:
    """Show what is declared of a board, or change it."""
    if request.method == "POST":
        visit.need(Act.WRITE_DEFINITIONS)
    about = chosen(visit, board)
    if about.info is None:
        if request.method == "POST":
            raise Conflict("The `points` board is built in: it can't be changed or deleted.")
        return answer(request, "settings", visit, about, tab="settings")
    info, has_scores = about.info, definitions.has_scores(about.info.id)
    stats = feeding_stats(about.game, kept=info.stat)
    form = BoardForm(sent(request), initial=initial_of(info), stats=stats, is_fixed=has_scores)
    if form.is_valid():
        try:
            changed = editing.change(
                game=game_of(visit), key=info.key, values=form.changes, actor=visit.actor, at=clock.now()
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("The board is saved.") if changed else _("Nothing was different."))
            return to(visit, "board-settings", board=info.key)
    return answer(
        request,
        "settings",
        visit,
        about,
        tab="settings",
        refused=bool(form.errors),
        form=form,
        has_scores=has_scores,
        facts=[*_facts(info), *(() if visit.may(Act.WRITE_DEFINITIONS) else _more_facts(info))],
        live=summaries.live_entries(info.id, most=COUNTED + 1),
        counted=COUNTED,
    )


def _facts(info: BoardInfo) -> Iterator[tuple[str, str]]:
    """Yield what is declared, as `(what, how)`: first what can't change under scores."""
    yield _("First is"), words.label(words.SORTS, info.sort)
    yield _("Keeps"), words.label(words.OPERATORS, info.operator)
    yield _("Equal scores"), f"{words.label(words.TIES, info.tie_break)}: {words.EXAMPLES[info.tie_break]}"
    yield _("Decimals"), str(info.decimals)
    yield _("Fed by"), info.stat or _("scores that are submitted")
    yield _("Begins anew"), words.label(words.RESETS, info.reset) + (f" ({info.cron})" if info.cron else "")
    yield _("Time zone"), info.time_zone
    if info.extra_spans:
        yield _("Kept beside it"), ", ".join(str(words.SPANS[span]) for span in info.extra_spans)


def _more_facts(info: BoardInfo) -> Iterator[tuple[str, str]]:
    """Yield what is declared besides, for who may not change it."""
    yield _("Written as"), words.label(words.FORMATS, info.format)
    yield _("Submitted by"), words.label(words.AUTHORITIES, info.authority)
    if info.attempts_limit is not None:
        yield _("Submissions of a player in a period"), spoken.whole(info.attempts_limit)
    for what, units in ((_("Lowest score"), info.min_units), (_("Highest score"), info.max_units)):
        if units is not None:
            yield what, written(exact(units, decimals=info.decimals), grouped=True)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def archive(request: HttpRequest, visit: Visit, board: str) -> HttpResponse:
    """Let a board take no more scores, or take them again."""
    about, archived = chosen(visit, board), request.POST.get("archived") == "true"
    try:
        editing.change(
            game=game_of(visit),
            key=about.key,
            values={"archived": archived},
            actor=visit.actor,
            at=clock.now(),
        )
    except Refused as refused:
        messages.error(request, refused.detail)
    else:
        said = (
            _("%(name)s is archived: scores are refused.") if archived else _("%(name)s takes scores again.")
        )
        messages.success(request, said % {"name": about.name})
    return to(visit, "board-settings", board=about.key)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def delete(request: HttpRequest, visit: Visit, board: str) -> HttpResponse:
    """Delete a board that nobody ever scored on."""
    about = chosen(visit, board)
    try:
        editing.delete(game=game_of(visit), key=about.key, actor=visit.actor, at=clock.now())
    except Conflict:
        messages.error(request, _refusal(about))
        return to(visit, "board-settings", board=about.key)
    messages.success(request, _("%(name)s is deleted.") % {"name": about.name})
    return to(visit, "portal-leaderboards")


def _refusal(about: Chosen) -> str:
    if about.info is None:
        return _("Nothing was deleted: the board of points is built in.")
    return _("Nothing was deleted: there are scores on this board by now. Archive it.")
