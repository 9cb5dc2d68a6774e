"""The portal's pages of webhooks: endpoints, the log of deliveries, and sending again."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from core import clock, spoken
from core.deadlines import extend
from core.forms import sent
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Refused
from webhooks import selectors
from webhooks.forms import NewWebhookForm, ReplayForm, RotationForm, WebhookForm
from webhooks.models import State
from webhooks.selectors import EndpointInfo
from webhooks.services import deliveries, endpoints
from webhooks.services.endpoints import MadeBefore, UrlRefused

A_PAGE = 50
LOG_SECONDS = 25.0  # as the API allows for what changes a whole log
Page = HttpResponse
_STATES = {
    State.PENDING: gettext_lazy("Waiting"),
    State.SUCCEEDED: gettext_lazy("Delivered"),
    State.PARKED: gettext_lazy("Given up"),
}


@require_safe
@studio_page(needs=Act.MANAGE_KEYS)
def webhooks(request: HttpRequest, visit: Visit) -> Page:
    """List a studio's webhooks."""
    found = selectors.endpoints(visit.studio.studio_id, limit=endpoints.MOST)
    titles = {game.uuid: game.title for game in (*visit.games, *visit.put_away)}
    rows = [(info, titles.get(info.game_uuid) if info.game_uuid else None) for info in found]
    return render(request, "portal/webhooks/list.html", {"visit": visit, "here": "webhooks", "rows": rows})


@require_http_methods(["GET", "POST"])
@studio_page(needs=Act.MANAGE_KEYS)
def new_webhook(request: HttpRequest, visit: Visit) -> Page:
    """Create a webhook, and show its secret this once."""
    form = NewWebhookForm(sent(request), visit=visit)
    if request.method == "POST" and form.is_valid():
        try:
            made = _create(visit, form)
        except MadeBefore:
            return _sent_before(request, _to_list(visit))
        if made is not None:
            return _secret(request, visit, *made)
    context = {"visit": visit, "here": "webhooks", "form": form}
    return render(request, "portal/webhooks/new.html", context, status=422 if form.errors else 200)


def _create(visit: Visit, form: NewWebhookForm) -> tuple[EndpointInfo, str] | None:
    """Create what a form says; None with an error in the form if it may not be."""
    said = form.cleaned_data
    game = next((one for one in visit.games if str(one.uuid) == said["game"]), None)
    try:
        return endpoints.create(
            studio_id=visit.studio.studio_id,
            game_id=game.id if game else None,
            url=said["url"],
            events=said["events"],
            description=said["description"],
            actor=visit.actor,
            at=clock.now(),
            uuid=form.uuid,
        )
    except MadeBefore:
        raise
    except Refused as refused:
        _refuse(form, refused)
    return None


def _refuse(form: WebhookForm, refused: Refused) -> None:
    form.add_error("url" if isinstance(refused, UrlRefused) else None, refused.detail)


@require_http_methods(["GET", "POST"])
@studio_page(needs=Act.MANAGE_KEYS)
def webhook(request: HttpRequest, visit: Visit, hook: UUID) -> Page:
    """Show a webhook with its deliveries, or change it."""
    info = _hook(visit, hook)
    initial = {"url": info.url, "events": info.events, "description": info.description}
    form = WebhookForm(sent(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            endpoints.change(info, changes=form.cleaned_data, actor=visit.actor, at=clock.now())
        except Refused as refused:
            _refuse(form, refused)
        else:
            messages.success(request, _("The webhook is changed."))
            return redirect(_to(visit, info))
    context = {
        "visit": visit,
        "here": "webhooks",
        "hook": info,
        "form": form,
        "rotation": RotationForm(),
        "replay": ReplayForm(),
        **_log(request, info),
    }
    return render(request, "portal/webhooks/hook.html", context, status=422 if form.errors else 200)


def _log(request: HttpRequest, info: EndpointInfo) -> dict[str, object]:
    """Return a page of deliveries, newest first, and the address of the next one."""
    state = request.GET.get("state", "")
    state = state if state in State.values else ""
    kind, cursor = f"portal deliveries {info.id} {state}", request.GET.get("cursor")
    before = decode_cursor(kind, cursor)[0] if cursor else None
    found = selectors.deliveries(info.id, state=state or None, before_id=before, limit=A_PAGE + 1)
    more = None
    if len(found) > A_PAGE:
        more = urlencode({"state": state, "cursor": encode_cursor(kind, [found[A_PAGE - 1].id])})
    chips = [("", _("All")), *((value, label) for value, label in _STATES.items())]
    return {"deliveries": found[:A_PAGE], "more": more, "state": state, "chips": chips}


@require_safe
@studio_page(needs=Act.MANAGE_KEYS)
def delivery(request: HttpRequest, visit: Visit, hook: UUID, uuid: UUID) -> Page:
    """Show a delivery with its attempts, each with what was sent and answered."""
    info = _hook(visit, hook)
    found = selectors.delivery(info.id, uuid)
    if found is None:
        raise Http404
    payload = orjson.dumps(orjson.loads(found.payload), option=orjson.OPT_INDENT_2).decode()
    context = {
        "visit": visit,
        "here": "webhooks",
        "hook": info,
        "delivery": found,
        "payload": payload,
        "attempts": selectors.attempts(found.id),
    }
    return render(request, "portal/webhooks/delivery.html", context)


@require_POST
@studio_page(needs=Act.MANAGE_KEYS)
def switch(request: HttpRequest, visit: Visit, hook: UUID) -> Page:
    """Disable or enable a webhook."""
    info, enabled = _hook(visit, hook), request.POST.get("enabled") == "true"
    extend(LOG_SECONDS)
    endpoints.change(info, changes={"enabled": enabled}, actor=visit.actor, at=clock.now())
    said = _("The webhook is enabled. What had waited is parked: replay it if you want it.")
    messages.success(request, said if enabled else _("The webhook is disabled. Nothing is sent to it."))
    return redirect(_to(visit, info))


@require_POST
@studio_page(needs=Act.MANAGE_KEYS)
def rotate(request: HttpRequest, visit: Visit, hook: UUID) -> Page:
    """Give a webhook a new secret, and show it this once."""
    info, form = _hook(visit, hook), RotationForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose when the old secret ends."))
        return redirect(_to(visit, info))
    if (
        request.POST.get("hint") != info.secret_hint
    ):  # made anew since the form was opened, perhaps by this very one
        return _sent_before(request, _to(visit, info))
    overlap = timedelta(hours=int(form.cleaned_data["overlap"]))
    rotated, secret = endpoints.rotate_secret(info, overlap=overlap, actor=visit.actor, at=clock.now())
    return _secret(request, visit, rotated, secret)


@require_POST
@studio_page(needs=Act.MANAGE_KEYS)
def send_test(request: HttpRequest, visit: Visit, hook: UUID) -> Page:
    """Send a test message, and lead to what becomes of it."""
    info = _hook(visit, hook)
    try:
        uuid = deliveries.send_test(info, at=clock.now())
    except Refused as refused:
        messages.error(request, refused.detail)
        return redirect(_to(visit, info))
    return redirect("portal-delivery", studio=visit.studio.studio_uuid, hook=info.uuid, uuid=uuid)


@require_POST
@studio_page(needs=Act.MANAGE_KEYS)
def redeliver(request: HttpRequest, visit: Visit, hook: UUID, uuid: UUID) -> Page:
    """Send a delivery again."""
    info = _hook(visit, hook)
    found = selectors.delivery(info.id, uuid)
    if found is None:
        raise Http404
    try:
        deliveries.redeliver(info, found)
    except Refused as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, _("It is sent again, under the same id."))
    return redirect("portal-delivery", studio=visit.studio.studio_uuid, hook=info.uuid, uuid=uuid)


@require_POST
@studio_page(needs=Act.MANAGE_KEYS)
def replay(request: HttpRequest, visit: Visit, hook: UUID) -> Page:
    """Send what was recorded in a time again."""
    info, form = _hook(visit, hook), ReplayForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a time, and what is sent again."))
        return redirect(_to(visit, info))
    extend(LOG_SECONDS)
    until = clock.now()
    since = until - timedelta(hours=form.cleaned_data["hours"])
    try:
        count = deliveries.redeliver_range(info, since=since, until=until, states=form.cleaned_data["states"])
    except Refused as refused:
        messages.error(request, refused.detail)
    else:
        said = ngettext("%(count)s delivery is sent again.", "%(count)s deliveries are sent again.", count)
        messages.success(request, said % {"count": spoken.whole(count)})
    return redirect(_to(visit, info))


@require_POST
@studio_page(needs=Act.MANAGE_KEYS)
def delete(request: HttpRequest, visit: Visit, hook: UUID) -> Page:
    """Delete a webhook and its log."""
    endpoints.delete(_hook(visit, hook), actor=visit.actor, at=clock.now())
    messages.success(request, _("The webhook is deleted, and its log with it."))
    return redirect(_to_list(visit))


def _hook(visit: Visit, uuid: UUID) -> EndpointInfo:
    info = selectors.endpoint(visit.studio.studio_id, uuid)
    if info is None:
        raise Http404
    return info


def _secret(request: HttpRequest, visit: Visit, info: EndpointInfo, secret: str) -> Page:
    context = {"visit": visit, "here": "webhooks", "hook": info, "secret": secret}
    return render(request, "portal/webhooks/secret.html", context)


def _sent_before(request: HttpRequest, to: str) -> Page:
    messages.warning(
        request, _("That form was sent before. Its secret was shown then, and nobody can show it again.")
    )
    return redirect(to)


def _to(visit: Visit, info: EndpointInfo) -> str:
    return reverse("portal-webhook", kwargs={"studio": visit.studio.studio_uuid, "hook": info.uuid})


def _to_list(visit: Visit) -> str:
    return reverse("portal-webhooks", kwargs={"studio": visit.studio.studio_uuid})
