"""The audit log's chain: what is removed, changed, moved or put in shows, and an erasure does not break it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from django.db import Error, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core import audit
from core.audit import erasing, sealing, seals, verifying
from core.models import AuditEntry, AuditHead
from tests.patience import LONG_S

STUDIO, OTHER = 7, 8
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def record(number: int = 1, *, studio_id: int = STUDIO, **changes: Any) -> None:
    values: dict[str, Any] = {
        "actor": "user:ada@example.com",
        "action": "player.ban",
        "kind": "player",
        "object_id": f"player-{number}",
        "reason": f"Speed hack {number}",
        "details": {"ticket": number, "rate": 0.1},
    }
    audit.record(studio_id=studio_id, at=AT + timedelta(seconds=number), **(values | changes))


def chain(count: int, *, studio_id: int = STUDIO) -> None:
    for number in range(1, count + 1):
        record(number, studio_id=studio_id)
    assert sealing.seal() == count


@contextmanager
def tampering() -> Iterator[Any]:
    """Do what a superuser of the database can do."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditentry DISABLE TRIGGER USER")
        yield cursor
        cursor.execute("ALTER TABLE core_auditentry ENABLE TRIGGER USER")


def fault(studio_id: int = STUDIO) -> str:
    return verifying.verify(studio_id).fault


@pytest.mark.django_db
def test_entries_are_numbered_without_a_gap_in_each_studio() -> None:
    for number in range(1, 4):
        record(number)
        record(number, studio_id=OTHER)
    assert sealing.seal() == 6
    for studio_id in (STUDIO, OTHER):
        numbers = (
            AuditEntry.objects.filter(studio_id=studio_id).order_by("id").values_list("number", flat=True)
        )
        assert list(numbers) == [1, 2, 3]
        assert fault(studio_id) == ""


@pytest.mark.django_db
def test_sealing_goes_on_where_it_ended_and_seals_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "SEALED_AT_ONCE", 2)
    chain(5)
    before = list(AuditEntry.objects.order_by("number").values_list("hash", flat=True))
    assert sealing.seal() == 0
    record(6)
    assert sealing.seal() == 1
    assert list(AuditEntry.objects.order_by("number").values_list("hash", flat=True))[:5] == before
    verdict = verifying.verify(STUDIO)
    assert (verdict.fault, verdict.end and verdict.end.number, verdict.waiting) == ("", 6, 0)


@pytest.mark.django_db
def test_an_entry_that_waits_for_its_seal_is_no_fault() -> None:
    chain(2)
    record(3)
    verdict = verifying.verify(STUDIO)
    assert (verdict.fault, verdict.waiting) == ("", 1)


@pytest.mark.django_db
def test_a_log_of_nothing_holds() -> None:
    assert verifying.studio_ids() == []
    verdict = verifying.verify(STUDIO)
    assert (verdict.fault, verdict.end) == ("", None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM core_auditentry WHERE number = 3", "Entry 3 is missing."),
        ("DELETE FROM core_auditentry WHERE number = 1", "Entry 1 is missing."),
        ("DELETE FROM core_auditentry WHERE number = 5", "Entry 5 is missing at the end."),
        ("DELETE FROM core_auditentry WHERE number > 3", "Entries 4 to 5 are missing at the end."),
        ("DELETE FROM core_auditentry", "Entries 1 to 5 are missing at the end."),
        ("UPDATE core_auditentry SET reason = 'Nothing' WHERE number = 2", "Entry 2 was changed"),
        ("UPDATE core_auditentry SET details = '{}' WHERE number = 2", "Entry 2 was changed"),
        ("UPDATE core_auditentry SET actor = 'user:bo@example.com' WHERE number = 2", "Entry 2 was changed"),
        ("UPDATE core_auditentry SET at = at + interval '1 us' WHERE number = 2", "Entry 2 was changed"),
        ("UPDATE core_auditentry SET action = 'player.unban' WHERE number = 2", "Entry 2 was changed"),
        ("UPDATE core_auditentry SET object_kind = 'game' WHERE number = 2", "Entry 2 was changed"),
        ("UPDATE core_auditentry SET object_id = 'player-9' WHERE number = 2", "Entry 2 was changed"),
        ("UPDATE core_auditentry SET studio_id = 8 WHERE number = 5", "Entry 5 is missing at the end."),
        ("UPDATE core_auditentry SET hash = mark WHERE number = 4", "Entry 4 does not follow"),
        ("UPDATE core_auditentry SET number = 6 WHERE number = 4", "Entry 4 is missing."),
        ("UPDATE core_auditentry SET number = NULL, hash = NULL WHERE number = 5", "missing at the end"),
        (
            (
                "UPDATE core_auditentry SET number = -number WHERE number IN (2, 3);"
                "UPDATE core_auditentry SET number = 5 + number WHERE number < 0"
            ),
            "Entry 2 does not follow",
        ),
        (
            (
                "DELETE FROM core_auditentry WHERE number = 3;"
                "UPDATE core_auditentry SET number = number - 1 WHERE number = 4;"
                "UPDATE core_auditentry SET number = number - 1 WHERE number = 5"
            ),
            "Entry 3 does not follow",
        ),
        (
            (
                "INSERT INTO core_auditentry (studio_id, at, actor, action, object_kind, object_id, reason, details,"
                " actor_proof, content_proof, mark, number, hash) SELECT studio_id, at, actor, action, object_kind,"
                " object_id, reason, details, actor_proof, content_proof, 'forged', 6, hash"
                " FROM core_auditentry WHERE number = 5"
            ),
            "Entry 6 was changed, or was not written by Laurel.",
        ),
        (
            (
                "UPDATE core_audithead SET number = 4, hash = (SELECT hash FROM core_auditentry WHERE number = 4);"
                "DELETE FROM core_auditentry WHERE number = 5"
            ),
            "The note of where the log ends was changed",
        ),
        ("DELETE FROM core_audithead", "The note of where the log ends is missing or old"),
    ],
)
def test_what_is_done_behind_its_back_shows(statement: str, told: str) -> None:
    chain(5)
    assert fault() == ""
    with tampering() as cursor:
        cursor.execute(statement)
    assert told in fault()


@pytest.mark.django_db
def test_an_entry_that_was_put_in_is_never_sealed_and_is_named() -> None:
    chain(2)
    AuditEntry.objects.create(
        studio_id=STUDIO,
        at=AT,
        actor="user:ada@example.com",
        action="player.unban",
        object_kind="player",
        object_id="player-1",
        actor_proof=seals.new_salt(),
        content_proof=seals.new_salt(),
        mark=b"forged",
    )
    record(3)
    assert sealing.seal() == 1
    assert "was not written by Laurel" in fault()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement", ["DELETE FROM core_audithead", "UPDATE core_audithead SET number = number - 1"]
)
def test_sealing_does_not_go_on_from_an_end_that_was_tampered_with(statement: str) -> None:
    chain(3)
    chain(1, studio_id=OTHER)
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} WHERE studio_id = {STUDIO}")
    record(4)
    record(2, studio_id=OTHER)
    assert sealing.seal() == 1
    assert fault()
    assert fault(OTHER) == ""


@pytest.mark.django_db
def test_a_noted_hash_proves_that_nothing_was_cut_off() -> None:
    chain(3)
    noted = {row.number: bytes(row.hash) for row in AuditEntry.objects.all()}  # type: ignore[arg-type]
    assert verifying.verify(STUDIO, expected=noted).fault == ""  # type: ignore[arg-type]
    with tampering() as cursor:
        cursor.execute("DELETE FROM core_auditentry; DELETE FROM core_audithead")
    chain(2)
    assert fault() == ""  # a new log, from nothing: only what was noted tells
    assert verifying.verify(STUDIO, expected={1: noted[1]}).fault.startswith("Entry 1 is not the one")
    assert (
        verifying.verify(STUDIO, expected={3: noted[3]}).fault == "Entry 3, whose hash was noted, is missing."
    )


@pytest.mark.django_db
def test_an_erasure_takes_the_text_out_and_the_chain_holds() -> None:
    chain(3)
    record(2)  # not sealed yet
    assert erasing.erase_content(studio_id=STUDIO, object_id="player-2") == 2
    assert erasing.erase_actor(studio_id=STUDIO, actor="user:ada@example.com") == 4
    assert erasing.erase_content(studio_id=STUDIO, object_id="player-2") == 0
    assert sealing.seal() == 1
    assert not AuditEntry.objects.filter(object_id="player-2").exists()
    kept = str(list(AuditEntry.objects.filter(object_id="erased").values()))
    for text in ("player-2", "Speed", "ticket", "ada"):
        assert text not in kept
    verdict = verifying.verify(STUDIO)
    assert (verdict.fault, verdict.erased, verdict.end and verdict.end.number) == ("", 4, 4)


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["actor", "object_id", "reason", "details"])
def test_nothing_can_be_put_where_something_was_erased(column: str) -> None:
    chain(2)
    erasing.erase_content(studio_id=STUDIO, object_id="player-2")
    erasing.erase_actor(studio_id=STUDIO, actor="user:ada@example.com")
    assert fault() == ""
    with tampering() as cursor:
        cursor.execute(f"UPDATE core_auditentry SET {column} = '[1]' WHERE number = 2")
    assert "Entry 2 was changed" in fault()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET reason = ''",
        "UPDATE core_auditentry SET number = 9",
        "UPDATE core_auditentry SET number = NULL, hash = NULL",
        "UPDATE core_auditentry SET mark = 'other'",
        "UPDATE core_auditentry SET actor = 'erased'",
        "UPDATE core_auditentry SET content_proof = decode(repeat('00', 32), 'hex')",
        "UPDATE core_auditentry SET content_proof = decode(repeat('00', 16), 'hex')",
        "DELETE FROM core_auditentry",
    ],
)
def test_the_database_refuses_all_but_seals_and_erasures(statement: str) -> None:
    chain(1)
    before = list(AuditEntry.objects.values_list())
    with pytest.raises(Error, match="new entries only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(AuditEntry.objects.values_list()) == before


@pytest.mark.django_db
def test_what_an_older_secret_sealed_holds_as_long_as_it_is_named(settings: Any) -> None:
    settings.AUDIT_SECRETS = ["older"]
    chain(2)
    record(3)
    settings.AUDIT_SECRETS = ["newer", "older"]
    record(4)
    assert sealing.seal() == 2
    assert erasing.erase_content(studio_id=STUDIO, object_id="player-1") == 1
    assert fault() == ""
    settings.AUDIT_SECRETS = ["newer"]
    assert fault() == "Entry 1 was changed, or was not written by Laurel."


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_is_sealed_late_and_nobody_waits() -> None:
    recorded, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                record(1)
                record(1, studio_id=OTHER)
                recorded.set()
                go_on.wait(LONG_S)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert recorded.wait(LONG_S)
    record(2)
    assert sealing.seal() == 1
    go_on.set()
    thread.join()
    assert sealing.seal() == 2
    assert list(
        AuditEntry.objects.filter(studio_id=STUDIO).order_by("number").values_list("object_id", flat=True)
    ) == [
        "player-2",
        "player-1",
    ]
    assert fault() == fault(OTHER) == ""


@pytest.mark.django_db(transaction=True)
def test_many_sealers_and_writers_at_once_make_one_chain() -> None:
    def run(work: Callable[[int], object]) -> Callable[[], None]:
        def job() -> None:
            try:
                for number in range(20):
                    work(number)
            finally:
                connection.close()

        return job

    jobs = [
        run(lambda n: erasing.erase_content(studio_id=STUDIO, object_id=f"player-{n}")),
        run(record),
        run(record),
        run(lambda n: record(n, studio_id=OTHER)),
        *[run(lambda _: sealing.seal())] * 3,
    ]
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealing.seal()
    ends = {studio: verifying.verify(studio) for studio in verifying.studio_ids()}
    assert {studio: (one.fault, one.end and one.end.number) for studio, one in ends.items()} == {
        STUDIO: ("", 40),
        OTHER: ("", 20),
    }
    assert AuditHead.objects.count() == 2


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abé ö", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


class StoredDetails(TestCase):
    @pytest.mark.slow
    @hypothesis.settings(max_examples=50)
    @given(st.dictionaries(st.text("abcé", max_size=3), _json, max_size=4))
    def test_whatever_details_are_stored_their_mark_holds(self, details: dict[str, Any]) -> None:
        record(details=details)
        assert sealing.seal() == 1
        assert fault() == ""
