"""How a process is asked for its metrics: `GET /metrics` on a port of its own, which nobody else can reach."""

import threading
import time
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from django.conf import settings
from prometheus_client import REGISTRY, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import CollectorRegistry

from core.metrics import alive
from core.metrics.sharing import Shared

log = structlog.get_logger(__name__)

HANDS_OVER_EVERY_S: Final = 2.0

_has_begun = threading.Event()


class _Told:
    registry: CollectorRegistry = REGISTRY


def begin(*, is_one_of_several: bool = False) -> None:
    """Tell from now on: on METRICS_PORT where that is set, and in Valkey that this process lives.

    `is_one_of_several`: processes that share a port tell of each other, too.
    """
    if _has_begun.is_set():
        return
    _has_begun.set()
    shared = _share() if is_one_of_several else None
    if settings.METRICS_PORT:
        server = _CommonServer if is_one_of_several else ThreadingWSGIServer
        _serve(settings.METRICS_HOST, settings.METRICS_PORT, server)
    threading.Thread(target=_keep_telling, args=(shared,), name="metrics", daemon=True).start()


def registry() -> CollectorRegistry:
    """Return what this process tells of: of itself, or of all that share its port."""
    return _Told.registry


def _share() -> Shared | None:
    try:
        shared = Shared(settings.METRICS_DIR)
    except OSError as error:
        log.warning("metrics are of one process only: METRICS_DIR can't be written to", error=str(error))
        return None
    _Told.registry = CollectorRegistry()
    _Told.registry.register(shared)
    return shared


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Log no scrape."""


class _CommonServer(ThreadingWSGIServer):
    """Processes that share a port share this one, too: the kernel gives each question to one of them."""

    allow_reuse_port = True


def _serve(host: str, port: int, kind: type[WSGIServer]) -> None:
    """Answer on a port; one that is taken is no reason not to do one's work."""
    try:
        server: WSGIServer = make_server(host, port, make_wsgi_app(registry()), kind, _Quiet)
    except OSError as error:
        log.error("metrics are told to nobody: METRICS_PORT can't be taken", port=port, error=str(error))  # noqa: TRY400
        return
    threading.Thread(target=server.serve_forever, name="metrics-server", daemon=True).start()


def _keep_telling(shared: Shared | None) -> None:
    said_at = float("-inf")
    while True:
        try:
            if shared is not None:
                shared.hand_over()
            if time.monotonic() - said_at >= alive.EVERY_S:
                said_at = time.monotonic()
                alive.say_so()
        except alive.AWAY as error:
            log.debug("nobody is told that this process lives", error=str(error))
        except Exception:
            log.exception("metrics can't be told")
        time.sleep(HANDS_OVER_EVERY_S if shared is not None else alive.EVERY_S)
