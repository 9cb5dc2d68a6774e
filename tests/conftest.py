"""The servers that tests run on: every test process has its own PostgreSQL and Valkey, and they are real.

Its own, since pub/sub knows no databases and a test may freeze or kill a server.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django.conf
import hypothesis
import pytest
import redis
from xdist.scheduler import LoadScopeScheduling

from config import embedded
from config.embedded import Servers
from config.processes import CannotStart
from tests import pooling

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

# Addresses that a developer's shell may name; a test has nothing to do with them.
_OF_THE_SHELL = (
    "CELERY_BROKER_URL",
    *pooling.VARIABLES,
    "BOARDS_REDIS_URL",
    "CACHE_REDIS_URL",
    "LIVE_REDIS_URL",
    "PUBLIC_URL",
    "LIVE_URL",
    "ARCHIVE_URL",
    "MEDIA_STORE_URL",
    "METRICS_DIR",
    "METRICS_PORT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "HISTORY_HOURS_KEPT_DAYS",
    "HISTORY_DAYS_KEPT_DAYS",
)

# Everything between the processes and PostgreSQL, for a whole run: THROUGH=pgbouncer make test.
_THROUGH = "THROUGH"

# Nothing here outlives its server; where data must, in tests/faults, servers run as they are shipped.
# An ANALYZE of PostgreSQL's own holds the fact log back for a moment, and tests read it at once.
_FOR_TESTS = f"""\
ALTER SYSTEM SET fsync = off;
ALTER SYSTEM SET synchronous_commit = off;
ALTER SYSTEM SET full_page_writes = off;
ALTER SYSTEM SET autovacuum_naptime = '1h';
GRANT SET ON PARAMETER session_replication_role TO {embedded.ROLE};
ALTER ROLE {embedded.ROLE} REPLICATION;
GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), pg_wal_replay_resume(), pg_switch_wal() TO {embedded.ROLE};
"""

_servers = pytest.StashKey[Servers]()
_cleanup = pytest.StashKey[ExitStack]()


# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("laurel", deadline=None)
hypothesis.settings.load_profile("laurel")


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers and name them in the environment before anything reads Django's settings."""
    distributes = not hasattr(config, "workerinput") and config.getoption("numprocesses", None)
    if distributes:
        # Its worker processes run the tests, and each comes by here, unless it finds settings named already.
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)
        return
    if django.conf.settings.configured:
        raise pytest.UsageError(
            "DJANGO_SETTINGS_MODULE is set: unset it, since tests start servers before settings."
        )
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": "known-to-everybody-and-used-by-tests-only-0123456789-abcdefgh",
        "DEBUG": "1",
        "DEMO": "0",
    }
    for name in _OF_THE_SHELL:
        os.environ.pop(name, None)
    stack = config.stash[_cleanup] = ExitStack()
    folder = Path(tempfile.mkdtemp(prefix="laurel-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    (folder / "static").mkdir()  # whitenoise warns of a missing one
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embedded, "_FIRST_STATEMENTS", embedded._FIRST_STATEMENTS + _FOR_TESTS)
            servers = config.stash[_servers] = stack.enter_context(embedded.running(folder))
    except CannotStart as error:
        raise pytest.UsageError(str(error)) from None
    os.environ |= {
        "VAR_DIR": str(folder),
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
    }
    if os.environ.get(_THROUGH) == "pgbouncer":
        process = getattr(config, "workerinput", {}).get("workerid")
        database = f"test_laurel_{process}" if process else "test_laurel"  # as pytest-django names it
        stack.enter_context(pooling.through_pgbouncer(folder, servers.postgres, database=database))
    django.setup()
    from tests import patience  # noqa: PLC0415 - it reads settings

    patience.wait_long()
    django.conf.settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_finish() -> None:
    """Forget what importing the code of a process leaves in the environment: processes of tests would inherit it."""
    for name in pooling.OF_THE_PROCESS:
        os.environ.pop(name, None)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Likewise after each test."""
    pytest_collection_finish()


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Runs each file's tests in one process, and all of browsers, which share what runs there.

    What takes minutes runs test by test.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.endswith("/test_api_fuzz.py"):
            return nodeid
        return "browser" if "/browser/" in file else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByFile:
    """Spread the tests over processes (`--dist=loadgroup` does nothing under pytest 9.2: its ids can't be set)."""
    return _ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes the longest: browsers, the last of which stops the others' Laurel, and fuzzing."""
    items.sort(
        key=lambda item: (
            item.path.parent.name != "browser",
            item.path.name != "test_api_fuzz.py",
            item.path.name == "test_stopping.py",
        )
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers and remove their data."""
    if _cleanup in config.stash:
        config.stash[_cleanup].close()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """Return this process's PostgreSQL and Valkey: what a test freezes or kills it thaws or starts again."""
    return pytestconfig.stash[_servers]


@pytest.fixture(scope="session")
def _valkey(servers: Servers) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(servers.redis_url) as client:
        yield client


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    """Forget what this process kept of other tests' worlds, which are gone."""
    from django.contrib.contenttypes.models import ContentType  # noqa: PLC0415 - as below

    # Django is set up by now, and was not when this file was read.
    from core import dependencies, rates, turned_away  # noqa: PLC0415
    from core.redis import breaker  # noqa: PLC0415 - as above
    from tests import factories  # noqa: PLC0415 - as above

    ContentType.objects.clear_cache()  # Django would name models by rows that are gone
    factories.forget()
    breaker.cache_clear()
    dependencies.kept.forget()
    rates.forget()
    turned_away.forget()


@pytest.fixture(autouse=True)
def _valkey_starts_empty(_valkey: redis.Redis) -> None:
    """Begin every test with an empty Valkey, as the database begins."""
    _valkey.flushall()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Leave the database to its server, which ends with us: it can't be dropped under PgBouncer's sessions."""
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: "DjangoDbBlocker") -> Iterator[None]:
    """Make the end of a test cheap: it would take longer than most tests."""
    from django.test import TransactionTestCase  # noqa: PLC0415 - as above

    from tests import emptying  # noqa: PLC0415

    with django_db_blocker.unblock():
        emptying.prepare()
    TransactionTestCase._fixture_teardown = lambda _: emptying.empty()  # type: ignore[attr-defined]
    # A connection of its own for each test would have to log in, and to read the catalogue anew.
    TransactionTestCase._should_reload_connections = lambda _: False  # type: ignore[attr-defined]
    yield
    from core import dependencies  # noqa: PLC0415 - as above

    dependencies.kept.forget()  # a connection that is still open would keep the database from being removed
