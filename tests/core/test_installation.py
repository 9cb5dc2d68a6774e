"""What the relay tells of the whole installation, and `manage.py status`."""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from prometheus_client import REGISTRY

from config.embedded import Servers
from core import dependencies, direct, facts, followers, status
from core.metrics import alive, installation, jobs
from core.metrics.installation import Installation
from core.models import Job
from core.status.troubles import troubles
from core.status.values import Status
from tests import factories
from tests.patience import LONG_S, SHIPPED, valkey_frozen
from tests.platform import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("laurel-web", "laurel-live", "laurel-relay", "laurel-send_webhooks", "laurel-beat", "laurel-worker")
PATIENCE_S = 3.0  # for a server that is frozen


@pytest.fixture(autouse=True)
def _safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.dependencies.SAFE_SETTINGS", ())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody for long."""
    for module in ("core.metrics.installation", "core.status.looking"):
        monkeypatch.setattr(f"{module}.ANSWERS_WITHIN_S", PATIENCE_S)
    monkeypatch.setattr(direct, "CONNECTS_WITHIN_S", int(SHIPPED["core.direct.CONNECTS_WITHIN_S"]))


@pytest.fixture
def looking() -> Iterator[Installation]:
    made = Installation()
    yield made
    REGISTRY.unregister(made)
    made.close()


def told(looking: Installation) -> dict[tuple[str, ...], float]:
    looking.look()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in looking.collect()
        for sample in metric.samples
    }


def until(holds: Callable[[Any], bool], look: Callable[[], Any]) -> Any:
    """Look until that holds: where this machine stalls, what is there may seem to be away."""
    for _ in range(20):
        found = look()
        if holds(found):
            break
    return found


def postgresql_is_up(found: dict[tuple[str, ...], float]) -> bool:
    return found["laurel_dependency_up", "postgresql"] == 1


def write_facts(number: int) -> None:
    factories.studio()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_fact (kind, studio_id, size, payload)"
            " SELECT 'nothing_happened', NULL, 1, '{}' FROM generate_series(1, %s)",
            [number],
        )


def test_the_relay_tells_of_all_that_laurel_stands_on(looking: Installation) -> None:
    found = until(
        lambda found: abs(found["laurel_clock_skew_seconds",]) < 1,  # asking takes a part of that
        lambda: told(looking),
    )
    ups = {name[1]: value for name, value in found.items() if name[0] == "laurel_dependency_up"}
    pooler = ["pgbouncer"] if settings.DATABASE_POOLED_BY else []
    assert ups == dict.fromkeys(
        ("postgresql", *pooler, "valkey_boards", "valkey_cache", "valkey_limits", "valkey_live", "broker"), 1
    )
    assert found["laurel_postgresql_unsafe_settings",] == 0
    assert found["laurel_postgresql_other_time_outs",] == 0
    assert abs(found["laurel_clock_skew_seconds",]) < 1
    assert found["laurel_postgresql_connections", "active"] >= 1
    assert found["laurel_queue_depth", "facts"] == 0
    assert found["laurel_webhooks_due",] == 0
    assert found["laurel_board_entries_mended_total",] == 0


def test_other_time_outs_than_are_wanted_are_told_while_postgresql_can_be_relied_on(
    looking: Installation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_PATIENCE_MS = {
        **settings.DATABASE_PATIENCE_MS,
        "lock_timeout": 77,
        "statement_timeout": 88,
    }
    found = told(looking)
    assert found["laurel_postgresql_other_time_outs",] == 2
    assert found["laurel_dependency_up", "postgresql"] == 1
    monkeypatch.setattr("core.dependencies.SAFE_SETTINGS", ("log_duration",))  # one that is off
    assert ("laurel_postgresql_other_time_outs",) not in told(looking)


def test_how_far_followers_are_behind_is_told_exactly_or_by_numbers(
    looking: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    followers.ensure_rows()
    write_facts(30)
    behind = {name: value for name, value in told(looking).items() if name[0] == "laurel_follower_lag_facts"}
    assert set(behind.values()) == {30}
    assert len(behind) == len(facts.subscriptions())
    monkeypatch.setattr(installation, "COUNTED_EXACTLY", 10)
    followers.rewind("social", fact_id=0)
    estimated = told(looking)["laurel_follower_lag_facts", "social"]
    assert estimated >= 30  # facts of other tests had lower numbers
    assert told(looking)["laurel_follower_lag_seconds", "social"] >= 0


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_what_is_not_known_is_not_told(
    looking: Installation, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(looking)
    with valkey_frozen(servers):
        found = until(postgresql_is_up, lambda: told(looking))
    assert found["laurel_dependency_up", "valkey_live"] == found["laurel_dependency_up", "broker"] == 0
    assert ("laurel_dependency_latency_seconds", "broker") not in found
    assert ("laurel_queue_depth", "facts") not in found
    assert found["laurel_dependency_up", "postgresql"] == 1
    monkeypatch.setattr(looking, "_at", looking._at - installation.OLD_AFTER_S)
    assert list(looking.collect()) == []


def test_a_long_writing_transaction_is_told_of(looking: Installation) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_current_xact_id(), pg_sleep(0.2)")
        age = told(looking)["laurel_postgresql_oldest_transaction_seconds",]
        cursor.execute("ROLLBACK")
    assert age >= 0.2


def test_how_scheduled_jobs_go_is_kept(looking: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_kept_at", {})
    for task_id, name, error in (
        ("1", "core.sweep", None),
        ("2", "core.keep_log", ValueError("no room")),
        ("3", "social.follow", None),  # not scheduled: a follower
    ):
        jobs.began(task_id, name)
        jobs.ended(task_id, name, error)
    kept = {job.name: (job.succeeded_at is not None, job.error) for job in Job.objects.all()}
    assert kept == {"core.sweep": (True, ""), "core.keep_log": (False, "ValueError: no room")}
    found = told(looking)
    assert found["laurel_job_last_success_timestamp_seconds", "core.sweep"] > 0
    assert ("laurel_job_last_success_timestamp_seconds", "core.keep_log") not in found
    said = shown()
    assert "core.keep_log: ValueError: no room" in said


def shown(**options: Any) -> str:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("status", stdout=out, **options)
    assert ended.value.code == 1
    return out.getvalue()


def live(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.setattr(alive, "PROCESS", name)
        alive.say_so()


def test_all_is_well_once_every_process_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    live(monkeypatch, *NAMES)
    out = StringIO()
    call_command("status", stdout=out)
    said = out.getvalue()
    assert "All is well." in said
    assert [line.split()[0] for line in said.splitlines() if line.startswith("laurel-")] == list(NAMES)


def test_a_process_that_says_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    live(monkeypatch, "laurel-web", "laurel-worker-live")
    said = shown()
    assert "No laurel-beat says that it lives." in said
    assert "No laurel-worker-facts says that it lives." in said
    assert "No laurel-web " not in said
    assert "No laurel-worker " not in said


def test_who_tests_is_no_process_of_laurel() -> None:
    """It would say that it lives every few seconds, into whatever is tested just then."""
    assert not {"config.asgi", "config.wsgi"} & sys.modules.keys()
    assert "metrics" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.slow
def test_who_has_not_said_so_for_long_does_not_live(monkeypatch: pytest.MonkeyPatch) -> None:
    live(monkeypatch, "laurel-web")
    assert "laurel-web" in [one["process"] for one in alive.listed()]
    monkeypatch.setattr(alive, "GONE_AFTER_S", 1)
    live(monkeypatch, "laurel-web")
    wait_for(
        lambda: "laurel-web" not in [one["process"] for one in alive.listed()], what="it to be forgotten"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_without_valkey_the_status_says_so_and_what_it_knows(
    servers: Servers,
) -> None:
    write_facts(3)
    with valkey_frozen(servers):
        told = until(
            lambda told: told["dependencies"]["postgresql"]["status"] == "ok",
            lambda: json.loads(shown(json=True)),
        )
    assert told["status"] == "trouble"
    assert told["dependencies"]["valkey_live"]["status"] == "down"
    assert told["dependencies"]["postgresql"]["status"] == "ok"
    assert told["rates"] is None
    assert {one["seen"] for one in told["processes"]} == {None}
    assert any("valkey_live is down: " in one for one in told["troubles"])


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_without_postgresql_it_is_said_and_what_is_known(
    looking: Installation, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(monkeypatch, *NAMES)
    told(looking)
    connection.close()
    servers.postgres.freeze()
    try:
        found = until(lambda found: len(found.troubles) == 1, status.look)
        metrics = until(lambda found: ("laurel_queue_depth", "facts") in found, lambda: told(looking))
    finally:
        servers.postgres.thaw()
    assert found.dependencies["postgresql"].status == "down"
    assert found.followers is None
    assert [one.process for one in found.processes if one.seen] == list(NAMES)
    assert [one.split(":")[0] for one in found.troubles] == ["postgresql is down"]
    assert metrics["laurel_dependency_up", "postgresql"] == 0
    assert metrics["laurel_queue_depth", "facts"] == 0
    assert ("laurel_follower_lag_facts", "social") not in metrics
    assert postgresql_is_up(until(postgresql_is_up, lambda: told(looking)))


def test_who_is_far_behind_is_named() -> None:
    followers.ensure_rows()
    write_facts(2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_fact SET at = at - interval '1 minute'")
        cursor.execute(
            "INSERT INTO core_deadletter (follower, fact_id, fact_tx, fact_at, kind, payload, error, created_at)"
            " VALUES ('social', 1, 1, now(), 'x', '{}', 'Traceback\nKeyError: 7', now())"
        )
    said = shown()
    assert "The follower social is 2 facts and 6" in said
    assert "1 dead letters of social wait" in said
    assert "social: x 1: KeyError: 7" in said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            dependencies.Found(dependencies.CLOSED, 0.001),
            "was restored, and not reopened: run manage.py reopen.",
        ),
        (
            dependencies.Found(dependencies.OTHER_TIME_OUTS, 0.001, others=(("lock_timeout", 0),)),
            "has other time-outs than are asked for: lock_timeout 0 ms.",
        ),
        (dependencies.Found(dependencies.DOWN, error="refused"), "is down: refused"),
    ],
)
def test_what_is_wrong_with_postgresql_is_said_in_words(found: dependencies.Found, said: str) -> None:
    there = Status(time.time(), {"postgresql": found}, [])
    assert list(troubles(there)) == [f"postgresql {said}"]


def test_pgbouncer_is_told_from_postgresql_behind_it(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATABASE_POOLED_BY = "pgbouncer"
    with (
        closing(dependencies.Watch(within_s=LONG_S)) as watch,
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        assert watch.look()["pgbouncer"].status == dependencies.OK  # PostgreSQL answers that question, too
        host, port = silent.getsockname()
        monkeypatch.setitem(connection.settings_dict, "HOST", host)
        monkeypatch.setitem(connection.settings_dict, "PORT", str(port))
        monkeypatch.setattr(watch, "_within_s", PATIENCE_S)
        found = until(lambda found: found["postgresql"].status != dependencies.DOWN, watch.look)
    assert found["pgbouncer"].status == dependencies.DOWN
    assert found["postgresql"].status != dependencies.DOWN  # over the connection that it has
