"""The editor of an achievement: a new one, what is there, and how players would see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from achievements import documents
from achievements.documents import Flat
from achievements.models import State
from achievements.portal import diffing
from achievements.portal.cards import Preview, preview
from achievements.portal.editor_form import EditorForm
from achievements.portal.editor_pages import (
    author,
    editor_page,
    game_of,
    page,
    people,
    place,
    standing_of,
    to_editor,
)
from achievements.selectors import definitions, editing
from achievements.selectors.definitions import Definition
from achievements.selectors.editing import Standing
from achievements.services import definitions as rulebook
from achievements.services import editing as editor
from achievements.services.editing import EditedMeanwhile, Resolve
from core import clock
from core.refusals import Refused
from stats.selectors import definitions as stats

_RESOLVES = {one.value: one for one in Resolve}
_NEW: Flat = {"points": 10, "type": "standard", "authority": "server", "hidden": False}


@dataclass(frozen=True, slots=True)
class Side:
    """A field of a conflict: what it was, and what each side made of it."""

    label: str
    theirs: diffing.Line | None
    mine: diffing.Line | None


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Make a draft."""
    form = _form(visit, _NEW, request, of=None)
    if request.method == "POST" and form.is_valid():
        try:
            values = {**form.values(), "key": form.cleaned_data["key"].strip()}
            made = editor.create(game=game_of(visit), values=values, by=author(visit))
        except Refused as refused:
            form.refuse(refused)
        except ValueError as wrong:
            form.add_error(None, str(wrong))
        else:
            messages.success(
                request, _("The draft is saved. Players see nothing of it until you publish it.")
            )
            return to_editor(visit, made)
    shown = _preview_of(visit, form, key=request.POST.get("key", "")[:128], shown=None)
    status = 422 if form.errors else 200
    return page(request, visit, "edit", status=status, form=form, is_new=True, preview=shown)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def edit(request: HttpRequest, visit: Visit, achievement: UUID) -> HttpResponse:
    """Show an achievement's editor; keep what was typed, and while it is typed if a script asks for that."""
    now = standing_of(visit, achievement)
    if request.method != "POST":
        return _editor(request, visit, now, _form(visit, now.edited, request, of=now.definition))
    base = request.POST.get("base", "")
    form = _form(visit, editing.began_from(now, base) or now.edited, request, of=now.definition)
    show = _kept if _is_by_itself(request) else _editor
    if form.is_valid():
        try:
            return _saved(request, visit, form, now)
        except EditedMeanwhile as conflict:
            return show(request, visit, conflict.now, form, conflict=conflict, base=base, status=409)
        except Refused as refused:
            form.refuse(refused)
        except ValueError as wrong:
            form.add_error(None, str(wrong))
    return show(request, visit, now, form, base=base, status=422)


def _is_by_itself(request: HttpRequest) -> bool:
    return request.POST.get("then") == "keep"


def _saved(request: HttpRequest, visit: Visit, form: EditorForm, before: Standing) -> HttpResponse:
    now = editor.save(
        game=game_of(visit),
        key=before.definition.key,
        values=form.values(),
        base=request.POST.get("base", ""),
        resolve=_RESOLVES.get(request.POST.get("resolve", "")),
        seen=request.POST.get("seen", ""),
        by=author(visit),
        by_itself=_is_by_itself(request),
    )
    if _is_by_itself(request):
        return _kept(request, visit, now, form)
    if request.POST.get("then") == "publish":
        return redirect("publish-achievement", *place(visit), now.definition.uuid)
    messages.success(request, _said(before, now))
    return to_editor(visit, now.definition)


def _said(before: Standing, now: Standing) -> str:
    if now.token == before.token:
        return _("Nothing was different.")
    if now.draft is not None:
        return _("The draft is saved. Players see nothing of it until you publish it.")
    return _("The draft is saved.") if now.definition.state == State.DRAFT else _("Nothing waits any more.")


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def show_preview(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show how players would see what is typed, right or wrong; nothing is stored."""
    key = request.POST.get("key", "")[:128]
    held = definitions.fresh_catalogue(game_of(visit).id).by_key.get(key)
    now = editing.standing(held) if held else None
    form = _form(visit, now.edited if now else _NEW, request, of=held)
    longest = bool(request.POST.get("longest"))
    context = {
        "visit": visit,
        "preview": _preview_of(visit, form, key=key, shown=held, longest=longest),
        "label": _publish_label(now, form) if now and held and held.is_published else "",
    }
    return render(request, "portal/achievements/preview.html", context)


def _publish_label(now: Standing, form: EditorForm) -> str:
    """Return what the button says that publishes what is typed; nothing while that can't be."""
    try:
        typed = documents.flat(documents.plain(rulebook.cleaned(form.values())))
    except (Refused, ValueError):
        return ""
    count = len(documents.differences(now.published, typed))
    if not count:
        return _("Publish changes")
    return ngettext("Publish %(n)s change", "Publish %(n)s changes", count) % {"n": count}


def _editor(
    request: HttpRequest,
    visit: Visit,
    now: Standing,
    form: EditorForm,
    *,
    conflict: EditedMeanwhile | None = None,
    base: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show the whole editor."""
    shown = _preview_of(visit, form, key=now.definition.key, shown=now.definition, flat=now.edited)
    more = _about(visit, now, form, conflict, base)
    return editor_page(request, visit, "edit", now, status=status, preview=shown, **more)


def _kept(
    request: HttpRequest,
    visit: Visit,
    now: Standing,
    form: EditorForm,
    *,
    conflict: EditedMeanwhile | None = None,
    base: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show those parts of the editor that follow from what is kept; a script puts them where they belong."""
    more = _about(visit, now, form, conflict, base)
    return editor_page(request, visit, "kept", now, status=status, **more)


def _about(
    visit: Visit, now: Standing, form: EditorForm, conflict: EditedMeanwhile | None, base: str
) -> dict[str, Any]:
    more: dict[str, Any] = {
        "form": form,
        "base": base or now.token,
        "lines": diffing.lines(now.changes, now.definition.key),
        "overtaken": [diffing.label(field) for field in editing.overtaken(now)],
    }
    if conflict is not None:
        more |= {
            "conflict": conflict,
            "conflict_fields": ", ".join(diffing.label(field) for field in conflict.theirs),
            "sides": _sides(conflict),
            "who": people(visit, [conflict.actor])[0],
        }
    return more


def _sides(conflict: EditedMeanwhile) -> list[Side]:
    theirs = {one.field: one for one in diffing.lines(conflict.theirs)}
    mine = {one.field: one for one in diffing.lines(conflict.mine)}
    return [
        Side(diffing.label(one), theirs.get(one), mine.get(one)) for one in dict.fromkeys([*theirs, *mine])
    ]


def _form(
    visit: Visit, began: Mapping[str, Any], request: HttpRequest, *, of: Definition | None
) -> EditorForm:
    known = stats.stats(game_of(visit).id)
    return EditorForm(
        request.POST if request.method == "POST" else None,
        began=dict(began),
        stats=[key for key, one in known.items() if not one.archived],
        catalogue=definitions.fresh_catalogue(game_of(visit).id).by_key,
        of=of,
    )


def _preview_of(
    visit: Visit,
    form: EditorForm,
    *,
    key: str,
    shown: Definition | None,
    flat: Flat | None = None,
    longest: bool = False,
) -> Preview:
    return preview(
        form.values_so_far() if form.is_bound else (flat or _NEW),
        key=key,
        game=game_of(visit).title,
        rarity=definitions.rarities([shown.id])[shown.id] if shown else None,
        at=clock.now(),
        longest=longest,
    )
