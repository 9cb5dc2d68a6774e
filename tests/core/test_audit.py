"""The audit log: written with what it tells of, and never changed."""

from datetime import UTC, datetime

import pytest
from django.db import Error, connection, transaction

from core import audit
from core.models import AuditEntry

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def entry() -> None:
    audit.record(
        studio_id=7,
        actor="user:ada@example.com",
        action="player.exclude",
        kind="player",
        object_id=5,
        reason="Speed hack",
        at=AT,
        details={"ticket": 4711},
    )


def test_an_entry_says_who_did_what_to_whom_and_why() -> None:
    entry()
    assert list(
        AuditEntry.objects.values_list(
            "studio_id", "at", "actor", "action", "object_kind", "object_id", "reason"
        )
    ) == [(7, AT, "user:ada@example.com", "player.exclude", "player", "5", "Speed hack")]
    assert AuditEntry.objects.get().details == {"ticket": 4711}


def test_an_entry_goes_with_the_change_that_is_rolled_back() -> None:
    with transaction.atomic():
        entry()
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "statement", ["UPDATE core_auditentry SET reason = 'Nothing'", "DELETE FROM core_auditentry"]
)
def test_the_database_refuses_to_change_or_remove_entries(statement: str) -> None:
    entry()
    with pytest.raises(Error, match="new entries only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.get().reason == "Speed hack"
