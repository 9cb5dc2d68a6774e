"""What is known of backups, and a database that was restored."""

import os
import signal
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.embedded import Servers
from core import backups, dependencies, reopening, starting
from core.db import run_prepared
from core.models import Backup, Reopening
from tests.platform import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
MARK = "20261126T030000Z to 2026-11-26T12:00:00Z"


@pytest.fixture
def restored(servers: Servers) -> Iterator[None]:
    """Let the server say what one says that `lay-out` has laid out."""
    settings = servers.postgres.data / "postgresql.auto.conf"
    before = settings.read_text()
    settings.write_text(f"{before}laurel.restored = '{MARK}'\n")
    _read_anew(servers, MARK)
    yield
    settings.write_text(before)
    _read_anew(servers, "")


def _read_anew(servers: Servers, mark: str) -> None:
    """Let the server read its settings, and wait until this connection knows them."""
    os.kill(servers.postgres.pid, signal.SIGHUP)
    wait_for(lambda: reopening.mark() == mark, what="the settings")
    dependencies.kept.forget()


def _ask(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    return run_prepared(sql, params)


def test_the_newest_backup_counts_and_a_server_that_keeps_no_log_says_so() -> None:
    assert (list(backups.figures(_ask)), backups.wal_lag_s()) == ([], None)
    early, late = timezone.now() - timedelta(days=400), timezone.now()
    backups.note("late", size=1, at=late)
    backups.note("early", size=1, at=early)
    [told] = backups.figures(_ask)
    assert [sample.value for sample in told.samples] == [pytest.approx(late.timestamp(), abs=0.001)]


def test_a_database_that_was_never_restored_is_open() -> None:
    assert reopening.is_open(_ask)
    assert reopening.logs() == [(0, 0)]
    starting.require_safe_postgresql()


@pytest.mark.usefixtures("restored")
def test_no_process_starts_on_a_restored_database_until_it_is_reopened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.dependencies.SAFE_SETTINGS", ())
    with pytest.raises(SystemExit, match=r"manage\.py reopen"):
        starting.require_safe_postgresql()
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["postgresql"]["status"] == "restored, and not reopened"
    reopening.note(reopening.mark(), at=timezone.now())
    starting.require_safe_postgresql()
    dependencies.kept.forget()
    assert Client().get("/readyz").status_code == 200


@pytest.mark.usefixtures("restored")
def test_another_restore_closes_it_again() -> None:
    reopening.note("an earlier one", at=timezone.now())
    assert not reopening.is_open(_ask)
    assert len(reopening.logs()) == 2


def test_numbers_of_the_lost_time_are_given_to_nothing_else() -> None:
    before = Backup.objects.create(name="before", size=0, finished_at=timezone.now()).pk
    assert reopening.skip_numbers() > 0
    after = Backup.objects.create(name="after", size=0, finished_at=timezone.now()).pk
    assert after > before + 1_000_000
    # Of what there was nothing yet, there may have been something in the time that was lost.
    reopening.note("to a second", at=timezone.now())
    assert Reopening.objects.get().pk > 1_000_000
