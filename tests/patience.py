"""How long tests wait for their servers: as long as the slowest machine takes, and as shipped while one is frozen."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, cast

from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.utils.module_loading import import_string
from django_redis.pool import ConnectionFactory

from config.embedded import Servers
from core import deadlines, rates
from core import redis as valkeys

LONG_S = 120
# How old what a process keeps may be, and how long it waits: a test that is about such a time sets it itself.
_TIMES = (
    "accounts.selectors.keys.KEY_REFRESH_SECONDS",
    "accounts.selectors.keys.KEY_SECONDS",
    "config.demo.creating._CATCH_UP_S",
    "history.dashboards.BUILDS_WITHIN_S",
    "history.selectors.served.WAITS_S",
    "history.services.dashboards.RUNS_S",
    "history.services.dashboards.WARMS_S",
    "leaderboards.estimating._KEPT_S",
    "core.dependencies.WITHIN_S",
    "core.direct.CONNECTS_WITHIN_S",
    "core.memo.KEPT_S",
    "core.metrics.alive.GONE_AFTER_S",
    "core.metrics.installation.ANSWERS_WITHIN_S",
    "core.metrics.queues._ANSWERS_WITHIN_S",
    "core.rates.TIMEOUT_S",
    "core.starting._ANSWERS_WITHIN_S",
    "core.status.looking.ANSWERS_WITHIN_S",
    "leaderboards.rebuilding.INLINE_S",
    "leaderboards.selectors.definitions.KEPT_S",
    "leaderboards.selectors.periods.KEPT_S",
    "leaderboards.selectors.submitted._KEPT_S",
    "leaderboards.services.reconciling.PATIENCE_S",
    "social.announcing.KEPT_S",
    "social.fanning._LONGEST_RUN_S",
    "stats.selectors.definitions.KEPT_S",
    "webhooks.resolving.LOOKED_UP_WITHIN_S",
    "webhooks.sending.WITHIN_S",
    "webhooks.services.endpoints._LOOKED_UP_WITHIN_S",
)
SHIPPED = {name: float(import_string(name)) for name in _TIMES}
_SHIPPED_S = valkeys.WEB_TIMEOUT_S


def wait_long() -> None:
    """Let nothing grow old within a test, and nobody give up who waits, however long this machine stalls."""
    for name in _TIMES:
        module, _, constant = name.rpartition(".")
        setattr(import_module(module), constant, LONG_S)
    _wait_for_valkey(LONG_S)
    options = settings.DATABASES["default"]["OPTIONS"]
    options["connect_timeout"] = LONG_S
    if pool := options.get("pool"):
        pool["timeout"] = LONG_S
    cast("Any", deadlines.deadline).__wrapped__.__defaults__ = (LONG_S,)


@contextmanager
def valkey_frozen(servers: Servers) -> Iterator[None]:
    """Freeze Valkey; who asks it gives up as soon as ever, and then asks no more."""
    _wait_for_valkey(_SHIPPED_S)
    rest_s, valkeys.BREAKER_OPEN_S = valkeys.BREAKER_OPEN_S, 3600.0
    servers.valkey.freeze()
    try:
        yield
    finally:
        servers.valkey.thaw()
        valkeys.BREAKER_OPEN_S = rest_s
        _wait_for_valkey(LONG_S)
        valkeys.breaker.cache_clear()


@contextmanager
def postgresql_frozen(servers: Servers) -> Iterator[None]:
    """Have connections in a pool, as `web` does, and freeze PostgreSQL: whoever hangs there fails, minutes later."""
    options = connection.settings_dict["OPTIONS"]
    before = connection.settings_dict["CONN_MAX_AGE"]
    connection.close()
    options["pool"] = {
        "min_size": 1,
        "max_size": 1,
        "timeout": 1.5,
        "connection_class": deadlines.DeadlineConnection,
    }
    connection.settings_dict["CONN_MAX_AGE"] = 0
    connection.ensure_connection()
    connection.close()
    hangs = threading.Timer(LONG_S, servers.postgres.thaw)
    servers.postgres.freeze()
    hangs.start()
    try:
        yield
        assert not hangs.finished.is_set(), "somebody waited for PostgreSQL until it answered again"
    finally:
        hangs.cancel()
        servers.postgres.thaw()
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # what only PostgreSQL has
        del options["pool"]
        connection.settings_dict["CONN_MAX_AGE"] = before


def _wait_for_valkey(seconds: float) -> None:
    valkeys.WEB_TIMEOUT_S = seconds
    cast("Any", valkeys.client).__wrapped__.__kwdefaults__["timeout_s"] = seconds
    valkeys.client.cache_clear()
    setattr(rates, "TIMEOUT_S", SHIPPED["core.rates.TIMEOUT_S"] if seconds == _SHIPPED_S else seconds)  # noqa: B010 - constant
    rates._script.cache_clear()
    # Django's own cache, of this thread.
    options = settings.CACHES["default"]["OPTIONS"]
    options["SOCKET_CONNECT_TIMEOUT"] = options["SOCKET_TIMEOUT"] = seconds
    ConnectionFactory._pools.clear()
    with suppress(AttributeError):
        del caches["default"]
