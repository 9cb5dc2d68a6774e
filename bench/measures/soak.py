"""Twice the target for an hour: memory that stays flat, followers that keep up, and no answer but the expected ones."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from statistics import median
from typing import Final

from bench.figures import Bench, Figure, latency_of
from bench.load import at_rate, in_turn, percentile, saturate
from bench.machine import pss_kib
from bench.measures import costs
from bench.measures.board import gets
from bench.measures.singles import TARGET_PER_SECOND
from bench.world import BATCH, player

TIMES: Final = 2
_SAMPLE_S: Final = 10
_SINGLES_PER_S: Final = TIMES * TARGET_PER_SECOND - BATCH  # and one batch
_READS_PER_S: Final = 16
_LOOKED_AT: Final = 200  # players
_PER_SECOND: Final = _SINGLES_PER_S + 1 + _READS_PER_S
_STORED, _READ = {202}, {200}
_NOT_EXPECTED: Final = {400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504}
_WARM: Final = 0.1  # of the time: caches fill, pools open
_FLAT: Final = 1.05
# They hold data: PostgreSQL's cache fills up to what it is given, boards and logs of appends grow with what is stored.
_SERVERS: Final = ("postgres", "valkey")
_MIB = 1024


@dataclass
class _Samples:
    """What was seen every ten seconds."""

    kib: dict[str, list[float]] = field(default_factory=dict)
    behind: list[tuple[int, float]] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    others: Counter[int] = field(default_factory=Counter)


def measure(bench: Bench) -> Iterator[Figure]:
    """Unlock, one a request and in batches, look at boards, dashboards and pages, for as long as is planned."""
    _let_in(bench)
    samples = _watched(bench)
    minutes = bench.plan.soak_seconds / 60
    of = f"soak of {minutes:.0f} minutes at {TIMES * TARGET_PER_SECOND} unlocks/s"
    yield Figure(
        f"{of}: answers", len(samples.latencies_ms), "answers", latency=latency_of([samples.latencies_ms])
    )
    yield Figure(f"{of}: answers that nobody expects", sum(samples.others.values()), "answers", bar="≤ 0")
    if samples.others:
        print(f"  {dict(samples.others)}", flush=True)
    for name, values in samples.kib.items():
        yield Figure(f"{of}: memory of {name}", _thirds(values)[1] / _MIB, "MiB")
        bar = "" if name in _SERVERS else f"≤ {_FLAT}"
        yield Figure(f"{of}: memory of {name}, last third of first", grown(values), "×", bar=bar)
    seconds = [one for _, one in samples.behind]
    yield Figure(f"{of}: last follower behind, p95", percentile(seconds, 95), "s")
    yield Figure(f"{of}: last follower behind, most", max(seconds), "s", bar="< 10 s")
    bench.platform.wait_for_followers()
    bench.platform.manage("verify")
    bench.platform.require_all_alive()


def grown(values: Sequence[float]) -> float:
    """Return the median of the last third as a multiple of that of the first, without the time of warming up."""
    first, last = _thirds(values)
    return last / first


def _thirds(values: Sequence[float]) -> tuple[float, float]:
    kept = values[int(len(values) * _WARM) :]
    third = max(1, len(kept) // 3)
    return median(kept[:third]), median(kept[-third:])


def _let_in(bench: Bench) -> None:
    """Let those who are looked at have something to show."""
    batches = [bench.platform.requests.earlier(start) for start in range(0, _LOOKED_AT, BATCH)]
    saturate(bench.platform.web, in_turn(iter(batches)), connections=1, expected=_STORED)
    bench.platform.wait_for_followers()


def _watched(bench: Bench) -> _Samples:
    samples, reads = _Samples(), cycle(_reads(bench))
    until = time.monotonic() + bench.plan.soak_seconds
    pids: Mapping[str, int] = costs.processes(bench)
    with bench.platform.connect() as connection:
        while time.monotonic() < until:
            run = at_rate(
                bench.platform.web,
                _requests(bench, reads),
                per_second=_PER_SECOND,
                expected=_STORED | _READ,
                uncounted=_NOT_EXPECTED,
            )
            samples.latencies_ms += run.latencies_ms
            samples.others += run.others
            samples.behind.append(bench.platform.behind(connection))
            for name, pid in pids.items():
                samples.kib.setdefault(name, []).append(pss_kib(pid))
            bench.platform.require_all_alive()
    return samples


def _requests(bench: Bench, reads: Iterator[bytes]) -> list[bytes]:
    """Return what is sent in the time between two samples: in each second a batch, and reads among the unlocks."""
    requests, made = bench.platform.requests, []
    every = _SINGLES_PER_S // _READS_PER_S
    for _ in range(_SAMPLE_S):
        made.append(requests.batch())
        left = _READS_PER_S
        for number in range(_SINGLES_PER_S):
            made.append(requests.single())
            if left and number % every == 0:
                made.append(next(reads))
                left -= 1
    return made


def _reads(bench: Bench) -> list[bytes]:
    """Return looks at boards, at dashboards and at pages, in turn."""
    world, requests = bench.platform.world, bench.platform.requests
    board = f"/api/v1/leaderboards/{world.game}"
    names = [player(number) for number in range(_LOOKED_AT)]
    boards = gets(requests, (f"{board}?offset={place}" for place in range(_LOOKED_AT)))
    ranks = gets(requests, (f"{board}/points/players/{name}" for name in names))
    dashboards = gets(requests, (f"/api/v1/players/{name}/dashboard" for name in names))
    pages = [requests.visit(f"/games/{world.game}")] * len(names)
    return [one for four in zip(boards, ranks, dashboards, pages, strict=True) for one in four]
