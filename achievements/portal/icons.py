"""An achievement's icon in the portal: shown on both themes, chosen, made grey, removed."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from accounts.selectors import GameInfo
from achievements import icons as addresses
from achievements.selectors import definitions, icons
from achievements.selectors.definitions import Definition
from achievements.services import icons as services
from core.forms import PortalForm, sent
from core.pictures import containers
from core.refusals import NotFound, Refused

GREY, OWN = "grey", "own"
_ACCEPT = {"accept": "image/png,image/jpeg,image/webp"}
_ABOUT = gettext_lazy(
    "PNG, JPEG or WebP, up to 512 KiB and 1024 × 1024 pixels. A square of 256 pixels is enough."
)


class IconForm(PortalForm):
    """A picture for while the achievement is unlocked, and what is shown until then."""

    icon = forms.FileField(
        label=gettext_lazy("Picture"),
        required=False,
        help_text=_ABOUT,
        widget=forms.FileInput(attrs=_ACCEPT),
    )
    locked = forms.ChoiceField(
        label=gettext_lazy("While it is locked"),
        choices=[
            (GREY, gettext_lazy("Make it grey for me")),
            (OWN, gettext_lazy("Show a picture of its own")),
        ],
        widget=forms.RadioSelect,
        initial=GREY,
    )
    locked_icon = forms.FileField(
        label=gettext_lazy("Picture while it is locked"),
        required=False,
        help_text=gettext_lazy("Only with “a picture of its own”."),
        widget=forms.FileInput(attrs=_ACCEPT),
    )

    def clean(self) -> None:
        """Refuse a form that asks for nothing, or for a picture that it lacks."""
        files, is_own = self.cleaned_data, self.cleaned_data.get("locked") == OWN
        if is_own and not files.get("locked_icon"):
            self.add_error("locked_icon", _("Choose the picture that is shown while it is locked."))
        elif not is_own and not files.get("icon") and "icon" not in self.errors:
            self.add_error("icon", _("Choose a picture."))


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def icon(request: HttpRequest, visit: Visit, achievement: UUID) -> HttpResponse:
    """Show an achievement's icon as players see it; take another one, make it grey, or remove it."""
    definition = _definition(visit, achievement)
    act = request.POST.get("act", "")
    if act == "remove":
        services.remove(game=_game(visit), key=definition.key, actor=visit.actor, at=timezone.now())
        messages.success(request, _("The icon is removed. Players see the built-in picture."))
        return _again(visit, achievement)
    if act == "grey":
        return _make_grey(request, visit, definition)
    form = IconForm(sent(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            _save(visit, definition, form)
        except NotFound:
            raise Http404 from None
        except Refused as refused:
            form.refuse(refused)
            return _page(request, visit, definition, form, status=refused.problem.status)
        messages.success(request, _("The icon is saved. Players see it from now on."))
        return _again(visit, achievement)
    return _page(request, visit, definition, form, status=422 if form.is_bound else 200)


def _save(visit: Visit, definition: Definition, form: IconForm) -> None:
    game, told = _game(visit), {"actor": visit.actor, "at": timezone.now()}
    icon = _body(form.cleaned_data["icon"])
    locked = _body(form.cleaned_data["locked_icon"]) if form.cleaned_data["locked"] == OWN else None
    if icon is not None:
        services.upload(game=game, key=definition.key, body=icon, locked=locked, **told)  # type: ignore[arg-type]
    elif locked is not None:
        services.upload_locked(game=game, key=definition.key, body=locked, **told)  # type: ignore[arg-type]


def _body(file: "UploadedFile[bytes] | None") -> bytes | None:
    """Return as much of a file as is taken, and a byte more, by which it is known to be too large."""
    return None if not file else file.read(containers.LARGEST_BYTES + 1)


def _make_grey(request: HttpRequest, visit: Visit, definition: Definition) -> HttpResponse:
    try:
        services.make_grey(game=_game(visit), key=definition.key, actor=visit.actor, at=timezone.now())
    except Refused as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, _("While it is locked, players see the icon in grey."))
    return _again(visit, definition.uuid)


def _page(
    request: HttpRequest, visit: Visit, definition: Definition, form: IconForm, *, status: int
) -> HttpResponse:
    context = {
        "visit": visit,
        "here": "achievements",
        "definition": definition,
        "form": form,
        "is_ours": addresses.digest_in(definition.icon_url, _game(visit).uuid) is not None,
        "contrast": icons.contrasts(_game(visit), [definition]).get(definition.key),
    }
    return render(request, "portal/achievements/icon.html", context, status=status)


def _definition(visit: Visit, uuid: UUID) -> Definition:
    by_key = definitions.fresh_catalogue(_game(visit).id).by_key
    found = next((one for one in by_key.values() if one.uuid == uuid), None)
    if found is None:
        raise Http404
    return found


def _game(visit: Visit) -> GameInfo:
    assert visit.game is not None  # the address names it
    return visit.game


def _again(visit: Visit, achievement: UUID) -> HttpResponse:
    return redirect(
        "achievement-icon",
        studio=visit.studio.studio_uuid,
        game=_game(visit).uuid,
        achievement=achievement,
    )
