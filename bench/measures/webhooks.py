"""Webhooks to a local sink, with one endpoint in ten that never answers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from bench import sink
from bench.asking import ask
from bench.figures import Bench, Figure, latency_of
from bench.load import BadAnswer, at_rate, in_turn, saturate
from bench.platform import Platform
from bench.sink import Sink
from bench.world import BATCH

ENDPOINTS = 10  # of which the last never answers
PER_SECOND = 1_000
_IN_A_REQUEST = 10  # unlocks; each is a message to every endpoint
_ACCEPTED = {202}
_PATIENCE_S = 120.0
_POLL_S = 0.05


@dataclass(frozen=True)
class _Repetition:
    per_second: float
    late_ms: list[float]


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure first attempts at PER_SECOND messages, then how many a second go out when many wait."""
    with sink.running(bench.platform.sink_port) as receiver, _subscribed(bench.platform, receiver):
        steady = [_steady(bench, receiver) for _ in range(bench.plan.repetitions)]
        flood = [_flood(bench, receiver) for _ in range(bench.plan.repetitions)]
    rates = [one.per_second for one in steady]
    yield Figure(
        f"webhooks at {PER_SECOND:,}/s to {ENDPOINTS} endpoints, one hanging",
        median(rates),
        "webhooks/s",
        min(rates),
        max(rates),
        latency=latency_of([one.late_ms for one in steady]),
        bar="first attempts p95 < 5,000 ms",
    )
    rates = [one.per_second for one in flood]
    yield Figure(
        "webhooks, as many as go out", median(rates), "webhooks/s", min(rates), max(rates), bar="≥ 1,000/s"
    )


def _steady(bench: Bench, receiver: Sink) -> _Repetition:
    """Unlock at a rate; a message is late by the time from its fact to the receiver's reading of it."""
    requests_per_second = PER_SECOND / ENDPOINTS / _IN_A_REQUEST
    number = int(bench.plan.rate_seconds * requests_per_second)
    requests = [bench.platform.requests.batch(_IN_A_REQUEST) for _ in range(number)]
    bench.platform.wait_for_followers()
    receiver.taken()
    began = time.monotonic()
    at_rate(bench.platform.web, requests, per_second=requests_per_second, expected=_ACCEPTED)
    return _answered(bench, receiver, number * _IN_A_REQUEST, began=began)


def _flood(bench: Bench, receiver: Sink) -> _Repetition:
    """Unlock as fast as it goes, until all that follows is delivered."""
    unlocks = bench.plan.unlocks_in_batches // ENDPOINTS
    requests = [bench.platform.requests.batch() for _ in range(unlocks // BATCH)]
    bench.platform.wait_for_followers()
    receiver.taken()
    began = time.monotonic()
    saturate(bench.platform.web, in_turn(iter(requests)), connections=2, expected=_ACCEPTED)
    return _answered(bench, receiver, len(requests) * BATCH, began=began)


def _answered(bench: Bench, receiver: Sink, unlocks: int, *, began: float) -> _Repetition:
    """Wait until every endpoint that answers has every message, once. Raises BadAnswer."""
    due = unlocks * (ENDPOINTS - 1)
    deadline = time.monotonic() + _PATIENCE_S
    while (count := receiver.count()) < due:
        if time.monotonic() > deadline:
            raise BadAnswer(f"Of {due} webhooks {count} were delivered within {_PATIENCE_S:.0f} s.")
        time.sleep(_POLL_S)
    bench.platform.require_all_alive()
    taken = receiver.taken()
    if len(taken.late_ms) != due:
        raise BadAnswer(f"{len(taken.late_ms)} webhooks came, {due} were due.")
    return _Repetition(due / (taken.last_at - began), taken.late_ms)


@contextmanager
def _subscribed(platform: Platform, receiver: Sink) -> Iterator[None]:
    """Let the sink hear of unlocks, by ENDPOINTS webhooks."""
    urls = [f"http://127.0.0.1:{receiver.port}/{number}" for number in range(ENDPOINTS - 1)]
    urls.append(f"http://127.0.0.1:{receiver.port}/hang")
    ids = [
        ask(platform, "POST", "/api/v1/webhooks", {"url": url, "events": ["achievement.unlocked"]})["id"]
        for url in urls
    ]
    time.sleep(2.0)  # until the sender knows of them
    yield
    for webhook in ids:
        ask(platform, "DELETE", f"/api/v1/webhooks/{webhook}")
