"""Entries of the time before seals are marked by the migration, and chained like all others."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from core.audit import sealing, verifying
from core.models import AuditEntry


def migrate(to: list[tuple[str, str]] | None = None) -> Any:
    executor = MigrationExecutor(connection)
    targets = to or executor.loader.graph.leaf_nodes()
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_older_entries_are_sealed_too() -> None:
    try:
        old = migrate([("core", "0005_audit_is_append_only")]).get_model("core", "AuditEntry")
        for number in range(3):
            old.objects.create(
                studio_id=7,
                at="2026-11-25T12:00:00Z",
                actor="platform",
                action="player.ban",
                object_kind="player",
                object_id=str(number),
                reason="",
                details={"rate": 2.0},
            )
    finally:
        migrate()
    assert sealing.seal() == 3
    assert verifying.verify(7).fault == ""
    assert list(AuditEntry.objects.order_by("number").values_list("object_id", flat=True)) == ["0", "1", "2"]
