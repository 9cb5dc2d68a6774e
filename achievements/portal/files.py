"""A game's file: imported in two steps, what it would change and then doing it; and exported."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from accounts.selectors import GameInfo
from achievements import formats, keys
from achievements.formats import export
from achievements.formats.document import UNSET, ImportedAchievement, Unreadable
from achievements.models import State
from achievements.portal.diffing import Line, imported
from achievements.selectors import definitions
from achievements.services import arranging, importing
from achievements.services.definitions import as_values
from achievements.services.importing import Imported
from core import clock
from core.deadlines import extend
from core.forms import PortalForm, sent
from core.sections import sections

LARGEST = 10 * 1024 * 1024
WITHIN_S = 60.0
WAITS_S = 900
_SHOWN = 500  # changes and errors; more than anybody reads
_NAMES = {
    "laurel": gettext_lazy("Laurel (JSON): achievements, stats and leaderboards"),
    "steam": gettext_lazy("Steam, schema of the Web API (JSON)"),
    "steam-vdf": gettext_lazy("Steam, UserGameStatsSchema or localisation (VDF)"),
    "eos": gettext_lazy("Epic Online Services (CSV, or a zip of them)"),
    "google-play": gettext_lazy("Google Play (zip of CSVs)"),
    "xbox": gettext_lazy("Xbox (XML, or a zip of it and its texts)"),
}
_TYPES = {"laurel": "application/json", "csv": "text/csv; charset=utf-8"}


class ImportForm(PortalForm):
    """A file and what it is."""

    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[
            ("", gettext_lazy("As the file shows")),
            *((name, _NAMES[name]) for name in formats.IMPORT_FORMATS),
        ],
        required=False,
    )
    file = forms.FileField(
        label=gettext_lazy("File"), max_length=255, help_text=gettext_lazy("10 MiB at most.")
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        """Return the file, unless it is too large."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(_("The file is larger than 10 MiB."), code="too-large")
        return file


@dataclass(frozen=True, slots=True)
class Shown:
    """What becomes of a definition, as it is shown."""

    section: str
    key: str
    is_new: bool
    lines: list[Line]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was shown, and waits to be imported."""

    format: str
    name: str
    body: bytes


@require_http_methods(["GET", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def import_file(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what a file would change."""
    form = ImportForm(sent(request), request.FILES or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, visit, form, status=422 if form.errors else 200)
    upload = _upload(form)
    if upload is None:
        return _page(request, visit, form, status=422)
    return _shown_page(request, visit, form, upload)


def _upload(form: ImportForm) -> Upload | None:
    """Return the file with the format that was chosen or that it shows; else the form says what is wrong."""
    file = form.cleaned_data["file"]
    body = file.read()
    try:
        format = form.cleaned_data["format"] or formats.recognise(body)
    except Unreadable as problem:
        form.add_error("file", str(problem))
        return None
    if format is None:
        form.add_error("format", _("Nothing in the file shows what it is: choose its format."))
        return None
    return Upload(format, file.name[:255], body)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def apply_import(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Import a file that was shown; where the game was changed meanwhile, show it again instead."""
    upload = _kept(visit, request.POST.get("token", "")[:64])
    if upload is None:
        messages.warning(request, _("The file is not kept any more. Choose it again; nothing was imported."))
        return redirect("import-file", studio=visit.studio.studio_uuid, game=_game(visit).uuid)
    extend(WITHIN_S)
    if request.POST.get("version") != str(_version(visit)):
        messages.warning(
            request, _("The game was changed meanwhile. This is what the file would change now.")
        )
        return _shown_page(request, visit, ImportForm(), upload)
    done = _apply(visit, upload.format, upload.body)
    if done.errors:
        return _shown_page(request, visit, ImportForm(), upload)
    said = _("Imported: %(created)s new, %(updated)s changed, %(unchanged)s as they were.")
    counts = {name: getattr(done, name) for name in ("created", "updated", "unchanged")}
    messages.success(request, said % counts)
    return redirect("portal-achievements", studio=visit.studio.studio_uuid, game=_game(visit).uuid)


def _shown_page(request: HttpRequest, visit: Visit, form: ImportForm, upload: Upload) -> HttpResponse:
    """Show what a file would change, and keep it for the button that imports it."""
    extend(WITHIN_S)
    version = _version(visit)
    done = importing.import_file(
        game=_game(visit),
        format=upload.format,
        body=upload.body,
        dry_run=True,
        actor=visit.actor,
        at=clock.now(),
    )
    changes = list(islice(_shown(done), _SHOWN))
    count = done.created + done.updated
    more = {
        "done": done,
        "count": count,
        "changes": changes,
        "left_out": count - len(changes),
        "errors": done.errors[:_SHOWN],
        "wrong_rows": sorted({one.row for one in done.errors if one.row}),
        "published": sum(map(_is_published, done.changes.created)),
        "name": upload.name,
        "read_as": _NAMES[upload.format],
        "version": version,
        "token": "" if done.errors or not count else _keep(visit, upload),
    }
    return _page(request, visit, form, status=422 if done.errors else 200, **more)


def _page(
    request: HttpRequest, visit: Visit, form: ImportForm, *, status: int, **more: object
) -> HttpResponse:
    context = {"visit": visit, "here": "achievements", "form": form, **more}
    return render(request, "portal/achievements/import.html", context, status=status)


def _keep(visit: Visit, upload: Upload) -> str:
    """Keep a file instead of the one that waited before: a member fills no memory by choosing many."""
    token = secrets.token_urlsafe(16)
    cache.set(_place(visit), (token, upload.format, upload.name, upload.body), WAITS_S)
    return token


def _kept(visit: Visit, token: str) -> Upload | None:
    """Return a file that this visitor was shown for this game."""
    kept_as, *upload = cache.get(_place(visit)) or ("",)
    return Upload(*upload) if upload and kept_as == token else None


def _place(visit: Visit) -> str:
    return keys.upload(visit.user.pk, _game(visit).id)


def _version(visit: Visit) -> int:
    return definitions.fresh_catalogue(_game(visit).id).version


def _apply(visit: Visit, format: str, body: bytes) -> Imported:
    at = clock.now()
    with transaction.atomic():
        done = importing.import_file(
            game=_game(visit), format=format, body=body, dry_run=False, actor=visit.actor, at=at
        )
        if not done.errors and (done.created or done.updated):
            arranging.note_import(
                game=_game(visit),
                format=format,
                created=done.created,
                updated=done.updated,
                actor=visit.actor,
                at=at,
            )
    return done


def _is_published(new: ImportedAchievement) -> bool:
    """Say whether players see a new definition at once, as they do where a file says nothing else."""
    return new.state in (UNSET, State.PUBLISHED)


def _shown(done: Imported) -> Iterator[Shown]:
    """Yield what becomes of each definition: new ones first, then changed ones, then other rooms'."""
    for one in done.changes.created:
        values = one.values()
        made = {name: (None, value) for name, value in values.items()}
        yield Shown("achievements", one.key, True, list(imported(made)), str(values.get("name", "")))
    for change in done.changes.updated:
        yield Shown("achievements", change.key, False, list(imported(change.fields)))
    for name, part in done.parts.items():
        for other in part.changes:
            yield Shown(name, other.key, other.is_new, list(imported(other.fields)))


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def export_file(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Give the game's definitions as a file."""
    game, wanted = _game(visit), request.GET.get("format", "laurel")
    wanted = wanted if wanted in export.EXPORT_FORMATS else "laurel"
    rows = [as_values(one) for one in definitions.fresh_catalogue(game.id).by_key.values()]
    parts = {name: section.rows(game.id) for name, section in sections().items()}
    body = export.to_laurel(rows, parts) if wanted == "laurel" else export.to_csv(rows)
    response = HttpResponse(body, content_type=_TYPES[wanted])
    suffix = "json" if wanted == "laurel" else "csv"
    response["Content-Disposition"] = f'attachment; filename="achievements-{game.uuid}.{suffix}"'
    return response


def _game(visit: Visit) -> GameInfo:
    assert visit.game is not None  # the address names it
    return visit.game
