"""As many live connections as one machine is to hold, while unlocks are pushed to their players.

A process may have 20,000 sockets (`ulimit -n`), so several `live` processes and as many of clients, which come from
addresses of their own (127.0.0.2 and on): an address has 28,000 ports to call from.
"""

import math
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from bench.figures import Bench, Figure, latency_of
from bench.holding import Holder
from bench.load import Address, BadAnswer, at_rate
from bench.machine import available_kib, cpu_seconds, pss_kib
from bench.measures import costs
from bench.measures.singles import TARGET_PER_SECOND
from bench.world import pairs
from config import commands, var_dir
from config.children import BASE_DIR, HOST
from config.processes import Process, stop_all

MOST_OF_A_PROCESS = 19_000  # of 20,000 sockets: some are PostgreSQL's, Valkey's and files
_OPENED_PER_S = 300.0  # in all: a steady pace, as after a night; a rush is another measurement
_SETTLED_S = 5.0
_NEW = {202}
_GIB = 2**20  # KiB


def measure(bench: Bench) -> Iterator[Figure]:
    """Open them all, look at what they cost while nothing is said, then unlock at the target rate."""
    count = bench.plan.connections
    many = math.ceil(count / MOST_OF_A_PROCESS)
    tokens = bench.platform.tokens(count)
    of = f"{count:,} live connections"
    with _lives(bench, many) as lives, ExitStack() as stack:
        held_before, left_before = _held(lives), available_kib()
        began = time.perf_counter()
        holders = []
        for number, (_, address) in enumerate(lives):
            holder = Holder(
                address,
                tokens[number::many],
                source=f"127.0.0.{number + 2}",
                per_second=_OPENED_PER_S / many,
            )
            stack.callback(holder.give_up)
            holders.append(holder)
        for holder in holders:
            holder.wait_until_open()
        yield Figure(f"{of}: opened", count / (time.perf_counter() - began), "connections/s")
        time.sleep(_SETTLED_S)
        each = (_held(lives) - held_before) / count
        yield Figure(f"{of}: memory of live for each", each, "KiB", bar="< 26 KiB")
        each = (left_before - available_kib()) / count
        yield Figure(f"{of}: memory of the machine for each, kernel and clients included", each, "KiB")
        yield from _at_rest(bench, lives, of)
        yield from _told(bench, holders, lives, of)
    bench.platform.require_all_alive()


@contextmanager
def _lives(bench: Bench, many: int) -> Iterator[list[tuple[Process, Address]]]:
    """Run so many `live` processes beside the platform's own."""
    place, env = bench.platform.place, bench.platform.env
    lives = []
    for number in range(many):
        port = var_dir.free_ports()
        name = f"live-{number + 1}"
        process = Process(
            name,
            [sys.executable, "-m", *commands.live(host=HOST, port=port)],
            var_dir=place.folder,
            env={**env, "LAUREL_PROCESS": f"laurel-{name}"},
            folder=BASE_DIR,
            ready=partial(_answers, port),
        )
        lives.append((process, (HOST, port)))
    try:
        for process, _ in lives:
            process.start()
        yield lives
        for process, _ in lives:
            if not process.alive:
                raise BadAnswer(f"{process.name} {process.how_it_ended()}; {process.last_words()}.")
    finally:
        stop_all(process for process, _ in lives)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/livez", timeout=1.0) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _held(lives: Sequence[tuple[Process, Address]]) -> float:
    return sum(pss_kib(process.pid) for process, _ in lives)


def _spent(lives: Sequence[tuple[Process, Address]]) -> float:
    return sum(cpu_seconds(process.pid) for process, _ in lives)


def _at_rest(bench: Bench, lives: Sequence[tuple[Process, Address]], of: str) -> Iterator[Figure]:
    """Nothing is said but pings and pongs."""
    seconds = min(60.0, bench.plan.crowd_seconds)
    before = _spent(lives)
    time.sleep(seconds)
    used = (_spent(lives) - before) / seconds
    yield Figure(f"{of}: CPU of live, nothing said", used, "cores")
    each = used * 1e6 / bench.plan.connections
    yield Figure("cost of a live connection, nothing said: CPU a second", each, "µs")


def _told(
    bench: Bench, holders: Sequence[Holder], lives: Sequence[tuple[Process, Address]], of: str
) -> Iterator[Figure]:
    """Unlock at the target rate, by players all over the connections; each is told, once."""
    platform, seconds = bench.platform, bench.plan.crowd_seconds
    number = int(seconds * TARGET_PER_SECOND)
    wanted = list(islice(pairs(bench.plan.connections), number))
    requests = [platform.requests.unlock(name, key) for name, key in wanted]
    due: dict[tuple[str, str], float] = {}
    everybody = [*costs.processes(bench).values(), *(process.pid for process, _ in lives)]
    callers = [holder.pid for holder in holders]
    before, all_before = _spent(lives), sum(map(cpu_seconds, everybody))
    callers_before = sum(map(cpu_seconds, callers))
    run = at_rate(
        platform.web,
        requests,
        per_second=TARGET_PER_SECOND,
        expected=_NEW,
        sent=lambda place, at: due.__setitem__(wanted[place], at),
    )
    platform.wait_for_followers()
    time.sleep(_SETTLED_S)
    used = (_spent(lives) - before) / run.seconds
    all_used = (sum(map(cpu_seconds, everybody)) - all_before) / run.seconds
    callers_used = (sum(map(cpu_seconds, callers)) - callers_before) / run.seconds
    held_in_all = (_held(lives) + sum(pss_kib(pid) for pid in costs.processes(bench).values())) / _GIB
    clients = sum(pss_kib(holder.pid) for holder in holders) / _GIB
    waits = _waits(holders, due)
    latency = latency_of([waits])
    yield Figure(
        f"{of}: unlock to its page at {TARGET_PER_SECOND}/s",
        run.per_second,
        "unlocks/s",
        latency=latency,
        bar="p95 < 150, p99 < 500 ms",
        generator_us=run.generator_us,
    )
    yield Figure(f"{of}: CPU of live", used, "cores")
    yield Figure(f"{of}: CPU of all processes", all_used, "cores")
    yield Figure(f"{of}: CPU of the clients", callers_used, "cores")
    yield Figure(f"{of}: memory of all processes", held_in_all, "GiB", bar="< 24 GiB")
    yield Figure(f"{of}: memory of the clients", clients, "GiB")
    yield Figure(f"{of}: kernel's memory of sockets", _kernel_kib() / _GIB, "GiB")


def _waits(holders: Sequence[Holder], due: dict[tuple[str, str], float]) -> list[float]:
    """Return how long each unlock took to its page, in milliseconds. Raises BadAnswer when one came not, or twice."""
    arrived: dict[tuple[str, str], float] = {}
    for number, holder in enumerate(holders):
        for one in holder.close():
            unlock = (f"player-{number + one.page * len(holders)}", one.achievement)
            if unlock not in due or unlock in arrived:
                raise BadAnswer(f"A page was told of {unlock}, which was not its to hear, or twice.")
            arrived[unlock] = one.at
    if missing := due.keys() - arrived.keys():
        raise BadAnswer(
            f"Of {len(due)} unlocks {len(missing)} came to no page, such as {sorted(missing)[:3]}."
        )
    return [(arrived[unlock] - at) * 1e3 for unlock, at in due.items()]


def _kernel_kib() -> float:
    """Return what the kernel says that it holds for TCP, both ends of each connection."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            return float(line.split()[-1]) * 4
    return 0.0
