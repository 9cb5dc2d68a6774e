"""Token buckets over a real Valkey: exact for who comes rarely, cheap for who comes often, local while it is away."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings

from config.children import BASE_DIR
from config.embedded import Servers
from core import rates
from core.rates import Rate, take
from core.redis import client
from tests.patience import LONG_S, valkey_frozen

SLOW = Rate("slow", 1 / 60, 20)
FAST = Rate("fast", 2_000.0, 1_000)


def _spend(rate: Rate, caller: str, times: int) -> int:
    return sum(take(rate, caller).allowed for _ in range(times))


def test_a_burst_is_let_through_and_nothing_more() -> None:
    assert _spend(SLOW, "a", 50) == 20
    refused = take(SLOW, "a")
    assert not refused.allowed
    assert 0 < refused.wait_s <= 60.0


def test_callers_and_limits_do_not_share_tokens() -> None:
    _spend(SLOW, "a", 20)
    assert take(SLOW, "b").allowed
    assert take(SLOW._replace(name="other"), "a").allowed


def test_another_process_sees_what_was_spent_here() -> None:
    _spend(SLOW, "a", 15)
    rates.forget()  # as a process that knows nothing of it
    assert _spend(SLOW, "a", 20) == 5


def test_tokens_come_back_with_time() -> None:
    quick = Rate("quick", 0.5, 2)
    while (standing := take(quick, "a")).allowed:
        pass
    time.sleep(standing.wait_s + 0.01)
    assert take(quick, "a").allowed


def test_who_is_refused_many_at_once_may_still_do_one() -> None:
    assert take(SLOW, "a", 15).allowed
    assert not take(SLOW, "a", 10).allowed
    assert take(SLOW, "a", 5).allowed


def test_what_costs_more_than_a_bucket_takes_all_of_it() -> None:
    assert take(SLOW, "a", 1_000).allowed
    assert not take(SLOW, "a").allowed


@pytest.mark.slow
def test_who_comes_often_does_not_ask_valkey_each_time() -> None:
    take(FAST, "a")
    before = _calls()
    began = time.monotonic()
    while time.monotonic() - began < 1.0:
        take(FAST, "a")
        time.sleep(0.0007)
    assert 0 < _calls() - before < 60


def test_while_one_asks_for_more_the_others_take_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, ask, asks = Rate("busy", 1e6, 1_000_000), rates._ask, []
    asked, go_on = threading.Event(), threading.Event()
    take(busy, "a", 500_000)
    take(busy, "a")
    ahead = int(rates._held[busy, "a"].ahead)  # thousands, however long this machine stalls in between

    def slowly(*args: Any, **named: Any) -> Any:
        asks.append(named)
        asked.set()
        assert go_on.wait(LONG_S)
        return ask(*args, **named)

    monkeypatch.setattr(rates, "_ask", slowly)
    leader = threading.Thread(target=take, args=(busy, "a", ahead - ahead // 5))
    leader.start()
    assert asked.wait(LONG_S)
    assert _spend(busy, "a", 100) == 100
    go_on.set()
    leader.join()
    assert _spend(busy, "a", 100) == 100
    assert len(asks) == 1


def test_less_than_nothing_is_never_taken_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, ask, asks = Rate("crowded", 1e6, 1_000_000), rates._ask, []
    asked, go_on = threading.Event(), threading.Event()

    def slowly(*args: Any, ahead: float, **named: Any) -> Any:
        asks.append(ahead)
        if ahead:
            asked.set()
            assert go_on.wait(LONG_S)
        return ask(*args, ahead=ahead, **named)

    take(busy, "a", 500_000)
    take(busy, "a")
    ahead = int(rates._held[busy, "a"].ahead)
    monkeypatch.setattr(rates, "_ask", slowly)
    leader = threading.Thread(target=take, args=(busy, "a", ahead - ahead // 5))
    leader.start()
    assert asked.wait(LONG_S)
    assert take(busy, "a", ahead // 5 + 1).allowed  # more than was left
    go_on.set()
    leader.join()
    take(busy, "a", int(rates._held[busy, "a"].ahead))
    assert len(asks) == 3
    assert min(asks) >= 0


def test_an_attacker_who_is_refused_costs_valkey_nothing() -> None:
    _spend(SLOW, "a", 21)
    before = _calls()
    assert _spend(SLOW, "a", 1_000) == 0
    assert _calls() == before


def _calls() -> int:
    told = client("limits").info("commandstats")
    return int(told.get("cmdstat_evalsha", {}).get("calls", 0))


def test_threads_together_get_no_more_than_there_is() -> None:
    rate, allowed = Rate("together", 0.001, 200), []

    def run() -> None:
        allowed.append(_spend(rate, "a", 100))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 200


# They begin together, and each goes on until it has got some.
_PROCESS = """
import time
import django
django.setup()
from tests import patience
patience.wait_long()
from core.rates import Rate, take
rate, allowed = Rate("across", 500.0, 500), 0
print("ready", flush=True)
input()
until = time.time() + 4
while time.time() < until or allowed < 100:
    allowed += take(rate, "a").allowed
print(allowed)
"""


@pytest.mark.slow
def test_processes_together_get_the_quota_and_at_most_a_twentieth_more() -> None:
    env, pipe = os.environ | {"PYTHONPATH": str(BASE_DIR)}, subprocess.PIPE
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS], env=env, cwd=BASE_DIR, stdin=pipe, stdout=pipe, text=True
        )
        for _ in range(8)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    began = time.time()
    for process in running:
        assert process.stdin is not None
        print(file=process.stdin, flush=True)
    allowed = sum(int(process.communicate()[0]) for process in running)
    lasted = time.time() - began
    assert 500 < allowed <= (500 + 500 * lasted) * 1.05


@pytest.fixture
def frozen(servers: Servers) -> Iterator[None]:
    """Freeze Valkey."""
    take(SLOW, "warm")
    with valkey_frozen(servers):
        yield


def test_a_local_bucket_takes_over_while_valkey_is_frozen(frozen: None) -> None:
    share = settings.WEB_PROCESSES
    assert _spend(SLOW, "a", 50) == 20 // share
    standing = take(SLOW, "a")
    assert not standing.allowed
    assert 60.0 * (share - 0.5) < standing.wait_s <= 60.0 * share


def test_headers_are_structured_fields_that_say_what_is_left() -> None:
    standing = take(SLOW, "a", 5)
    assert standing.headers == {"RateLimit-Policy": '"slow";q=1;w=60', "RateLimit": '"slow";r=15;t=300'}
    assert take(SLOW, "a", 15).headers["RateLimit"] in {f'"slow";r=0;t={left}' for left in range(1140, 1201)}
    assert 1 <= int(take(SLOW, "a").headers["Retry-After"]) <= 60
    with pytest.raises(redis.ResponseError):
        client("limits").hgetall("core:v1:bucket:slow:a")  # a string with an end
    assert 0 < int(client("limits").ttl("core:v1:bucket:slow:a")) <= 1_202
