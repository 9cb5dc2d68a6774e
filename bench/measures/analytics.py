"""What a studio looks at of a game with a long past, by the API and in the portal, and counting all of that anew."""

import subprocess
import sys
import time
from collections.abc import Iterator

import orjson
import redis

from bench.figures import Bench, Figure, Past, latency_of
from bench.load import BadAnswer, at_rate
from bench.world import achievement
from config.children import BASE_DIR

_PER_SECOND = 10
_OK = {200}
_BAR = "p95 < 300 ms"
_PAGE_BAR = "p95 < 150 ms"
_EACH = 66  # unlocks of a player, on average
_STEPS = (0, 20, 60, 120, 190)  # of the funnel, by how far into the game they are


def measure(bench: Bench) -> Iterator[Figure]:
    """Fill two years of a game, count them, and look at every figure."""
    past = bench.past = bench.past or loaded(bench, bench.plan.audience_unlocks // _EACH)
    game, of = past.game, f"of {bench.plan.audience_unlocks:,} unlocks"
    print(f"  {past.unlocks:,} unlocks.", flush=True)
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
        yield _looked_at(bench, f"analytics: {name}", bench.platform.requests.get(path, keyed=True), _BAR)
    steps = ",".join(achievement(number) for number in _STEPS)
    kept = bench.platform.requests.get(f"{about}/funnel?achievements={steps}", keyed=True)
    yield _looked_at(bench, "analytics: funnel of five steps, kept", kept, _BAR)
    yield _cold_funnels(bench, about)
    yield from _pages(bench, game)


def loaded(bench: Bench, players: int, *options: str) -> Past:
    """Load the past that is planned."""
    return Past(**bench.platform.load_past(bench.plan.audience_unlocks, players, *options))


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


def _looked_at(bench: Bench, name: str, request: bytes, bar: str) -> Figure:
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
    return Figure(name, latency.p50, "ms", latency=latency, bar=bar)


def _pages(bench: Bench, game: str) -> Iterator[Figure]:
    """Look at the portal's pages as an owner who is signed in."""
    command = [sys.executable, "-m", "bench.visitor"]
    run = subprocess.run(command, env=bench.platform.env, cwd=BASE_DIR, check=True, stdout=subprocess.PIPE)
    visitor = orjson.loads(run.stdout)
    studio = f"/portal/{visitor['studio']}"
    for name, path, bar in (
        ("home", "/", _PAGE_BAR),
        ("analytics, overview", f"/games/{game}/analytics", _BAR),
        ("analytics, achievements", f"/games/{game}/analytics/achievements?window=90d", _BAR),
        ("analytics, retention", f"/games/{game}/analytics/retention?window=90d", _BAR),
        ("analytics, funnel", f"/games/{game}/analytics/funnel", _BAR),
        ("analytics, stats", f"/games/{game}/analytics/stats", _BAR),
        ("achievements", f"/games/{game}/achievements", _PAGE_BAR),
        ("leaderboards", f"/games/{game}/leaderboards", _PAGE_BAR),
        ("standings of points", f"/games/{game}/leaderboards/points", _PAGE_BAR),
        ("players", f"/players?game={game}", _PAGE_BAR),
        ("players named alike", f"/players?q=Player+12&game={game}", _PAGE_BAR),
        ("a player", f"/players/{_busy_player(bench, game)}", _PAGE_BAR),
        ("usage", "/usage", _PAGE_BAR),
        ("audit log", "/audit", _PAGE_BAR),
        ("request log", "/requests", _PAGE_BAR),
    ):
        request = bench.platform.requests.visit(studio + path, cookie=visitor["cookie"])
        yield _looked_at(bench, f"portal: {name}", request, bar)


def _busy_player(bench: Bench, game: str) -> str:
    """Return the public id of whoever has unlocked most in the game."""
    sql = (
        "SELECT p.uuid::text FROM achievements_playergame g JOIN accounts_player p ON p.id = g.player_id"
        " WHERE g.game_id = (SELECT id FROM accounts_game WHERE uuid = %s) ORDER BY g.unlocked DESC LIMIT 1"
    )
    with bench.platform.connect() as connection:
        row = connection.execute(sql, [game]).fetchone()
    assert row is not None
    return str(row[0])


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
