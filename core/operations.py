"""What operators and load balancers ask: /livez, /readyz, /metrics."""

import ipaddress
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from core import dependencies
from core.metrics import serving

# By one of these a proxy says for whom it asks: whoever came through one is not of this network.
_PROXIED: Final = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_VIA",
)
AGAIN_S: Final = "2"  # what is told is a second old at most


@csrf_exempt  # who sends something hears that nothing is taken
@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """Say that this process runs. Never asks anybody else: an outage of PostgreSQL is no reason to restart web."""
    return HttpResponse("ok", content_type="text/plain")


def readiness(*, without_postgresql: bool = False) -> tuple[int, dict[str, Any]]:
    """Return a status, and which dependency is how far away; at most a second old.

    PostgreSQL decides: it answers, is migrated, and keeps what it acknowledges. Without any other one the site is
    degraded. `without_postgresql`: one that is away is no reason to be sent nothing; one that is unsafe, is.
    """
    found = dependencies.kept.look()
    postgresql = found[dependencies.POSTGRESQL]
    ready = postgresql.serves
    degraded = any(each.status != dependencies.OK for each in found.values())
    status = "unavailable" if not ready else "degraded" if degraded else "ok"
    checks = {name: each.told() for name, each in found.items()}
    may_come = ready or (without_postgresql and postgresql.status == dependencies.DOWN)
    return (200 if may_come else 503), {"status": status, "checks": checks}


@csrf_exempt
@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether requests can be served; `?without=postgresql`: also while that is away, from what is kept.

    All of web meets its absence at once. Taken out, nobody would be left to serve pages and to say when to come again.
    """
    status, said = readiness(without_postgresql=request.GET.get("without") == "postgresql")
    response = JsonResponse(said, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = AGAIN_S
    return response


@csrf_exempt
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return Prometheus metrics of all processes that share this port, to this network only."""
    if _is_from_elsewhere(request):
        raise Http404
    return HttpResponse(generate_latest(serving.registry()), content_type=CONTENT_TYPE_LATEST)


def _is_from_elsewhere(request: HttpRequest) -> bool:
    named = settings.RATELIMIT_IP_META_KEY
    if any(request.META.get(name) for name in (*_PROXIED, named) if name != "REMOTE_ADDR"):
        return True
    try:
        return not ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return True
