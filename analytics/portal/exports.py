"""The portal's page of exports: files of whole games, made in the background."""

from hashlib import blake2b
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from analytics.forms import ExportForm
from core import clock
from core.exports import asking, made
from core.exports.kinds import exports as kinds
from core.exports.made import ExportInfo
from core.forms import sent
from core.refusals import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.SEE_ANALYTICS)
def exports(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List a studio's exports; have another one made."""
    form = ExportForm(sent(request), visit=visit)
    if request.method == "POST" and form.is_valid() and _ask(visit, form):
        messages.success(request, _("The file is being made. You may leave this page meanwhile."))
        return redirect("portal-exports", visit.studio.studio_uuid)
    context = _listed(visit) | {
        "here": "exports",
        "form": form,
        "a_day": asking.A_DAY,
        "days": asking.KEPT.days,
    }
    return render(request, "portal/exports/page.html", context, status=422 if form.errors else 200)


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def exports_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the list alone: the page asks for it while something is being made."""
    return render(request, "portal/exports/list.html", _listed(visit))


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def export_file(request: HttpRequest, visit: Visit, export: UUID) -> HttpResponseBase:
    """Send a file that is made."""
    found = made.one(visit.studio.studio_id, export, at=clock.now())
    if found is None or not found.is_done:
        raise Http404
    return made.file_of(found)


def _ask(visit: Visit, form: ExportForm) -> bool:
    """Have the file made that a form asks for; False with an error in the form if it may not be."""
    asked = form.cleaned_data
    game = next(one for one in (*visit.games, *visit.put_away) if str(one.uuid) == asked["game"])
    now = clock.now()
    try:
        asking.ask(
            uuid=form.uuid,
            studio_id=visit.studio.studio_id,
            kind=asked["kind"],
            about={"game": asked["game"]},
            title=game.title,
            file_name=_file_name(asked["kind"], game.title, f"{now:%Y-%m-%d}"),
            actor=visit.actor,
            at=now,
        )
    except Refused as refused:
        form.refuse(refused)
        return False
    return True


def _file_name(kind: str, *parts: str) -> str:
    name = "-".join(filter(None, (slugify(part)[:60].strip("-") for part in (kind, *parts))))
    return f"{name}.{kinds()[kind].suffix}"


def _listed(visit: Visit) -> dict[str, object]:
    found = made.of_studio(visit.studio.studio_id, at=clock.now())
    return {
        "visit": visit,
        "exports": found,
        "waits": any(one.is_open for one in found),
        "mark": _mark(found),
    }


def _mark(found: list[ExportInfo]) -> str:
    """Return what is another text once the list looks different."""
    told = " ".join(f"{one.uuid} {one.state} {one.percent} {one.rows}" for one in found)
    return blake2b(told.encode(), digest_size=6).hexdigest()
