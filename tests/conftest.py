"""The servers that tests run on: every test process has its own PostgreSQL and Valkey, real and with safe settings.

Its own, since pub/sub knows no databases and a test may freeze or kill a server.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import django.conf
import pytest
import redis

from config.embedded import Servers, running
from config.processes import CannotStart

# Addresses that a developer's shell may name; a test has nothing to do with them.
_OF_THE_SHELL = (
    "CELERY_BROKER_URL",
    "BOARDS_REDIS_URL",
    "CACHE_REDIS_URL",
    "LIVE_REDIS_URL",
    "PUBLIC_URL",
    "LIVE_URL",
    "ARCHIVE_URL",
    "HISTORY_HOURS_KEPT_DAYS",
    "HISTORY_DAYS_KEPT_DAYS",
)

_servers = pytest.StashKey[Servers]()
_cleanup = pytest.StashKey[ExitStack]()


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
        servers = config.stash[_servers] = stack.enter_context(running(folder))
    except CannotStart as error:
        raise pytest.UsageError(str(error)) from None
    os.environ |= {
        "VAR_DIR": str(folder),
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
    }
    django.setup()


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
    from tests import factories  # noqa: PLC0415 - Django is set up by now, and was not when this file was read

    factories.forget()


@pytest.fixture(autouse=True)
def _valkey_starts_empty(_valkey: redis.Redis) -> None:
    """Begin every test with an empty Valkey, as the database begins."""
    _valkey.flushall()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Let no test's end make Django's permissions anew: with those of every model it takes longer than most tests."""
    from django.contrib.auth.management import create_permissions  # noqa: PLC0415 - as above
    from django.contrib.contenttypes.management import create_contenttypes  # noqa: PLC0415
    from django.db.models.signals import post_migrate  # noqa: PLC0415

    uid = "django.contrib.auth.management.create_permissions"
    assert post_migrate.disconnect(create_permissions, dispatch_uid=uid)
    assert post_migrate.disconnect(create_contenttypes)
