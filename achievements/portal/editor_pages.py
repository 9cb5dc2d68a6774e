"""What the pages about an achievement share: their head, whom they are for, and who did what."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import named
from accounts.doorway import Visit
from accounts.selectors import GameInfo
from achievements.selectors import definitions, editing, versions
from achievements.selectors.definitions import Definition
from achievements.selectors.editing import Standing
from achievements.services.versions import Author, Source
from core import clock


def editor_page(
    request: HttpRequest, visit: Visit, name: str, now: Standing, *, status: int = 200, **more: object
) -> HttpResponse:
    """Show one of an achievement's pages, with the head and tabs that they share."""
    context = {
        "now": now,
        "definition": now.definition,
        "flat": now.edited,
        "changes": len(now.changes),
        "versions": versions.count(now.definition.id),
        "edited_at": now.edited_at,
        "edited_by": people(visit, [now.edited_by])[0],
        "rarity": definitions.rarities([now.definition.id])[now.definition.id],
    }
    return page(request, visit, name, status=status, **context, **more)


def page(
    request: HttpRequest, visit: Visit, name: str, *, status: int = 200, **context: object
) -> HttpResponse:
    """Show a page about an achievement."""
    context = {"visit": visit, "here": "achievements", "tab": name, **context}
    return render(request, f"portal/achievements/{name}.html", context, status=status)


def standing_of(visit: Visit, achievement: UUID) -> Standing:
    """Return where an achievement of the game stands. Raises Http404."""
    by_key = definitions.fresh_catalogue(game_of(visit).id).by_key
    found = next((one for one in by_key.values() if one.uuid == achievement), None)
    if found is None:
        raise Http404
    return editing.standing(found)


def game_of(visit: Visit) -> GameInfo:
    """Return the game that the address names."""
    assert visit.game is not None  # the address names it
    return visit.game


def place(visit: Visit) -> tuple[UUID, UUID]:
    """Return what stands before an achievement in addresses."""
    return visit.studio.studio_uuid, game_of(visit).uuid


def to_editor(visit: Visit, definition: Definition) -> HttpResponse:
    """Lead to an achievement's editor."""
    return redirect("edit-achievement", *place(visit), definition.uuid)


def author(visit: Visit) -> Author:
    """Return the visitor, as the history of definitions names him."""
    return Author(visit.actor, clock.now(), Source.PORTAL)


def people(visit: Visit, actors: list[str]) -> list[str]:
    """Return what people call those who did something, in the same order."""
    known = named.actors(visit.studio.studio_id, set(actors))
    return [known.get(one) or (_("Laurel") if one == "platform" else _("Somebody else")) for one in actors]
