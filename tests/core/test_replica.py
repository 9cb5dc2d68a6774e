"""Heavy reads and the replica: which of the two databases is asked, and how soon the other one."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from config.embedded import Servers
from core import dependencies, replica
from core.dependencies import Found
from core.middleware import OwnWrites
from tests import standby
from tests.patience import LONG_S
from tests.platform import STARTS_WITHIN_S, wait_for
from tests.standby import Standby

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True, databases=["default", replica.REPLICA]),
]
WHERE = "SELECT pg_is_in_recovery()"
THERE, HERE = [(True,)], [(False,)]


@pytest.fixture(scope="module", autouse=True)
def copied(
    servers: Servers, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standby]:
    """A replica that streams, named in the settings."""
    one = Standby(tmp_path_factory.mktemp("standby"), servers.postgres)
    one.start(within_s=STARTS_WITHIN_S)
    with standby.named(one):
        yield one
    one.stop()


@pytest.fixture
def kept_up(copied: Standby) -> Standby:
    """The replica, once it is known to keep up."""
    wait_for(lambda: asked() == THERE, what="the replica")
    return copied


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, kept_up: Standby) -> None:
    """Measure often."""
    monkeypatch.setattr(replica, "MEASURED_EVERY_S", 0.2)
    time.sleep(1)


def asked() -> list[tuple[Any, ...]]:
    return replica.read(WHERE, [])


def write() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO core_fact (kind, size, payload) VALUES ('probed', 1, '{}')")


def is_near(seconds: float) -> bool:
    return (lag := replica.lag_seconds()) is not None and lag < seconds


def seconds_until(is_so: Callable[[], bool]) -> float:
    """Return for how long it was asked and was not so; nothing may fail meanwhile.

    How long this machine stalls before it asks again, or is told, does not count.
    """
    began = last = time.monotonic()
    while True:
        asks_at = time.monotonic()
        if is_so():
            return last - began
        last = asks_at
        assert last - began < LONG_S
        write()
        time.sleep(0.05)


def superuser(one: Standby, sql: str) -> None:
    with psycopg.connect(one.url(connection.settings_dict["NAME"]), autocommit=True) as session:
        session.execute(sql)


def test_a_heavy_read_asks_the_replica_but_never_in_a_transaction(kept_up: Standby) -> None:
    with transaction.atomic():
        assert asked() == HERE
    wait_for(lambda: asked() == THERE, what="the replica")
    wait_for(lambda: is_near(replica.LARGEST_LAG_S), what="the replica to be near")


def test_a_replica_that_falls_behind_is_not_read_within_five_seconds_and_is_again_when_it_has_caught_up(
    kept_up: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "_SILENT_S", LONG_S)
    write()
    superuser(kept_up, "SELECT pg_wal_replay_pause()")
    try:
        assert seconds_until(lambda: asked() == HERE) <= 2 * replica.LARGEST_LAG_S
        wait_for(lambda: (replica.lag_seconds() or 0) >= replica.LARGEST_LAG_S - 1, what="the lag")
    finally:
        superuser(kept_up, "SELECT pg_wal_replay_resume()")
    seconds_until(lambda: asked() == THERE)


@pytest.mark.usefixtures("quick")
def test_a_replica_of_which_nothing_is_to_be_had_is_not_behind(kept_up: Standby) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_switch_wal()")
    time.sleep(5 * replica.MEASURED_EVERY_S)
    wait_for(lambda: is_near(3 * replica.MEASURED_EVERY_S), what="the replica to be near")


@pytest.mark.usefixtures("quick")
def test_a_replica_without_writes_is_not_behind(kept_up: Standby) -> None:
    def stays_near() -> bool:
        superuser(kept_up, "SELECT pg_wal_replay_pause()")
        try:
            time.sleep(5 * replica.MEASURED_EVERY_S)
            return is_near(3 * replica.MEASURED_EVERY_S)
        finally:
            superuser(kept_up, "SELECT pg_wal_replay_resume()")

    wait_for(stays_near, what="the replica to be near")


def test_a_replica_that_is_killed_fails_nothing_and_is_read_again_when_it_is_back(kept_up: Standby) -> None:
    kept_up.kill()
    kept_up.sweep()
    assert asked() == HERE
    assert replica.using() == "default"
    kept_up.start(within_s=STARTS_WITHIN_S)
    seconds_until(lambda: asked() == THERE)


def test_a_replica_that_hangs_is_not_asked_for_longer_than_five_seconds(kept_up: Standby) -> None:
    kept_up.freeze()
    try:
        assert seconds_until(lambda: replica.using() == "default") <= 2 * replica.LARGEST_LAG_S
    finally:
        kept_up.thaw()
    seconds_until(lambda: asked() == THERE)


def test_a_replica_that_follows_is_up_and_one_that_was_promoted_is_not(
    kept_up: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found().status == dependencies.OK
    # It answers, too, and follows nobody.
    monkeypatch.setitem(settings.DATABASES[replica.REPLICA], "PORT", settings.DATABASES["default"]["PORT"])
    monkeypatch.setitem(settings.DATABASES[replica.REPLICA], "HOST", settings.DATABASES["default"]["HOST"])
    assert (found().status, found().error) == (dependencies.DOWN, "it follows no other server")


def found() -> Found:
    watch = dependencies.Watch(within_s=LONG_S)
    try:
        return watch.look()[dependencies.REPLICA]
    finally:
        watch.close()


def test_what_belongs_together_is_asked_of_one_database(kept_up: Standby) -> None:
    with replica.decided("default"):
        assert asked() == HERE
    wait_for(lambda: asked() == THERE, what="the replica")


def test_who_has_just_changed_something_reads_what_he_wrote(kept_up: Standby) -> None:
    read: list[list[tuple[Any, ...]]] = []

    def page(request: HttpRequest) -> HttpResponse:
        read.append(asked())
        return HttpResponse("")

    def visit(method: str, **cookies: str) -> HttpResponse:
        request = HttpRequest()
        request.method, request.path_info = method, "/portal/"
        request.COOKIES.update(cookies)
        return OwnWrites(page)(request)

    def is_read_there() -> bool:
        assert not visit("GET").cookies
        return read[-1] == THERE

    wait_for(is_read_there, what="the replica")
    [cookie] = visit("POST").cookies.values()
    assert (cookie["max-age"], cookie["httponly"]) == (10, True)
    visit("GET", **{cookie.key: cookie.value})
    assert read[-2:] == [HERE, HERE]
