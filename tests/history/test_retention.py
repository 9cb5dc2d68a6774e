"""Retention: what is kept no longer is archived row by row, once, and only then dropped, whatever comes between."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo, available_timezones

import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some
from moto.server import ThreadedMotoServer

from config import celery
from config.settings import data
from config.settings.environment import BASE_DIR, VAR_DIR
from core import followers, shifts
from history import outgoing, partitions, rollups, tasks
from history.archive import Archive, Unavailable, schema
from history.buckets import LEVELS, Bucket, Level, buckets
from history.outgoing import Changed, Outgoing
from history.rollups import Activity, Changes
from history.selectors.trends import WINDOWS
from history.services import retention, rolling
from tests.patience import LONG_S
from tests.pooling import database_url
from tests.stats.world import World

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = [rollups.table(family, level) for family in rollups.FAMILIES for level in LEVELS]
THEN = datetime(2024, 3, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = "history_activity_hour"
KEY = "history/activity/hour/2024-03-10.parquet"


@pytest.fixture
def archive(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Return a folder to archive to, beside tables of March 2024 and of nothing else."""
    _forget()
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    partitions.ensure(now=THEN)
    yield tmp_path / "archive"
    _forget()


def _forget() -> None:
    with connection.cursor() as cursor:
        for one in partitions.listed():
            if one.begin is not None:
                cursor.execute(f"DROP TABLE {one.name}")


def add(*hours: datetime, player: int = 1, unlocks: int = 1, points: int = 5) -> None:
    """Add unlocks and a stat's change in the hours, days and months of some instants."""
    changes = Changes()
    for at in hours:
        of: dict[Level, Bucket] = {"hour": at, "day": at.date(), "month": at.date().replace(day=1)}
        for level, bucket in of.items():
            changes.activity[level][player, 7, bucket] = Activity(unlocks, points, 60_000)
            changes.stats[level][player, 9, bucket] = Decimal("0.1") * points
    with transaction.atomic():
        rollups.add(changes)


def add_many(count: int) -> None:
    chance = Random(count)
    for player in range(1, count + 1):
        add(THEN, player=player, points=chance.randrange(10**6))


def rows(table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def in_file(file: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in pq.read_table(file).to_pylist()]


def files(archive: Path) -> list[str]:
    return sorted(str(file.relative_to(archive)) for file in archive.rglob("*") if file.is_file())


def names() -> set[str]:
    return {one.name for one in partitions.listed()}


def in_threads(*works: Callable[[], object]) -> None:
    """Run each in a thread with a connection of its own; an error of one is the test's."""
    failed: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised by the test
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def test_a_task_that_has_gone_on_for_long_leaves_the_rest_to_its_next_time(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(THEN)
    task = celery.app.tasks["history.keep_partitions"]
    with monkeypatch.context() as patched:
        patched.setattr(shifts, "LONGEST_S", -1.0)
        task.apply(throw=True)
    assert files(archive) == []
    task.apply(throw=True)
    assert KEY in files(archive)


def test_what_is_over_is_archived_row_by_row_and_months_stay(archive: Path) -> None:
    add_many(50)
    add(THEN + timedelta(days=1), player=3)
    before = {table: rows(table) for table in TABLES}
    done = retention.apply(now=NOW)
    assert files(archive) == [
        "history/activity/day/2024-03-01.parquet",
        "history/activity/hour/2024-03-10.parquet",
        "history/activity/hour/2024-03-11.parquet",
        "history/stat/day/2024-03-01.parquet",
        "history/stat/hour/2024-03-10.parquet",
        "history/stat/hour/2024-03-11.parquet",
    ]
    for family in rollups.FAMILIES:
        hours = [in_file(archive / f"history/{family}/hour/2024-03-{day}.parquet") for day in (10, 11)]
        assert hours[0] + hours[1] == sorted(before[f"history_{family}_hour"], key=lambda row: (row[2], row))
        assert (
            in_file(archive / f"history/{family}/day/2024-03-01.parquet") == before[f"history_{family}_day"]
        )
        assert rows(f"history_{family}_month") == before[f"history_{family}_month"]
        assert rows(f"history_{family}_hour") == rows(f"history_{family}_day") == []
    assert {one.key: one.rows for one in done if one.key}[KEY] == 50
    assert not any(
        name.startswith(("history_activity_hour_2", "history_stat_day_202403")) for name in names()
    )
    assert retention.apply(now=NOW) == []


def test_a_table_leaves_when_all_of_it_is_kept_no_longer(archive: Path) -> None:
    add(THEN)
    almost = datetime(2024, 3, 24, 23, 59, 59, tzinfo=UTC)
    assert retention.apply(now=almost) == []
    (one,) = retention.apply(now=almost + timedelta(seconds=1))[:1]
    assert (one.key, one.rows) == (KEY, 1)
    assert "history_activity_hour_20240311" in names()


def test_a_retention_of_ones_own_is_followed(archive: Path, settings: Any) -> None:
    add(THEN)
    settings.HISTORY_HOURS_KEPT_DAYS = 30
    assert retention.apply(now=THEN + timedelta(days=30)) == []
    assert retention.apply(now=THEN + timedelta(days=31))[0].key == KEY


def test_what_comes_late_is_archived_beside_and_nothing_is_written_over(archive: Path) -> None:
    add(THEN)
    retention.apply(now=NOW)
    first = (archive / KEY).read_bytes()
    for part in (1, 2):
        add(THEN, player=part * 10)
        late = rows(HOUR)
        assert len(late) == 1
        keys = [one.key for one in retention.apply(now=NOW)]
        assert f"history/activity/hour/2024-03-10.{part}.parquet" in keys
        assert in_file(archive / f"history/activity/hour/2024-03-10.{part}.parquet") == late
        assert rows(HOUR) == []
    assert (archive / KEY).read_bytes() == first


def test_a_table_that_is_made_again_does_not_replace_what_was_archived(archive: Path) -> None:
    add(THEN)
    retention.apply(now=NOW)
    partitions.ensure(now=THEN)  # as when a clock was wrong for a while
    add(THEN, player=2)
    retention.apply(now=NOW)
    assert [in_file(archive / key)[0][0] for key in (KEY, KEY.replace("10.", "10.1."))] == [1, 2]


def test_much_that_is_late_leaves_in_slices(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "SLICE", 3)
    retention.apply(now=NOW)
    add_many(8)
    add(THEN + timedelta(days=1))
    late = rows(HOUR)
    retention.apply(now=NOW)
    folder = archive / "history/activity/hour"
    assert len(list(folder.glob("2024-03-10*.parquet"))) == 3
    assert sorted(row for file in folder.iterdir() for row in in_file(file)) == late
    assert rows(HOUR) == []


def test_what_is_young_stays_in_the_table_for_everything_else(archive: Path) -> None:
    add(NOW - timedelta(days=14), NOW - timedelta(days=15))
    retention.apply(now=NOW)
    assert [row[2] for row in rows(HOUR)] == [NOW - timedelta(days=14)]
    assert len(rows("history_activity_day")) == 2


def test_where_the_archive_can_t_be_written_nothing_is_dropped(archive: Path) -> None:
    archive.write_text("a file, not a folder")
    add(THEN)
    before, tables = rows(HOUR), names()
    with pytest.raises(CommandError, match="what is not in it stays"):
        call_command("archive_history", stdout=StringIO())
    assert (rows(HOUR), names()) == (before, tables)
    archive.unlink()
    retention.apply(now=NOW)
    assert in_file(archive / KEY) == before


@pytest.mark.slow
def test_where_the_disk_is_full_nothing_is_dropped(archive: Path) -> None:
    add_many(400)
    before = rows(HOUR)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, hard))
    try:
        with pytest.raises(Unavailable):
            retention.apply(now=NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(archive) == []
    assert rows(HOUR) == before
    retention.apply(now=NOW)
    assert in_file(archive / KEY) == before


@pytest.mark.slow
def test_who_is_killed_before_the_drop_leaves_both_and_the_next_one_ends_it(archive: Path) -> None:
    add_many(30)
    before, script = rows(HOUR), "from history.services import retention as r; r.apply(now=N, tries=10**6)"
    setup = (
        "import django; django.setup(); from datetime import *; N = datetime(2026, 11, 25, 12, tzinfo=UTC);"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {HOUR} IN ROW EXCLUSIVE MODE")  # a writer: nobody can drop a table of it
        env = {**os.environ, "ARCHIVE_URL": str(archive), "DATABASE_URL": database_url()}
        with subprocess.Popen([sys.executable, "-c", setup + script], cwd=BASE_DIR, env=env) as child:
            deadline = time.monotonic() + LONG_S
            while not (archive / KEY).exists() and child.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            child.send_signal(signal.SIGKILL)
        assert in_file(archive / KEY) == before
        assert rows(HOUR) == before
    written = (archive / KEY).stat().st_mtime_ns
    retention.apply(now=NOW)
    assert (archive / KEY).stat().st_mtime_ns == written  # it was whole
    assert rows(HOUR) == []
    assert [file for file in files(archive) if "hour/2024-03-10" in file and "activity" in file] == [KEY]


def test_what_was_left_half_done_is_swept_and_a_file_of_before_is_set_aside(archive: Path) -> None:
    add(THEN)
    one = next(one for one in outgoing.due(now=NOW) if one.key(0) == KEY)
    store = Archive(str(archive))
    with outgoing.alone():
        store.write(KEY, schema("hour", rollups.COLUMNS["activity"]), outgoing.batches(one))
    old = (archive / KEY).read_bytes()
    (archive / f"{KEY}.0000.tmp").write_text("half")
    add(THEN, player=2)  # since the file was written
    before = rows(HOUR)
    retention.apply(now=NOW)
    assert in_file(archive / KEY) == before
    (aside,) = [file for file in files(archive) if not file.endswith(".parquet")]
    assert (archive / aside).read_bytes() == old


def test_a_file_that_is_not_ours_is_set_aside(archive: Path) -> None:
    add(THEN)
    (archive / KEY).parent.mkdir(parents=True)
    (archive / KEY).write_text("something else")
    before = rows(HOUR)
    retention.apply(now=NOW)
    assert in_file(archive / KEY) == before
    assert sum(file.endswith(".aside") for file in files(archive)) == 1


def test_while_one_is_at_it_another_leaves(archive: Path) -> None:
    add(THEN)
    with outgoing.alone():
        in_threads(_does_nothing)
    assert files(archive) == []
    assert len(rows(HOUR)) == 1


def _does_nothing() -> None:
    assert retention.apply(now=NOW) == []


def test_two_at_once_archive_each_row_once(archive: Path) -> None:
    add_many(200)
    before = rows(HOUR)
    in_threads(*[lambda: retention.apply(now=NOW)] * 3)
    retention.apply(now=NOW)
    assert [file for file in files(archive) if file.startswith("history/activity/hour/")] == [KEY]
    assert in_file(archive / KEY) == before


def test_a_table_in_use_is_left_for_later_and_the_others_leave(archive: Path) -> None:
    add(THEN)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {HOUR}_20240310 IN ROW EXCLUSIVE MODE")
        in_threads(lambda: retention.apply(now=NOW, tries=2))
    assert {name for name in names() if name.startswith(f"{HOUR}_2")} == {f"{HOUR}_20240310"}
    assert retention.apply(now=NOW)[0].key == KEY


def test_who_is_in_the_way_of_a_new_table_is_not_waited_for(archive: Path) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {HOUR}_other")
        in_threads(lambda: partitions.ensure(now=NOW, tries=1))
    assert f"{HOUR}_20261125" not in names()
    assert f"{HOUR}_20261125" in partitions.ensure(now=NOW)


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("unlocks", [[(3, 1)], [(1, 1), (2, -1)]], ids=["one more", "sums stay as they were"])
def test_what_is_not_what_was_archived_stays(
    archive: Path, is_late: bool, unlocks: list[tuple[int, int]]
) -> None:
    if is_late:
        retention.apply(now=NOW)
    add(THEN, player=1)
    add(THEN, player=2)
    one = next(one for one in outgoing.due(now=NOW) if one.folder.endswith("activity/hour"))
    assert one.is_whole is not is_late
    with pytest.raises(Changed):
        _let_go_while_somebody_adds(one, unlocks)
    assert sum(row[3] for row in rows(HOUR)) == 2 + sum(more for _, more in unlocks)
    with outgoing.alone():
        outgoing.let_go(one, archived=outgoing.figures(one))
    assert rows(HOUR) == []


def _let_go_while_somebody_adds(one: Outgoing, unlocks: list[tuple[int, int]]) -> None:
    with outgoing.alone():
        archived = outgoing.figures(one)
        for player, more in unlocks:
            in_threads(partial(add, THEN, player=player, unlocks=more, points=0))
        outgoing.let_go(one, archived=archived)


def test_a_file_that_does_not_read_back_is_thrown_away_and_nothing_is_dropped(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful(pq.ParquetWriter):  # type: ignore[misc]
        def write_batch(self, batch: Any) -> None:
            super().write_batch(batch.slice(1))

    add_many(5)
    before = rows(HOUR)
    with monkeypatch.context() as patched:
        patched.setattr(pq, "ParquetWriter", Forgetful)
        with pytest.raises(Unavailable, match="does not read back"):
            retention.apply(now=NOW)
    assert (files(archive), rows(HOUR)) == ([], before)


@pytest.mark.slow
def test_nothing_that_is_written_meanwhile_is_lost(archive: Path) -> None:
    ended = threading.Event()

    def write() -> None:
        for number in range(150):
            add(THEN, THEN + timedelta(days=1), player=number % 7, points=0)
        ended.set()

    def retain() -> None:
        while not ended.is_set():
            retention.apply(now=NOW)

    in_threads(write, retain)
    retention.apply(now=NOW)
    archived = [
        row for file in (archive / "history/activity/hour").glob("*.parquet") for row in in_file(file)
    ]
    assert sum(row[3] for row in archived) == 300
    assert rows(HOUR) == []
    assert sum(row[3] for row in rows("history_activity_month")) == 150


def test_listeners_read_on_while_a_file_is_written(archive: Path) -> None:
    """A transaction with a number of its own would hold the log back."""
    add(THEN)
    with outgoing.alone():
        one = outgoing.due(now=NOW)[0]
        outgoing.figures(one)
        list(outgoing.batches(one))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id_if_assigned()")
            assert cursor.fetchone() == (None,)


def test_a_rebuild_leaves_what_waits_for_the_archive(archive: Path) -> None:
    world = World.create()
    add(THEN)  # over since long, not archived yet
    before = rows(HOUR)
    answer = world.api().put("/players/p-1", {"time_zone": "Asia/Kathmandu"})
    assert answer.status_code == 200
    while followers.follow("history"):
        pass
    rolling.rebuild()
    assert rows(HOUR) == before
    retention.apply(now=NOW)
    rolling.rebuild()
    assert in_file(archive / KEY) == before


@pytest.mark.slow
@given(
    some.sampled_from(sorted(available_timezones())).map(ZoneInfo),
    some.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001
    some.sampled_from([(14, 731), (9, 374)]),
)
def test_no_window_of_a_trend_needs_what_is_kept_no_longer(
    zone: ZoneInfo, now: datetime, kept: tuple[int, int]
) -> None:
    with override_settings(HISTORY_HOURS_KEPT_DAYS=kept[0], HISTORY_DAYS_KEPT_DAYS=kept[1]):
        _every_window_is_kept(zone, now)


def _every_window_is_kept(zone: ZoneInfo, now: datetime) -> None:
    for level, days in WINDOWS.values():
        assert all(
            rollups.is_kept(level, bucket, now=now)
            for bucket in buckets(level, days=days, now=now, zone=zone)
        )


def test_the_hourly_task_makes_tables_ahead_and_archives(archive: Path) -> None:
    add(THEN)
    before = rows(HOUR)
    tasks.keep_partitions()
    assert in_file(archive / KEY) == before
    assert f"{HOUR}_{timezone.now():%Y%m%d}" in names()


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("s3://laurel/of/2026", "s3://laurel/of/2026"),
        ("/srv/archive", "/srv/archive"),
        ("file:///srv/archive", "/srv/archive"),
        pytest.param("", str(VAR_DIR / "archive"), id="by default in VAR_DIR"),
    ],
)
def test_the_archive_is_a_folder_or_s3(url: str, taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_URL", url)
    assert data._archive_url() == taken


@pytest.mark.parametrize("url", ["s3://", "s3:///", "ftp://host/x", "https://bucket.s3.amazonaws.com"])
def test_what_can_t_be_an_archive_stops_every_process(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="ARCHIVE_URL"):
        data._archive_url()


def test_nobody_can_keep_less_than_trends_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HISTORY_HOURS_KEPT_DAYS", "8")
    with pytest.raises(ImproperlyConfigured, match="9 or more"):
        data._days("HISTORY_HOURS_KEPT_DAYS", default=14, least=9)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@pytest.mark.slow
def test_s3_keeps_the_same(archive: Path, s3: str, settings: Any) -> None:
    settings.ARCHIVE_URL, settings.ARCHIVE_S3_ENDPOINT = "s3://laurel/of/2026", s3
    add_many(20)
    before, tables = rows(HOUR), names()
    with pytest.raises(Unavailable, match="bucket"):
        retention.apply(now=NOW)
    assert (rows(HOUR), names()) == (before, tables)
    with urlopen(Request(f"{s3}/laurel", method="PUT")) as answer:
        assert answer.status == 200
    retention.apply(now=NOW)
    there = pafs.S3FileSystem(endpoint_override=s3)
    with there.open_input_file(f"laurel/of/2026/{KEY}") as stream:
        assert in_file(stream) == before
    found = there.get_file_info(pafs.FileSelector("laurel", recursive=True))
    assert len([one for one in found if one.extension == "parquet"]) == 4
    assert not [one for one in found if one.extension == "tmp"]
    add(THEN, player=77)
    retention.apply(now=NOW)
    store = Archive("s3://laurel/of/2026", endpoint=s3)
    late = store.figures(KEY.replace("10.", "10.1."))
    assert late is not None
    assert (late.rows, int(late.sums[0])) == (1, 77)
    of_third = {"rows": pc.field("player_id") == 3, "columns": ["player_id"]}
    assert [store.leave_out(KEY, **of_third) for _ in range(2)] == [sum(row[0] == 3 for row in before), 0]
    with there.open_input_file(f"laurel/of/2026/{KEY}") as stream:
        assert in_file(stream) == [row for row in before if row[0] != 3]
    assert KEY in store.keys("history")
    store.set_aside(KEY)
    assert (store.size(KEY), store.figures(KEY)) == (None, None)


def test_commands_say_what_is_and_what_will_be(archive: Path) -> None:
    add(THEN)
    told = StringIO()
    call_command("archive_history", "--dry-run", stdout=told)
    assert "history_activity_hour_20240310 from 2024-03-10 up to 2024-03-11 would go to" in told.getvalue()
    assert f"{HOUR}_20240310" in names()
    today = timezone.now().astimezone(UTC).date()
    partitions.ensure(now=timezone.now())
    call_command("archive_history", stdout=told)
    assert f"{HOUR}_20240310: 1 rows, in {KEY}" in told.getvalue()
    told = StringIO()
    call_command("partitions", stdout=told)
    lines = {line.split()[0]: line for line in told.getvalue().splitlines() if line}
    assert lines[f"{HOUR}_{today:%Y%m%d}"].endswith(f"from {today + timedelta(days=15)} on")
    assert lines["history_activity_month_20240101"].endswith("never")
    assert "what is before" in lines[f"{HOUR}_other"]
    assert f"{'activity by hour':32} {'1':>10} {'1':>25}" in told.getvalue()


def test_a_month_that_is_named_by_a_date_is_that_of_a_table() -> None:
    assert partitions.end_of("day", date(2024, 12, 1)) == date(2025, 1, 1)
    assert partitions.end_of("week", date(2024, 1, 1)) == date(2025, 1, 1)
    assert partitions.end_of("hour", date(2024, 2, 29)) == date(2024, 3, 1)
