"""What is known of backups, and a database that was restored."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from core import backups, reopening, starting
from core.models import Backup, Reopening

pytestmark = pytest.mark.django_db
MARK = "20261126T030000Z to 2026-11-26T12:00:00Z"


@pytest.fixture
def restored() -> Iterator[None]:
    """Let the server say what one says that `lay-out` has laid out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('laurel.restored', %s, false)", [MARK])
        yield
        cursor.execute("SELECT set_config('laurel.restored', '', false)")


def test_the_newest_backup_counts_and_a_server_that_keeps_no_log_says_so() -> None:
    assert backups.kept() == backups.Kept(None, None, 0)
    early, late = timezone.now().replace(year=2025), timezone.now()
    backups.note("late", size=1, at=late)
    backups.note("early", size=1, at=early)
    assert backups.kept().backed_up_at == late


def test_a_database_that_was_never_restored_is_open() -> None:
    assert reopening.is_open()
    assert reopening.logs() == [(0, 0)]
    starting.require_safe_postgresql()


@pytest.mark.usefixtures("restored")
def test_no_process_starts_on_a_restored_database_until_it_is_reopened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.operations.SAFE_SETTINGS", ())
    monkeypatch.setattr("core.starting.connection.close", lambda: None)  # the mark is this session's
    with pytest.raises(SystemExit, match=r"manage\.py reopen"):
        starting.require_safe_postgresql()
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["postgresql"]["status"] == "restored, and not reopened"
    reopening.note(reopening.mark(), at=timezone.now())
    starting.require_safe_postgresql()
    assert Client().get("/readyz").status_code == 200


@pytest.mark.usefixtures("restored")
def test_another_restore_closes_it_again() -> None:
    reopening.note("an earlier one", at=timezone.now())
    assert not reopening.is_open()
    assert len(reopening.logs()) == 2


def test_numbers_of_the_lost_time_are_given_to_nothing_else() -> None:
    before = Backup.objects.create(name="before", size=0, finished_at=timezone.now()).pk
    assert reopening.skip_numbers() > 0
    after = Backup.objects.create(name="after", size=0, finished_at=timezone.now()).pk
    assert after > before + 1_000_000
    # Of what there was nothing yet, there may have been something in the time that was lost.
    reopening.note("to a second", at=timezone.now())
    assert Reopening.objects.get().pk > 1_000_000
