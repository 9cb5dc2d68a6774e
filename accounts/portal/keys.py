"""The portal's pages of server keys: the list, a new one, rotation, revocation."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import issued_keys, keyring
from accounts.doorway import Visit, studio_page
from accounts.issued_keys import IssuedKey
from accounts.portal.key_forms import MEANINGS, KeyForm, LimitsForm, RevocationForm, RotationForm
from accounts.roles import Act
from core import clock
from core.refusals import Conflict


@require_safe
@studio_page(needs=Act.MANAGE_KEYS)
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the studio's keys: those that work, and the last ones that ended."""
    studio_id, now = visit.studio.studio_id, clock.now()
    return _page(
        request,
        "portal/keys.html",
        visit,
        keys=issued_keys.live(studio_id, at=now),
        ended=issued_keys.ended(studio_id, at=now),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.MANAGE_KEYS)
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Issue a key, and show it in this answer only. The same form sent twice makes no second one."""
    form = KeyForm(request.POST if request.method == "POST" else None, visit=visit)
    if form.is_valid():
        try:
            return _issued(request, visit, form)
        except keyring.AlreadyIssued:
            return _not_twice(request, visit)
        except Conflict as refused:
            form.add_error(None, refused.detail)
    return _page(request, "portal/new_key.html", visit, refused=form.is_bound, form=form)


@require_safe
@studio_page(needs=Act.MANAGE_KEYS)
def one(request: HttpRequest, visit: Visit, key: UUID) -> HttpResponse:
    """Show what is known of a key, and what can be done with it."""
    shown = _key(visit, key)
    scopes = [(scope, MEANINGS.get(scope, "")) for scope in shown.scopes]
    return _page(request, "portal/key.html", visit, key=shown, scopes=scopes)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.MANAGE_KEYS)
def limits(request: HttpRequest, visit: Visit, key: UUID) -> HttpResponse:
    """Limit how much a key may do in a second."""
    shown = _key(visit, key)
    initial = {"writes_per_s": shown.writes_per_s, "reads_per_s": shown.reads_per_s}
    form = LimitsForm(request.POST if request.method == "POST" else None, initial=initial)
    if not shown.works:
        return redirect("key", studio=visit.studio.studio_uuid, key=key)
    if form.is_valid():
        keyring.set_limits(
            studio_id=visit.studio.studio_id,
            uuid=shown.uuid,
            writes_per_s=form.cleaned_data["writes_per_s"],
            reads_per_s=form.cleaned_data["reads_per_s"],
            actor=visit.actor,
            at=clock.now(),
        )
        messages.success(request, _("The limits hold everywhere within 5 seconds."))
        return redirect("key", studio=visit.studio.studio_uuid, key=key)
    return _page(request, "portal/limit_key.html", visit, refused=form.is_bound, key=shown, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.MANAGE_KEYS)
def rotate(request: HttpRequest, visit: Visit, key: UUID) -> HttpResponse:
    """Issue a key that follows another, and show it in this answer only."""
    old = _key(visit, key)
    form = RotationForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and old.rotated_at is not None:
        return _not_twice(request, visit)
    if not old.may_be_rotated:
        return redirect("keys", studio=visit.studio.studio_uuid)
    if form.is_valid():
        try:
            new, secret = keyring.rotate(
                studio_id=visit.studio.studio_id,
                uuid=old.uuid,
                overlap=form.length,
                user_id=visit.user.pk,
                actor=visit.actor,
                at=clock.now(),
            )
        except Conflict as refused:  # somebody else was quicker
            messages.warning(request, refused.detail)
            return redirect("keys", studio=visit.studio.studio_uuid)
        return _shown(request, visit, new.uuid, secret, old=_key(visit, key))
    return _page(request, "portal/rotate_key.html", visit, refused=form.is_bound, key=old, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.MANAGE_KEYS)
def revoke(request: HttpRequest, visit: Visit, key: UUID) -> HttpResponse:
    """End a key at once."""
    shown = _key(visit, key)
    form = RevocationForm(request.POST if request.method == "POST" else None)
    if not shown.works:
        return redirect("keys", studio=visit.studio.studio_uuid)
    if form.is_valid():
        keyring.revoke(
            studio_id=visit.studio.studio_id,
            uuid=shown.uuid,
            reason=form.cleaned_data["reason"],
            actor=visit.actor,
            at=clock.now(),
        )
        said = _("%(key)s is revoked: it stops working everywhere within 5 seconds.")
        messages.success(request, said % {"key": shown.shown})
        return redirect("keys", studio=visit.studio.studio_uuid)
    return _page(request, "portal/revoke_key.html", visit, refused=form.is_bound, key=shown, form=form)


def _issued(request: HttpRequest, visit: Visit, form: KeyForm) -> HttpResponse:
    values = form.cleaned_data
    row, secret = keyring.issue(
        studio_id=visit.studio.studio_id,
        name=values["name"],
        scopes=values["scopes"],
        game_id=values["game"].id if values["game"] else None,
        expires_at=values["last_day"],
        uuid=form.uuid,
        user_id=visit.user.pk,
        actor=visit.actor,
        at=clock.now(),
    )
    return _shown(request, visit, row.uuid, secret)


def _shown(
    request: HttpRequest, visit: Visit, uuid: UUID, secret: str, *, old: IssuedKey | None = None
) -> HttpResponse:
    """Show a key: no redirect, no message and no cookie carries it, and nothing keeps the answer."""
    return _page(request, "portal/key_shown_once.html", visit, key=_key(visit, uuid), secret=secret, old=old)


def _not_twice(request: HttpRequest, visit: Visit) -> HttpResponse:
    said = _("This form was sent before. Its key was made then and shown once; nobody can show it again.")
    messages.warning(request, said)
    return redirect("keys", studio=visit.studio.studio_uuid)


def _key(visit: Visit, uuid: UUID) -> IssuedKey:
    found = issued_keys.key(visit.studio.studio_id, uuid, at=clock.now())
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest, template: str, visit: Visit, *, refused: bool = False, **context: Any
) -> HttpResponse:
    status = 422 if refused else 200
    return render(request, template, {"visit": visit, "here": "keys", **context}, status=status)
