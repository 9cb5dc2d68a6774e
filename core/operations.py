"""What operators and load balancers ask: /livez, /readyz, /metrics."""

import ipaddress
import time
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus import exports
from psycopg_pool import PoolTimeout

from core.redis import AWAY, ping

SAFE_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes")
_migrated = False


@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """Say that this process runs. Never asks anybody else: an outage of PostgreSQL is no reason to restart web."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether requests can be served, and which dependency is how far away.

    PostgreSQL decides: it answers, is migrated, and keeps what it acknowledges. Without Valkey the site is degraded.
    """
    checks: dict[str, Any] = {"postgresql": _postgresql(), "valkey": _valkey()}
    ready = checks["postgresql"]["status"] == "ok"
    degraded = any(check["status"] != "ok" for check in checks.values())
    status = "unavailable" if not ready else "degraded" if degraded else "ok"
    return JsonResponse({"status": status, "checks": checks}, status=200 if ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return Prometheus metrics, to private addresses only."""
    if not ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "0.0.0.0").is_private:  # noqa: S104
        raise Http404
    response: HttpResponse = exports.ExportToDjangoView(request)
    return response


def unsafe_settings() -> list[str]:
    """Return which of PostgreSQL's settings are off by which it may lose what it has acknowledged."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off' ORDER BY name",
            [list(SAFE_SETTINGS)],
        )
        return [name for (name,) in cursor.fetchall()]


def _postgresql() -> dict[str, Any]:
    started = time.perf_counter()
    try:
        unsafe = unsafe_settings()
        pending = not _is_migrated()
    except (DatabaseError, InterfaceError, PoolTimeout):
        return {"status": "down"}
    answered = {"latency_ms": round((time.perf_counter() - started) * 1000, 1)}
    if unsafe:
        return {"status": "unsafe", "off": unsafe, **answered}
    return {"status": "migrations pending" if pending else "ok", **answered}


def _is_migrated() -> bool:
    global _migrated  # noqa: PLW0603 - once migrated, a process need not look again
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def _valkey() -> dict[str, Any]:
    try:
        return {"status": "ok", "latency_ms": round(ping("boards") * 1000, 1)}
    except AWAY:
        return {"status": "down"}
