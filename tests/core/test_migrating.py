"""A migration that wants a table waits for it no longer than requests can, and tries again."""

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from core.management.commands import migrate
from core.models import Follower
from tests.patience import LONG_S

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(os.environ.get("DATABASE_POOLED_BY")), reason="migrations go to PostgreSQL by the direct way"
    ),
]


@pytest.fixture(autouse=True)
def _table(settings: Any) -> Iterator[None]:
    settings.MIGRATION_MODULES = {"config": "tests.core.waiting.migrations"}
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE widened (id int)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE widened; DELETE FROM django_migrations WHERE app = 'config'")


def in_use() -> psycopg.Connection[Any]:
    """Return a session that reads from the table and has not ended its transaction."""
    reader = psycopg.connect(**connection.get_connection_params() | {"options": ""})
    reader.execute("SELECT FROM widened")
    return reader


def migrate_in_peace() -> None:
    call_command("migrate", "config", verbosity=0)


def test_requests_wait_for_a_waiting_migration_no_longer_than_they_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrate, "PAUSE_S", 1.0)
    reader = in_use()
    longest: list[float] = []
    ended = threading.Event()

    def go_on() -> None:
        with psycopg.connect(
            **connection.get_connection_params() | {"options": ""}, autocommit=True
        ) as other:
            while not ended.is_set():
                began = time.monotonic()
                other.execute("INSERT INTO widened (id) VALUES (1)")
                longest.append(time.monotonic() - began)
                if longest[-1] > 0.3:
                    reader.close()
                time.sleep(0.05)

    at_last = threading.Timer(LONG_S, reader.close)  # or the migration would wait for ever
    threads = [threading.Thread(target=go_on), at_last]
    for thread in threads:
        thread.start()
    try:
        migrate_in_peace()
    finally:
        ended.set()
        at_last.cancel()
        for thread in threads:
            thread.join()
    assert max(longest) > 0.3, "the migration never stood in the way, so nothing was tried"
    assert max(longest) < migrate.LOCKED_MS / 1000 + LONG_S / 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT more FROM widened LIMIT 1")
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",), "what comes next in this session may wait again"


def test_one_that_gets_no_table_at_all_says_so_and_has_done_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "TRIES", 2)
    monkeypatch.setattr(migrate, "PAUSE_S", 0.1)
    monkeypatch.setattr(migrate, "LOCKED_MS", 200)
    with in_use(), pytest.raises(CommandError, match="nothing of this migration was done"):
        migrate_in_peace()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM information_schema.columns WHERE table_name = 'widened'")
        assert cursor.fetchone() == (1,)


def test_who_asks_whether_all_is_migrated_changes_nothing() -> None:
    """Containers ask so before they begin; an older version, after a way back, finds all that it knows of."""

    def answered() -> object:
        try:
            call_command("migrate", check_unapplied=True, verbosity=0)
        except SystemExit as ended:
            return ended.code
        return 0

    readers = list(Follower.objects.order_by("name").values_list())
    assert answered() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM widened LIMIT 0")
        assert [column.name for column in cursor.description] == ["id"]
    migrate_in_peace()
    assert answered() == 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('config', '9999_later', now())"
        )
    assert answered() == 0
    assert list(Follower.objects.order_by("name").values_list()) == readers
