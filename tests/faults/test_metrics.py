"""What operators see of the whole platform, also while a part of it hangs."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from config import proctable
from config.processes import Process
from tests.faults import FULL
from tests.patience import SHIPPED
from tests.platform import Platform, wait_for

pytestmark = pytest.mark.alone
NAMES = ("web", "live", "worker", "relay", "send_webhooks", "beat")
READY_WITHIN_S = SHIPPED["core.dependencies.WITHIN_S"] + 2.0  # on a machine that stalls
SEEN_WITHIN_S = 60.0
DOWN = {
    "postgres": ("postgresql",),
    "valkey": ("broker", "valkey_boards", "valkey_cache", "valkey_limits", "valkey_live"),
}


def ask(port: int, path: str) -> tuple[int, bytes, float]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    began = time.monotonic()
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(), time.monotonic() - began
    finally:
        connection.close()


def metrics(process: Process) -> dict[tuple[str, ...], float]:
    assert process.env is not None
    status, body, _ = ask(int(process.env["METRICS_PORT"]), "/metrics")
    assert status == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def handed_over_at(platform: Platform) -> list[float]:
    """Return when each process of web told the others last what it had counted."""
    return [file.stat().st_mtime for file in (platform.place.folder / "metrics").glob("*-*.json")]


def readyz(platform: Platform) -> tuple[int, dict[str, Any], float]:
    status, body, seconds = ask(platform.place.port, "/readyz")
    return status, orjson.loads(body), seconds


def answers(platform: Platform) -> bool:
    """Say whether somebody is there already."""
    try:
        return readyz(platform)[0] == HTTPStatus.OK
    except (OSError, HTTPException):
        return False


@contextmanager
def frozen(process: Process) -> Iterator[None]:
    process.freeze()
    try:
        yield
    finally:
        process.thaw()


def test_each_process_says_what_it_is_and_that_it_lives(platform: Platform) -> None:
    platform.client().unlock_until_stored("of-metrics", "a1")
    told = {name: metrics(platform.process(name)) for name in NAMES}
    for name, found in told.items():
        assert ("laurel_build_info", f"laurel-{name}", "0.1.0") in found, name
    wait_for(
        lambda: metrics(platform.process("web")).get(("laurel_unlocks_total", "stored"), 0) >= 1,
        what="unlocks",
    )
    wait_for(
        lambda: ("laurel_dependency_up", "postgresql") in metrics(platform.process("relay")), what="a look"
    )
    tick = metrics(platform.process("beat"))["laurel_beat_last_tick_timestamp_seconds",]
    assert abs(time.time() - tick) < SEEN_WITHIN_S
    assert "laurel_beat_last_tick_timestamp_seconds" not in {name for name, *_ in told["worker"]}
    wait_for(lambda: "All is well." in platform.try_to_manage("status").stdout, what="all to be well")


def test_a_killed_process_of_web_takes_no_counts_with_it(platform: Platform) -> None:
    client = platform.client()
    for number in range(20):
        client.unlock_until_stored(f"counted-{number}", "a2")
    web = platform.process("web")

    def stored() -> float:
        return metrics(web)["laurel_unlocks_total", "stored"]

    until = time.time()
    stored()  # of whoever is gone there is no file any more
    wait_for(lambda: min(handed_over_at(platform)) > until, what="each to hand over")
    before = stored()
    assert before >= 20
    workers = proctable.descendants(web.pid)
    proctable.signal_all(workers, signal.SIGKILL)
    wait_for(lambda: bool(set(proctable.descendants(web.pid)) - set(workers)), what="web to start anew")
    wait_for(lambda: answers(platform), what="web")
    assert stored() == before
    client.unlock_until_stored("counted-after", "a2")
    wait_for(lambda: stored() == before + 1, what="one more")


@pytest.mark.parametrize("name", ["postgres", *(["valkey"] if FULL else [])])
def test_who_is_frozen_is_named_in_time_and_well_again_afterwards(platform: Platform, name: str) -> None:
    for _ in range(16):
        readyz(platform)  # by each process of web: the first time it connects
    with frozen(platform.process(name)):
        time.sleep(1.1)
        asked = [readyz(platform) for _ in range(4)]
        if FULL:
            wait_for(lambda: told_by_relay(platform, name) == 0, what="the relay", within_s=SEEN_WITHIN_S)
            assert f"{DOWN[name][0]} is down: " in platform.try_to_manage("status").stdout
    assert {status for status, _, _ in asked} == {503 if name == "postgres" else 200}
    # One may meet a machine that stalls.
    assert sorted(seconds for _, _, seconds in asked)[-2] < READY_WITHIN_S
    assert all(down(body) >= set(DOWN[name]) for _, body, _ in asked)
    assert any(down(body) == set(DOWN[name]) for _, body, _ in asked)
    wait_for(lambda: readyz(platform)[1]["status"] == "ok", what="all to be ready", within_s=SEEN_WITHIN_S)
    if FULL:
        wait_for(lambda: told_by_relay(platform, name) == 1, what="the relay", within_s=SEEN_WITHIN_S)


def down(body: dict[str, Any]) -> set[str]:
    return {name for name, check in body["checks"].items() if check["status"] != "ok"}


def told_by_relay(platform: Platform, name: str) -> float:
    return metrics(platform.process("relay"))["laurel_dependency_up", DOWN[name][0]]
