"""An achievement's icon in the portal: shown on both themes, chosen, made grey, removed."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from achievements import documents
from achievements import icons as addresses
from achievements.models import State
from achievements.portal import diffing
from achievements.portal.editor_pages import author, editor_page, game_of, place, standing_of
from achievements.selectors import icons
from achievements.selectors.editing import Standing
from achievements.services import editing
from achievements.services import icons as services
from achievements.services.editing import Overtaken
from core import clock
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
    """Show an achievement's icon as players will see it; take another one, make it grey, or remove it."""
    now = standing_of(visit, achievement)
    act = request.POST.get("act", "")
    is_act = act in (GREY, "remove")
    form = IconForm(None if is_act else sent(request), request.FILES or None)
    if request.method != "POST" or not (is_act or form.is_valid()):
        return _page(request, visit, now, form, status=422 if form.is_bound else 200)
    try:
        urls = _acted(visit, now, act) if is_act else _uploaded(visit, form)
        done = editing.change_pictures(
            game=game_of(visit), key=now.definition.key, urls=urls, shown=_shown(request), by=author(visit)
        )
    except NotFound:
        raise Http404 from None
    except Refused as refused:
        if is_act or isinstance(refused, Overtaken):
            messages.error(request, refused.detail)
            return _again(visit, achievement)
        form.refuse(refused)
        return _page(request, visit, now, form, status=refused.problem.status)
    messages.success(request, _said(act, done))
    return _again(visit, achievement)


def _uploaded(visit: Visit, form: IconForm) -> dict[str, str]:
    is_own = form.cleaned_data["locked"] == OWN
    return services.drawn_anew(
        game=game_of(visit),
        body=_body(form.cleaned_data["icon"]),
        locked=_body(form.cleaned_data["locked_icon"]) if is_own else None,
        at=clock.now(),
    )


def _acted(visit: Visit, now: Standing, act: str) -> dict[str, str]:
    if act == "remove":
        return dict.fromkeys(documents.PICTURES, "")
    url = services.grey_of(game=game_of(visit), icon_url=now.edited.get("icon_url", ""), at=clock.now())
    return {"icon_locked_url": url}


def _body(file: "UploadedFile[bytes] | None") -> bytes | None:
    """Return as much of a file as is taken, and a byte more, by which it is known to be too large."""
    return None if not file else file.read(containers.LARGEST_BYTES + 1)


def _shown(request: HttpRequest) -> dict[str, str]:
    """Return which pictures the sender saw."""
    return {name: request.POST.get(f"shown_{name}", "") for name in documents.PICTURES}


def _said(act: str, now: Standing) -> str:
    """Return what was done, and who sees it when."""
    done = {GREY: _("While it is locked, it is shown in grey."), "remove": _("The icon is removed.")}
    waits = now.definition.state != State.DRAFT and not now.changes.keys().isdisjoint(documents.PICTURES)
    then = _("Players see it once the changes are published.") if waits else ""
    return f"{done.get(act, _('The icon is saved.'))} {then}".strip()


def _page(request: HttpRequest, visit: Visit, now: Standing, form: IconForm, *, status: int) -> HttpResponse:
    url = now.edited.get("icon_url", "")
    waiting = {name: both for name, both in now.changes.items() if name in documents.PICTURES}
    return editor_page(
        request,
        visit,
        "icon",
        now,
        status=status,
        form=form,
        is_ours=addresses.digest_in(url, game_of(visit).uuid) is not None,
        contrast=icons.contrast(game_of(visit), url),
        lines=diffing.lines(waiting, now.definition.key),
    )


def _again(visit: Visit, achievement: UUID) -> HttpResponse:
    return redirect("achievement-icon", *place(visit), achievement)
