"""`manage.py verify_audit`: says of every studio whether its audit log holds, and fails if one does not."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Studio
from core import audit
from core.audit import sealing
from core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

STUDIO = "0198f2c4-6f1e-7000-8000-000000000001"


def studio(entries: int = 3) -> Studio:
    made = factories.studio()
    for number in range(entries):
        audit.record(
            studio_id=made.pk,
            actor="platform",
            action="player.ban",
            kind="player",
            object_id=number,
            reason="",
            at=timezone.now(),
        )
    sealing.seal()
    return made


def remove(of: Studio, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditentry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM core_auditentry WHERE studio_id = %s AND number = %s", [of.pk, number])
        cursor.execute("ALTER TABLE core_auditentry ENABLE TRIGGER USER")


def verify(*args: object) -> str:
    out = StringIO()
    call_command("verify_audit", *map(str, args), stdout=out)
    return out.getvalue()


def noted(of: Studio, number: int) -> str:
    row = AuditEntry.objects.get(studio_id=of.pk, number=number)
    return f"{of.uuid}:{number}:{bytes(row.hash or b'').hex()}"


def test_it_says_that_every_studios_log_holds() -> None:
    one, other = studio(), studio(2)
    said = verify()
    assert f"{one.uuid}  3 entries, the last {noted(one, 3).partition(':')[2]}" in said
    assert f"{other.uuid}  2 entries" in said
    assert "The audit log of 2 studios holds." in said


def test_it_names_the_studio_and_the_entry_that_is_missing() -> None:
    one, other = studio(), studio()
    remove(one, 2)
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 2 studios has a fault") as failed:
        call_command("verify_audit", stdout=out)
    assert failed.value.returncode == 1
    assert f"{one.uuid}  FAULT: Entry 2 is missing." in out.getvalue()
    assert f"{other.uuid}  3 entries" in out.getvalue()
    assert "1 studios holds" in verify("--studio", other.uuid)


def test_it_compares_with_what_was_noted() -> None:
    one, other = studio(), studio()
    assert "2 studios holds" in verify("--expect", noted(one, 2), "--expect", noted(other, 3))
    wrong = noted(one, 2).replace(f"{one.uuid}:2:", f"{one.uuid}:3:")
    with pytest.raises(CommandError, match="1 of 2 studios"):
        verify("--expect", wrong)
    empty = factories.studio()
    with pytest.raises(CommandError, match="1 of 3 studios"):
        verify("--expect", f"{empty.uuid}:1:{'0' * 64}")


@pytest.mark.parametrize(
    "text", ["", "1:2:3", f"{STUDIO}:0:{'0' * 64}", f"{STUDIO}:1:00", f"{STUDIO}:x:{'0' * 64}"]
)
def test_it_refuses_what_is_no_studio_number_and_hash(text: str) -> None:
    with pytest.raises(CommandError, match="expect"):
        verify(f"--expect={text}")


def test_it_refuses_a_studio_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="There is no studio"):
        verify("--studio", uuid4())
