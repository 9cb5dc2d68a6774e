"""The servers that tests run on: every test process has its own PostgreSQL and Valkey, real and with safe settings.

Its own, since pub/sub knows no databases and a test may freeze or kill a server.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django.conf
import hypothesis
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
    """Make the end of a test cheap: it would take longer than most tests."""
    from django.contrib.auth.management import create_permissions  # noqa: PLC0415 - as above
    from django.contrib.contenttypes.management import create_contenttypes  # noqa: PLC0415
    from django.db.backends.postgresql.operations import DatabaseOperations  # noqa: PLC0415
    from django.db.models.signals import post_migrate  # noqa: PLC0415

    uid = "django.contrib.auth.management.create_permissions"
    assert post_migrate.disconnect(create_permissions, dispatch_uid=uid)
    assert post_migrate.disconnect(create_contenttypes)
    DatabaseOperations.sql_flush = _tables  # type: ignore[method-assign, assignment]
    DatabaseOperations.execute_sql_flush = _empty  # type: ignore[method-assign, assignment]


# TRUNCATE writes new files for each of some eighty tables; a test fills few of them, with few rows. What others refer
# to goes in a later round, and what a trigger keeps is truncated.
_EMPTY = """
DO $$
DECLARE
    filled text[] := %s::text[];
    left_over text[];
    name text;
BEGIN
    WHILE cardinality(filled) > 0 LOOP
        left_over := ARRAY[]::text[];
        FOREACH name IN ARRAY filled LOOP
            BEGIN
                IF pg_relation_size(name) > %s THEN
                    EXECUTE format('TRUNCATE %%s CASCADE', name);
                ELSE
                    EXECUTE format('DELETE FROM %%s', name);
                    SET CONSTRAINTS ALL IMMEDIATE;
                END IF;
            EXCEPTION
                WHEN restrict_violation THEN
                    EXECUTE format('TRUNCATE %%s', name);
                WHEN foreign_key_violation THEN
                    left_over := left_over || name;
            END;
        END LOOP;
        IF cardinality(left_over) = cardinality(filled) THEN
            RAISE 'not emptied: %%', left_over;
        END IF;
        filled := left_over;
    END LOOP;
END $$
"""
_LARGE = 500_000  # bytes


def _tables(self: Any, _: Any, tables: Iterable[str], **__: Any) -> list[str]:
    """Return what is to be emptied, in place of the statements that would do it."""
    return [self.quote_name(table) for table in tables]


def _empty(_: Any, tables: list[str]) -> None:
    """Empty the tables that hold anything, in place of running statements."""
    from django.db import connection, transaction  # noqa: PLC0415 - as above

    from core.db import array_literal, run_prepared  # noqa: PLC0415

    is_filled = ", ".join(f"EXISTS (SELECT FROM {table})" for table in tables)
    with transaction.atomic():
        found = run_prepared(f"SELECT {is_filled}", [])[0]
        filled = [table for table, there in zip(tables, found, strict=True) if there]
        with connection.cursor() as cursor:
            cursor.execute(_EMPTY, [array_literal(filled), _LARGE])
