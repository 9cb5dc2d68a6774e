"""What one of each costs: CPU of every process for as long as it takes until all that follows is done, and bytes.

Unlike a rate at saturation this does not say how busy the machine was otherwise. docs/capacity.md is reckoned from it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle, islice
from statistics import median

from bench.figures import Bench, Figure
from bench.load import in_turn, saturate
from bench.machine import cpu_seconds
from bench.world import BATCH, player

SINGLE = "cost of an unlock, one a request"
BATCHED = "cost of an unlock, in batches of 100"
_ACCEPTED, _OK = {202}, {200}
_CONNECTIONS = 4  # enough to keep it busy, and too few to have requests share much
_READS = 4_000
_SINGLES_A_SECOND, _BATCHES_A_SECOND = 500, 25  # of the plan's seconds: so many are sent


def measure(bench: Bench) -> Iterator[Figure]:
    """Send a number of each and divide."""
    requests = bench.platform.requests
    singles = int(bench.plan.seconds * _SINGLES_A_SECOND) * 2
    yield from _of(bench, SINGLE, requests.single, count=singles, each=1)
    batches = int(bench.plan.seconds * _BATCHES_A_SECOND) * 2
    yield from _of(bench, BATCHED, requests.batch, count=batches, each=BATCH)
    board = f"/api/v1/leaderboards/{bench.platform.world.game}"
    reads = {
        "a board's top page, no key": [requests.get(board, keyed=False)],
        "a board's top page, by key": [requests.get(board, keyed=True)],
        "a dashboard, kept": [
            requests.get(f"/api/v1/players/{player(number)}/dashboard", keyed=True) for number in range(50)
        ],
    }
    for name, asked in reads.items():
        yield _read(bench, name, asked)


def _of(bench: Bench, name: str, make: Callable[[], bytes], *, count: int, each: int) -> Iterator[Figure]:
    """Send so many requests, and let all that follows be done, once for each repetition."""
    microseconds: dict[str, list[float]] = {}
    stored, logged = [], []
    for _ in range(bench.plan.repetitions):
        requests = [make() for _ in range(count)]
        with _spent(bench) as spent, _written(bench) as written:
            saturate(
                bench.platform.web, in_turn(iter(requests)), connections=_CONNECTIONS, expected=_ACCEPTED
            )
            bench.platform.wait_for_followers()
        for process, seconds in spent.items():
            microseconds.setdefault(process, []).append(seconds * 1e6 / count / each)
        stored.append(written["stored"] / count / each)
        logged.append(written["logged"] / count / each)
    sums = [sum(parts) for parts in zip(*microseconds.values(), strict=True)]
    yield _figure(f"{name}: CPU", sums, "µs")
    for process, values in sorted(microseconds.items()):
        yield _figure(f"{name}: CPU of {process}", values, "µs")
    yield _figure(f"{name}: bytes in PostgreSQL", stored, "bytes")
    yield _figure(f"{name}: bytes of its log (WAL)", logged, "bytes")


def _read(bench: Bench, name: str, asked: list[bytes]) -> Figure:
    saturate(bench.platform.web, in_turn(iter(asked)), connections=1, expected=_OK)
    values = []
    for _ in range(bench.plan.repetitions):
        with _spent(bench) as spent:
            turns = islice(cycle(asked), _READS)
            saturate(bench.platform.web, in_turn(turns), connections=_CONNECTIONS, expected=_OK)
        values.append(sum(spent.values()) * 1e6 / _READS)
    return _figure(f"cost of {name}: CPU", values, "µs")


def processes(bench: Bench) -> Mapping[str, int]:
    """Return the processes of the platform, servers included, with their numbers."""
    servers = bench.platform.servers
    listed = [*bench.platform.processes, servers.postgres, servers.valkey]
    return {process.name: process.pid for process in listed}


@contextmanager
def _spent(bench: Bench) -> Iterator[dict[str, float]]:
    """Give what each process used of the CPU meanwhile, once it is over."""
    bench.platform.wait_for_followers()
    before = {name: cpu_seconds(pid) for name, pid in processes(bench).items()}
    spent: dict[str, float] = {}
    yield spent
    spent |= {name: cpu_seconds(pid) - before[name] for name, pid in processes(bench).items()}


@contextmanager
def _written(bench: Bench) -> Iterator[dict[str, float]]:
    """Give by how much the database grew meanwhile, and how much log was written."""
    sql = "SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
    written: dict[str, float] = {}
    with bench.platform.connect() as connection:
        before = connection.execute(sql).fetchone()
        yield written
        after = connection.execute(sql).fetchone()
    assert before is not None
    assert after is not None
    written |= {"stored": float(after[0] - before[0]), "logged": float(after[1] - before[1])}


def _figure(name: str, values: list[float], unit: str) -> Figure:
    return Figure(name, median(values), unit, min(values), max(values))
