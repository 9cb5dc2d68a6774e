"""The log's days: made ahead, dropped when they are over, and noted where they are gone."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from core import days, facts, log_keeping
from core.models import Follower, LogBeginning
from tests.pooling import database_url

pytestmark = pytest.mark.django_db


def say(tx: int, at: datetime, *, studio: int | None = 7) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_fact (tx, at, kind, studio_id, size, payload)"
            " VALUES (%s::text::xid8, %s, 'said', %s, 1, '{}') RETURNING id",
            [tx, at, studio],
        )
        number: int = cursor.fetchone()[0]
        return number


def test_what_is_dropped_is_noted_up_to_its_newest_fact() -> None:
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=ago) for ago in (10, 9, 8, 7)]  # the third is empty, the last one is kept
    LogBeginning.objects.all().delete()
    Follower.objects.all().delete()
    log_keeping.make_partitions(today=days[0].date())
    say(55, days[0], studio=None)  # no studio's
    others = say(30, days[1], studio=9)
    newest = say(50, days[0] + timedelta(hours=23, minutes=59))
    say(40, days[1])  # its transaction began later, and wrote first
    kept = say(60, days[3])
    dropped = log_keeping.drop_partitions(today=today.date())
    assert dropped == [f"core_fact_{day:%Y%m%d}" for day in days[:3]]
    noted = LogBeginning.objects.order_by("studio_id").values_list("studio_id", "tx", "fact_id", "at")
    assert list(noted) == [(0, 0, 0, days[3]), (7, 50, newest, days[2]), (9, 30, others, days[2])]
    stretch = facts.read_game(7, 1, after=(50, newest), kinds=["said"])
    assert [fact.id for fact in stretch.facts] == [kept]
    assert (stretch.dropped_tx, stretch.dropped_id, stretch.kept_from) == (50, newest, days[3])
    untouched = facts.read_game(8, 1, after=(0, 0), kinds=["said"])
    assert (untouched.dropped_tx, untouched.dropped_id, untouched.kept_from) == (0, 0, days[3])


def test_a_day_that_somebody_has_not_read_stays_and_nothing_is_noted() -> None:
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    before = list(LogBeginning.objects.values())
    log_keeping.make_partitions(today=(today - timedelta(days=10)).date())
    for ago in (10, 9, 8):
        say(50, today - timedelta(days=ago))
    late = next(iter(facts.subscriptions()))
    Follower.objects.update_or_create(name=late, defaults={"tx": 50, "fact_id": 0})
    assert log_keeping.drop_partitions(today=today.date()) == []
    assert list(LogBeginning.objects.values()) == before


def test_a_listener_that_is_no_more_keeps_nothing() -> None:
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    Follower.objects.all().delete()
    Follower.objects.create(name="of a version before", tx=0, fact_id=0)
    log_keeping.make_partitions(today=(today - timedelta(days=14)).date())
    say(50, today - timedelta(days=14))
    assert f"core_fact_{today - timedelta(days=14):%Y%m%d}" in log_keeping.drop_partitions(today=today.date())


def test_what_no_day_was_made_for_goes_when_it_is_over_and_read() -> None:
    """As after a Beat that was away for longer than days are made ahead."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    over = today - timedelta(days=7)
    LogBeginning.objects.all().delete()
    Follower.objects.all().delete()
    say(30, over - timedelta(days=30), studio=None)
    others = say(31, over - timedelta(days=30), studio=9)
    say(40, over - timedelta(days=29))
    newest = say(50, over - timedelta(seconds=1))
    unread = say(70, over - timedelta(seconds=1))
    kept = say(80, over)
    late = next(iter(facts.subscriptions()))
    Follower.objects.create(name=late, tx=60, fact_id=0)
    assert log_keeping.forget_others(today=today.date()) == 4
    noted = LogBeginning.objects.order_by("studio_id").values_list("studio_id", "tx", "fact_id", "at")
    assert list(noted) == [(0, 0, 0, over), (7, 50, newest, over), (9, 31, others, over)]
    stretch = facts.read_game(7, 1, after=(50, newest), kinds=["said"])
    assert [fact.id for fact in stretch.facts] == [unread, kept]
    Follower.objects.filter(name=late).update(tx=90)
    assert log_keeping.forget_others(today=today.date()) == 1
    assert log_keeping.forget_others(today=today.date()) == 0


@pytest.mark.django_db(transaction=True)
def test_days_that_somebody_reads_wait_and_hold_nobody_up() -> None:
    later = timezone.now() + timedelta(days=5)
    name = f"core_fact_{later.astimezone(UTC):%Y%m%d}"
    with (
        psycopg.connect(database_url()) as reader,
        psycopg.connect(database_url(), autocommit=True, prepare_threshold=None) as writer,
    ):
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        reader.execute("SELECT count(*) FROM core_fact")
        said = _write_while(writer, partial(log_keeping.keep, now=later, tries=3))
        assert said
        assert not _is_there(name)
        reader.rollback()
        log_keeping.keep(now=later)
        assert _is_there(name)
        reader.execute(f"SELECT count(*) FROM {name}".encode())
        assert _write_while(writer, partial(days.drop, "core_fact", name, tries=3))
        assert _is_there(name)
    for ahead in range(days.DAYS_AHEAD + 1):
        day = later.astimezone(UTC) + timedelta(days=ahead)
        assert days.drop("core_fact", f"core_fact_{day:%Y%m%d}")
    assert not _is_there(name)


def _write_while(writer: psycopg.Connection[Any], work: Callable[[], object]) -> int:
    """Do something in another thread; return how many facts could be written until it was done."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    other = threading.Thread(target=run)
    other.start()
    said = 0
    while other.is_alive():
        with writer.transaction():
            writer.execute("SET LOCAL lock_timeout = '60s'")  # waiting for the reader would last for ever
            writer.execute(
                "INSERT INTO core_fact (kind, studio_id, size, payload) VALUES ('said', 7, 1, '{}')"
            )
        said += 1
    return said


def _is_there(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])
