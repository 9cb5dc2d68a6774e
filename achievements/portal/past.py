"""The history of an achievement: who changed what and when, and the way back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from achievements import documents
from achievements.portal import diffing
from achievements.portal.editor_pages import author, editor_page, game_of, people, standing_of, to_editor
from achievements.selectors import versions
from achievements.selectors.versions import Version
from achievements.services import publishing as services
from core.refusals import Refused

A_PAGE = 20
_SOURCES: dict[str, Promise] = {
    "api": gettext_lazy("by API"),
    "portal": gettext_lazy("in the portal"),
    "import": gettext_lazy("by a file"),
    "restore": gettext_lazy("went back"),
    "order": gettext_lazy("moved"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A version as it is shown."""

    version: Version
    who: str
    how: str
    lines: list[diffing.Line]
    can_be_restored: bool


@require_safe
@studio_page(needs=Act.WRITE_DEFINITIONS)
def history(request: HttpRequest, visit: Visit, achievement: UUID) -> HttpResponse:
    """List an achievement's versions, newest first."""
    now = standing_of(visit, achievement)
    typed = request.GET.get("before", "")
    before = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else None
    found = versions.listed(now.definition.id, before=before, limit=A_PAGE + 1)
    shown = found[:A_PAGE]
    newest = now.last.id if now.last else 0
    entries = [
        Entry(
            one,
            who,
            str(_SOURCES[one.source]),
            diffing.lines(_differences(one), now.definition.key),
            one.id != newest,
        )
        for one, who in zip(shown, people(visit, [one.actor for one in shown]), strict=True)
    ]
    older = shown[-1].id if len(found) > A_PAGE else None
    return editor_page(request, visit, "history", now, entries=entries, older=older, is_first=before is None)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def version(request: HttpRequest, visit: Visit, achievement: UUID, version: int) -> HttpResponse:
    """Show what going back to a version changes, then do it."""
    now = standing_of(visit, achievement)
    found = versions.one(now.definition.id, version) if version < 2**63 else None
    if found is None or found.after is None:
        raise Http404
    refused = ""
    if request.method == "POST":
        try:
            made = services.restore(
                game=game_of(visit),
                key=now.definition.key,
                version=version,
                token=request.POST.get("token", ""),
                by=author(visit),
            )
        except Refused as no:
            refused, now = no.detail, standing_of(visit, achievement)
        else:
            messages.success(request, _("The achievement is as it was then."))
            return to_editor(visit, made)
    differences = documents.differences(now.published, documents.flat(found.after))
    lines = diffing.lines(differences, now.definition.key)
    more = {"version": found, "who": people(visit, [found.actor])[0], "lines": lines, "refused": refused}
    return editor_page(request, visit, "version", now, status=409 if refused else 200, **more)


def _differences(one: Version) -> dict[str, tuple[Any, Any]]:
    """Return what a version changed, its state and place included."""
    before, after = one.before or {}, one.after or {}
    found = {
        name: (before.get(name), after.get(name))
        for name in ("state", "sort_order")
        if before.get(name) != after.get(name) and (one.before or name == "state")
    }
    return found | documents.differences(documents.flat(before), documents.flat(after))
