"""From a draft to players and away from them: each time it is shown first what that does."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from achievements import backfilling, documents
from achievements.models import State, Type
from achievements.portal import diffing
from achievements.portal.editor_pages import author, editor_page, game_of, place, standing_of, to_editor
from achievements.selectors import definitions, editing
from achievements.selectors.editing import Standing
from achievements.services import backfills
from achievements.services import publishing as services
from achievements.services.backfills import Preview
from core import spoken
from core.deadlines import extend
from core.refusals import Refused

WITHIN_S = 10.0  # a preview looks at 20,000 players


@dataclass(frozen=True, slots=True)
class Effect:
    """What publishing does to players."""

    sentences: tuple[str, ...]
    would_unlock: int


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def publish(request: HttpRequest, visit: Visit, achievement: UUID) -> HttpResponse:
    """Show what publishing changes, then do it."""
    now = standing_of(visit, achievement)
    if request.method != "POST":
        return _publish_page(request, visit, now)
    try:
        made = services.publish(
            game=game_of(visit),
            key=now.definition.key,
            token=request.POST.get("token", ""),
            announce=bool(request.POST.get("announce")),
            by=author(visit),
        )
    except Refused as refused:
        now = standing_of(visit, achievement)
        return _publish_page(request, visit, now, refused=refused.detail)
    said = (
        _("%(name)s is published.")
        if now.definition.state != State.PUBLISHED
        else _("The changes are published.")
    )
    messages.success(request, said % {"name": made.name})
    return to_editor(visit, made)


def _publish_page(request: HttpRequest, visit: Visit, now: Standing, *, refused: str = "") -> HttpResponse:
    differences = dict(now.changes)
    if now.definition.state != State.PUBLISHED:
        differences = {"state": (now.definition.state, State.PUBLISHED.value), **differences}
    try:
        effect = _effect(visit, now)
    except Refused as no:
        effect, refused = None, refused or no.detail
    more = {
        "lines": diffing.lines(differences, now.definition.key),
        "overtaken": [diffing.label(field) for field in editing.overtaken(now)],
        "effect": effect,
        "refused": refused,
    }
    is_sent = request.method == "POST"
    return editor_page(request, visit, "publish", now, status=409 if is_sent else 200, **more)


def _effect(visit: Visit, now: Standing) -> Effect:
    """Return what publishing does. Raises as `definitions.update` does."""
    definition, changes = now.definition, now.changes
    kind = changes["type"][1] if "type" in changes else definition.type
    decides = definition.state != State.PUBLISHED or not changes.keys().isdisjoint(
        backfilling.deciding(definition)
    )
    found = Preview(0, 0, True, ())
    if kind != Type.STANDARD and decides:
        extend(WITHIN_S)
        values = documents.values_of(now.edited, changes) | {"state": State.PUBLISHED.value}
        found = backfills.preview(game=game_of(visit), key=definition.key, values=values)
    holders = definitions.rarities([definition.id])[definition.id].unlocked
    said = [*_said_of_state(definition.state), *_said_of_holders(holders, changes.keys()), *_said_of(found)]
    if "target" in changes or "goal" in changes or "stat" in changes:
        said.append(_("What counts towards it counts by the new rule from now on."))
    return Effect(tuple(said), found.would_unlock)


def _said_of_state(state: str) -> list[str]:
    if state == State.DRAFT:
        return [_("Players see it from now on. It is never a draft again: later it can be archived.")]
    return [_("Players can unlock it again from now on.")] if state == State.ARCHIVED else []


def _said_of_holders(holders: int, fields: "object") -> list[str]:
    if not holders:
        return [_("No player holds it yet.")]
    said = ngettext("%(n)s player holds it and keeps it.", "%(n)s players hold it and keep it.", holders) % {
        "n": spoken.whole(holders)
    }
    if "points" in fields:  # type: ignore[operator]
        return [said, _("They keep the points that it was worth when they unlocked it.")]
    return [said]


def _said_of(found: Preview) -> list[str]:
    if not found.would_unlock:
        return []
    say = ngettext(
        "%(n)s player meets it already and is given it in the background.",
        "%(n)s players meet it already and are given it in the background.",
        found.would_unlock,
    )
    said = [say % {"n": spoken.whole(found.would_unlock)}]
    if not found.is_complete:
        said.append(
            _("There may be more: %(n)s players were looked at.") % {"n": spoken.whole(found.checked)}
        )
    return said


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def archive(request: HttpRequest, visit: Visit, achievement: UUID) -> HttpResponse:
    """Show what archiving does, then do it."""
    now = standing_of(visit, achievement)
    refused = ""
    if request.method == "POST":
        try:
            services.archive(
                game=game_of(visit),
                key=now.definition.key,
                token=request.POST.get("token", ""),
                by=author(visit),
            )
        except Refused as no:
            refused, now = no.detail, standing_of(visit, achievement)
        else:
            messages.success(request, _("%(name)s is archived.") % {"name": now.definition.name})
            return to_editor(visit, now.definition)
    by_key = definitions.fresh_catalogue(game_of(visit).id).by_key
    more = {
        "refused": refused,
        "requiring": [one for one in by_key.values() if now.definition.key in one.requires][:20],
    }
    return editor_page(request, visit, "archive", now, status=409 if refused else 200, **more)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def discard(request: HttpRequest, visit: Visit, achievement: UUID) -> HttpResponse:
    """Throw away what waits to be published."""
    now = standing_of(visit, achievement)
    _do(request, visit, now, services.discard, said=_("The changes are discarded."))
    return to_editor(visit, now.definition)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def delete(request: HttpRequest, visit: Visit, achievement: UUID) -> HttpResponse:
    """Delete a draft."""
    now = standing_of(visit, achievement)
    said = _("The draft of %(name)s is deleted.") % {"name": now.definition.name}
    if _do(request, visit, now, services.delete, said=said):
        return redirect("portal-achievements", *place(visit))
    return to_editor(visit, now.definition)


def _do(request: HttpRequest, visit: Visit, now: Standing, act: Callable[..., None], *, said: str) -> bool:
    token = request.POST.get("token", "")
    try:
        act(game=game_of(visit), key=now.definition.key, token=token, by=author(visit))
    except Refused as refused:
        messages.error(request, refused.detail)
        return False
    messages.success(request, said)
    return True
