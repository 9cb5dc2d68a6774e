"""What a process counts, and how it is told of several that share a port."""

import io
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.test import Client
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from structlog.stdlib import ProcessorFormatter
from structlog.testing import capture_logs

from achievements import metrics as achievements
from achievements.services.unlocks import Unlocked
from config import naming
from config.children import BASE_DIR
from core import slow_queries
from core.clock import from_microseconds
from core.db import run_prepared
from core.metrics.requests import OTHER, Requests, class_of
from core.metrics.sharing import Shared
from core.refusals import NotFound
from tests.core.test_front_door import Site

ROOMS = (
    *("core", "accounts", "stats", "achievements", "leaderboards", "social", "history", "analytics"),
    *("webhooks", "care", "config"),
)
SLOW_S = slow_queries.SLOW_S + 0.05
# As a process of web: it counts, hands over, says so, and lives until it is killed.
A_PROCESS = """
import sys, time
from pathlib import Path
from prometheus_client import CollectorRegistry, Counter, Gauge
from core.metrics.sharing import Shared
registry = CollectorRegistry()
Counter("deeds", "Deeds.", ["kind"], registry=registry).labels("good").inc(5)
Gauge("inside", "Inside.", registry=registry).set(3)
shared = Shared(Path(sys.argv[1]), registry)
shared.hand_over()
print("there", flush=True)
time.sleep(600)
"""


def read(registry: Any, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


@pytest.fixture
def another(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", A_PROCESS, str(tmp_path)], cwd=BASE_DIR, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_of_who_is_killed_counts_stay_and_gauges_go(tmp_path: Path, another: "subprocess.Popen[str]") -> None:
    registry, told = CollectorRegistry(), CollectorRegistry()
    counter = Counter("deeds", "Deeds.", ["kind"], registry=registry)
    Gauge("inside", "Inside.", registry=registry).set(1)
    counter.labels("good").inc(2)
    with closing(Shared(tmp_path, registry)) as shared:
        told.register(shared)
        assert read(told, "deeds_total", kind="good") == 7
        assert read(told, "inside") == 4

        another.send_signal(signal.SIGKILL)
        another.wait()
        counter.labels("good").inc()
        for _ in range(2):
            assert read(told, "deeds_total", kind="good") == 8
            assert read(told, "inside") == 1
    assert [path.stem for path in tmp_path.glob("*.json")] == ["gone"]


def test_what_all_say_is_said_once(tmp_path: Path) -> None:
    registry, told = CollectorRegistry(), CollectorRegistry()
    Gauge("laurel_build_info", "Which.", registry=registry).set(1)
    with closing(Shared(tmp_path, registry)) as first, closing(Shared(tmp_path, registry)) as second:
        first.hand_over()
        told.register(second)
        assert read(told, "laurel_build_info") == 1


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("POST /api/v1/achievements/unlock", "unlocks"),
        ("POST /api/v1/achievements/unlock/batch", "unlocks"),
        ("POST /api/v1/achievements/progress", "progress"),
        ("POST /api/v1/stats/report/batch", "stats"),
        ("POST /api/v1/leaderboards/x/best-lap/scores", "scores"),
        ("GET /api/v1/leaderboards/x/best-lap", "boards"),
        ("GET /api/v1/players/p-1/dashboard", "dashboards"),
        ("GET /api/v1/players/p-1/achievements", "reads"),
        ("GET /api/v1/games/x/analytics/retention", "analytics"),
        ("GET /api/v1/games/x/facts", "exports"),
        ("POST /portal/x/exports", "exports"),
        ("GET /portal/x/games/y/analytics", "analytics"),
        ("GET /portal/x/games/y/achievements/", "portal"),
        ("POST /portal/x/members/", "portal"),
        ("GET /games/emberwake", "site"),
        ("GET /", "site"),
        ("GET /readyz", "other"),
        ("GET /static/laurel.css", "other"),
        ("POST /api/v1/webhooks", "other"),
    ],
)
def test_a_request_s_class_is_told_by_its_address(asked: str, expected: str) -> None:
    assert class_of(*asked.split(" ")) == expected


def test_requests_are_counted_by_class_and_status_and_how_long_they_took() -> None:
    registry, requests = CollectorRegistry(), Requests()
    registry.register(requests)
    for status, seconds in ((202, 0.0009), (200, 0.004), (429, 0.001), (503, 3.0)):
        requests.note("unlocks", status, seconds)
    shown = {"class": "unlocks"}
    counted = {
        status: read(registry, "laurel_http_requests_total", status=status, **shown)
        for status in ("2xx", "429", "503")
    }
    assert counted == {"2xx": 2, "429": 1, "503": 1}
    assert read(registry, "laurel_rate_limited_total", **shown) == 1
    assert read(registry, "laurel_http_request_seconds_count", **shown) == requests.total() == 4
    buckets = {
        le: read(registry, "laurel_http_request_seconds_bucket", le=le, **shown)
        for le in ("0.001", "0.005", "2.5", "+Inf")
    }
    assert buckets == {"0.001": 2, "0.005": 3, "2.5": 3, "+Inf": 4}


def test_the_door_counts_what_it_lets_in_and_what_it_turns_away(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = Requests()
    monkeypatch.setattr("core.front_door.requests", requests)
    site = Site()
    site.ask("/api/v1/leaderboards/x")
    for _ in range(2):
        site.admission.enter(1, "somebody")
    site.ask("/api/v1/leaderboards/x")
    assert {(kind, status): sum(row[:-1]) for (kind, status), row in requests._rows.items()} == {
        ("boards", 200): 1,
        ("boards", 503): 1,
    }


def test_unlocks_are_counted_by_what_they_came_to(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = dict.fromkeys(achievements._unlocks, 0)
    monkeypatch.setattr(achievements, "_unlocks", counts)
    new = Unlocked("unlocked", UUID(int=1), from_microseconds(0), 10, 10, 1, 3)
    flagged = Unlocked("unlocked", UUID(int=1), from_microseconds(0), 10, 10, 1, 3, is_apart=True)
    again = Unlocked("already_unlocked", UUID(int=1), from_microseconds(0), 10, 0, 0, 3)
    achievements.count([new, new, flagged, again, NotFound("No."), None])
    assert counts == {"stored": 2, "flagged": 1, "repeated": 1, "refused": 2}


@pytest.mark.django_db
def test_a_slow_statement_is_logged_without_its_values_by_whichever_way_it_was_asked() -> None:
    with capture_logs() as logged:
        run_prepared("SELECT pg_sleep($1), $2::text", [SLOW_S, "a secret"])
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s), %s", [SLOW_S, "a secret"])
            cursor.execute("SELECT 1")
    logged = [line for line in logged if line.get("sql") != "SELECT 1"]  # on a machine that stalls
    assert [line["event"] for line in logged] == ["slow query"] * 2
    assert [line["sql"] for line in logged] == ["SELECT pg_sleep($1), $2::text", "SELECT pg_sleep(%s), %s"]
    assert all(line["ms"] >= 100 for line in logged)
    assert "a secret" not in repr(logged)


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_ran_out_of_time_is_a_slow_one() -> None:
    with capture_logs() as logged, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 150")
        with pytest.raises(OperationalError), transaction.atomic():
            run_prepared("SELECT pg_sleep($1)", [60.0])
    assert [line["event"] for line in logged if "pg_sleep" in line.get("sql", "")] == ["slow query"]


@pytest.mark.slow
@pytest.mark.django_db
def test_every_line_of_a_request_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    [handler] = [one for one in logging.getLogger().handlers if isinstance(one.formatter, ProcessorFormatter)]
    monkeypatch.setattr(handler, "stream", said)
    monkeypatch.setattr("core.operations.serving.registry", lambda: slow_queries.note("SELECT 1", 0.2))
    with pytest.raises(AttributeError):
        Client().get("/metrics", headers={"X-Request-Id": "req-of-the-test"})
    # A machine that stalls has slow queries of other threads, too.
    lines = [line for line in said.getvalue().splitlines() if "req-of-the-test" in line]
    assert [any(what in line for line in lines) for what in ("slow query", "Internal")] == [True, True]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("celery -A config.celery beat", "laurel-beat"),
        ("celery -A config.celery worker -Q live --pool threads", "laurel-worker-live"),
        ("celery -A config.celery worker --queues=bulk", "laurel-worker-bulk"),
        ("celery -A config.celery worker -Q live,facts,bulk", "laurel-worker"),
        ("celery -A config.celery worker", "laurel-worker"),
        ("/srv/laurel/manage.py relay", ""),
    ],
)
def test_a_process_of_celery_is_called_what_it_does(said: str, expected: str) -> None:
    assert naming.of_celery(said.split(" ")) == expected


def test_every_metric_is_explained_and_none_that_is_not_there() -> None:
    named = {
        name
        for room in ROOMS
        for path in (BASE_DIR / room).rglob("*.py")
        if "migrations" not in path.parts
        for name in re.findall(r'"(laurel_[a-z_]+)",\s*f?"', path.read_text())
    }
    page = (BASE_DIR / "docs" / "operations" / "metrics.md").read_text()
    explained = {
        name.removesuffix("_total") for name in re.findall(r"^\| `(laurel_[a-z_]+)`", page, re.MULTILINE)
    }
    assert named - explained == set()
    assert explained - named == set()


def test_what_alerts_look_for_is_told_before_it_happens() -> None:
    told = {
        (sample.labels["class"], sample.labels["status"]): sample.value
        for family in Requests().collect()
        for sample in family.samples
        if sample.name == "laurel_http_requests_total"
    }
    kinds = {name for name, _ in settings.REQUEST_CLASSES} | {OTHER}
    assert told == {(kind, status): 0 for kind in kinds for status in ("5xx", "503", "429")}
