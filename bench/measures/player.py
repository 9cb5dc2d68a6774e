"""The player site: somebody's own page with two years behind him, and a game's page for whoever is not signed in."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count, cycle

import orjson

from bench.figures import Bench, Figure, latency_of
from bench.load import at_rate, in_turn, saturate
from bench.measures import limits
from bench.measures.board import asked
from bench.measures.history import add_veterans
from bench.onlooker import Seen, looking, watch
from bench.world import achievement, veteran
from config.children import BASE_DIR

_PER_SECOND = 10
_PAUSE_S = 0.5
_OK = {200}


def measure(bench: Bench) -> Iterator[Figure]:
    """Look at own pages, watch one while its player unlocks, then look at a page that is the same for all."""
    add_veterans(bench)
    command = [sys.executable, "-m", "bench.guests", str(bench.plan.veterans)]
    run = subprocess.run(
        command, env=bench.platform.env, cwd=BASE_DIR, check=True, stdout=subprocess.PIPE, text=True
    )
    cookies: list[str] = orjson.loads(run.stdout.splitlines()[-1])
    yield _home(bench, cookies)
    yield from _watched(bench, cookies[0])
    look = bench.platform.requests.visit(f"/games/{bench.platform.world.game}")
    yield asked(bench, "player site: anonymous game page, kept", [look], limits.ZRANGE, bar="≥ 2,000/s")


def _home(bench: Bench, cookies: Sequence[str]) -> Figure:
    looks = [bench.platform.requests.visit("/me/", cookie=cookie) for cookie in cookies]
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


def _watched(bench: Bench, cookie: str) -> Iterator[Figure]:
    """Unlock one thing after the other while a browser has the page open."""
    web, game, numbers = bench.platform.web, bench.platform.world.game, count()
    with looking("http://{}:{}".format(*web), cookie) as page:
        if page is None:
            print("  There is no Chromium on this machine: no page is watched.", flush=True)
            return

        def unlock() -> None:
            request = bench.platform.requests.unlock(veteran(0), achievement(next(numbers)))
            saturate(web, in_turn(iter([request])), connections=1, expected={202})

        seen: list[list[Seen]] = []
        for _ in range(bench.plan.repetitions):
            bench.platform.wait_for_followers()
            seen.append([])
            for _ in range(bench.plan.watched_unlocks):
                time.sleep(_PAUSE_S)
                seen[-1].append(watch(page, game, unlock))
    for name in Seen._fields:
        latency = latency_of([[getattr(one, name) for one in run] for run in seen])
        said = {"toast": "a toast", "totals": "the totals", "rank": "the game's rank"}[name]
        yield Figure(
            f"player site: unlock to {said} on the open page, in Chromium",
            latency.p50,
            "ms",
            latency=latency,
            bar="p95 < 1,000 ms",
        )
