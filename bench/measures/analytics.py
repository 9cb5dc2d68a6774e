"""What a studio looks at of a game with a long past, and what it takes to count all of that anew."""

import subprocess
import sys
import time
from collections.abc import Iterator

import redis

from bench.figures import Bench, Figure, latency_of
from bench.load import BadAnswer, at_rate
from bench.world import achievement
from config.children import BASE_DIR

_PER_SECOND = 10
_OK = {200}
_BAR = "p95 < 300 ms"
_STEPS = (0, 20, 60, 120, 190)  # of the funnel, by how far into the game they are


def measure(bench: Bench) -> Iterator[Figure]:
    """Fill two years of a game, count them, and look at every figure."""
    game = _add_game(bench)
    unlocks, of = _unlocks(bench), f"of {bench.plan.audience_unlocks:,} unlocks"
    print(f"  {unlocks:,} unlocks.", flush=True)
    seconds, _ = bench.platform.manage("rebuild_analytics")
    yield Figure(f"analytics {of}: all counted anew", seconds, "s", bar="< 900 s")
    seconds, said = bench.platform.manage("rebuild_analytics", "--check")
    if "0 differences" not in said:
        raise BadAnswer(f"What was counted anew is not what is counted: {said}")
    yield _taken(bench, of)
    about = f"/api/v1/games/{game}/analytics"
    for name, path in (
        ("overview of 30 days, compared", f"{about}/overview?window=30d&compare=true"),
        ("overview of all time", f"{about}/overview?window=all"),
        ("retention of 90 days", f"{about}/retention?window=90d"),
        ("achievements", f"{about}/achievements?window=90d"),
        ("distributions", f"{about}/distributions"),
    ):
        yield _looked_at(bench, f"analytics: {name}", path)
    steps = ",".join(achievement(number) for number in _STEPS)
    yield _looked_at(bench, "analytics: funnel of five steps, kept", f"{about}/funnel?achievements={steps}")
    yield _cold_funnels(bench, about)


def _add_game(bench: Bench) -> str:
    command = [sys.executable, "-m", "bench.audience", str(bench.plan.audience_unlocks)]
    run = subprocess.run(
        command, env=bench.platform.env, cwd=BASE_DIR, check=True, stdout=subprocess.PIPE, text=True
    )
    bench.platform.wait_for_followers()
    return run.stdout.strip()


def _unlocks(bench: Bench) -> int:
    with bench.platform.connect() as connection:
        row = connection.execute("SELECT count(*) FROM achievements_unlock").fetchone()
    assert row is not None
    return int(row[0])


def _taken(bench: Bench, of: str) -> Figure:
    """Wait until a worker has taken what can't be counted; return how long that took it."""
    sql = "SELECT max(took_ms) FROM analytics_distributions WHERE as_of IS NOT NULL HAVING bool_and(as_of IS NOT NULL)"
    until = time.monotonic() + 600
    with bench.platform.connect() as connection:
        connection.execute(
            "INSERT INTO analytics_distributions (game_id, changed_at, took_ms) SELECT id, now(), 0"
            " FROM accounts_game ON CONFLICT DO NOTHING"
        )
        waiting = "SELECT count(*) FROM analytics_distributions WHERE as_of IS NULL"
        while (row := connection.execute(waiting).fetchone()) and row[0]:
            if time.monotonic() > until:
                raise BadAnswer("What is taken of whole games was not taken within 600 s.")
            time.sleep(0.5)
        taken = connection.execute(sql).fetchone()
    assert taken is not None
    return Figure(f"analytics {of}: times to unlock and spreads taken", taken[0] / 1000, "s")


def _looked_at(bench: Bench, name: str, path: str) -> Figure:
    request = bench.platform.requests.get(path, keyed=True)
    runs = [
        at_rate(
            bench.platform.web,
            [request] * int(_PER_SECOND * bench.plan.rate_seconds),
            per_second=_PER_SECOND,
            expected=_OK,
            connections=4,
        )
        for _ in range(bench.plan.repetitions)
    ]
    latency = latency_of([run.latencies_ms for run in runs])
    return Figure(name, latency.p50, "ms", latency=latency, bar=_BAR)


def _cold_funnels(bench: Bench, about: str) -> Figure:
    """Ask for funnels that nobody asked for before, one after the other."""
    with redis.Redis.from_url(bench.platform.env["CACHE_REDIS_URL"]) as client:
        client.flushdb()
    requests = []
    for number in range(20):
        steps = ",".join(achievement(step + number % 8) for step in _STEPS[: 3 + number % 3])
        requests.append(bench.platform.requests.get(f"{about}/funnel?achievements={steps}", keyed=True))
    run = at_rate(bench.platform.web, requests, per_second=2, expected=_OK, connections=2)
    latency = latency_of([run.latencies_ms])
    return Figure(
        "analytics: funnel of three to five steps, never asked for",
        latency.p50,
        "ms",
        latency=latency,
        bar=_BAR,
    )
