"""The player site: somebody's own page with two years behind him, and a game's page for whoever is not signed in."""

import http.client
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle

import orjson

from bench.figures import Bench, Figure, latency_of
from bench.load import at_rate, in_turn, saturate
from bench.measures import limits
from bench.measures.board import asked
from bench.measures.history import add_veterans
from config.children import BASE_DIR

_PER_SECOND = 10
_OK = {200}


def measure(bench: Bench) -> Iterator[Figure]:
    """Look at own pages, then at a page that is the same for all."""
    add_veterans(bench)
    yield _home(bench)
    yield from _game(bench)


def _home(bench: Bench) -> Figure:
    command = [sys.executable, "-m", "bench.guests", str(bench.plan.veterans)]
    run = subprocess.run(
        command, env=bench.platform.env, cwd=BASE_DIR, check=True, stdout=subprocess.PIPE, text=True
    )
    looks = [
        bench.platform.requests.visit("/me/", cookie=cookie)
        for cookie in orjson.loads(run.stdout.splitlines()[-1])
    ]
    web, turns = bench.platform.web, cycle(looks)
    saturate(web, in_turn(iter(looks)), connections=1, expected=_OK)  # is not counted
    number = int(bench.plan.rate_seconds * _PER_SECOND)
    runs = bench.repeat(
        lambda: at_rate(
            web, [next(turns) for _ in range(number)], per_second=_PER_SECOND, expected=_OK, connections=4
        )
    )
    latency = latency_of([run.latencies_ms for run in runs])
    name = "player site: signed-in home page (50 games, 10,000 unlocks)"
    return Figure(name, latency.p50, "ms", latency=latency, bar="p95 < 60 ms")


def _game(bench: Bench) -> Iterator[Figure]:
    """Look at the game's page, if there is such a page."""
    path = f"/games/{bench.platform.world.game}"
    line = http.client.HTTPConnection(*bench.platform.web, timeout=30)
    line.request("GET", path)
    status = line.getresponse().status
    line.close()
    if status != http.client.OK:
        print(f"  {path} answers {status}: the anonymous game page is not measured.", flush=True)
        return
    look = bench.platform.requests.get(path, keyed=False)
    yield asked(bench, "player site: anonymous game page, kept", [look], limits.ZRANGE, bar="p95 < 20 ms")
