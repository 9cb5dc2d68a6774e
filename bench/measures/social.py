"""What a player with 500 friends reads of them: all beside him, one beside him, and what they have unlocked."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import redis

from bench.asking import ask
from bench.figures import Bench, Figure, latency_of
from bench.load import BadAnswer, at_rate
from bench.world import STAR, friend
from config.children import BASE_DIR

_ONE_BY_ONE = 40
_PER_SECOND = 10
_OK = {200}
_FRIENDS = 500


def measure(bench: Bench) -> Iterator[Figure]:
    """Add the player and his friends, then read."""
    subprocess.run([sys.executable, "-m", "bench.circles"], env=bench.platform.env, cwd=BASE_DIR, check=True)
    me, game = f"/api/v1/players/{STAR}", _game(bench)
    beside, feed = f"{me}/friends/compare", f"{me}/feed"
    _require_all(bench, beside)
    yield _read(bench, "500 friends: compared, kept", beside, bar="p95 < 50 ms")
    yield _cold(bench, "500 friends: compared, nothing kept", beside)
    yield _read(bench, "500 friends: compared in one game", f"{beside}?game_id={game}", bar="p95 < 50 ms")
    yield _read(bench, "500 friends: feed, first page", feed, bar="p95 < 50 ms")
    yield _read(bench, "500 friends: feed, first page of 100", f"{feed}?limit=100", bar="p95 < 50 ms")
    deep = f"{feed}?limit=100&cursor={_deep(bench, feed)}"
    yield _read(bench, "500 friends: feed, 2,000 unlocks down", deep, bar="p95 < 50 ms")
    other = f"{me}/compare/{friend(7)}"
    yield _read(bench, "two players: a game of 40 achievements", f"{other}?game_id={game}")
    yield _read(bench, "two players: 50 games", other)


def _game(bench: Bench) -> str:
    """Return one of the games that they share."""
    with bench.platform.connect() as connection:
        row = connection.execute("SELECT uuid::text FROM accounts_game WHERE title = 'Shared 0'").fetchone()
    assert row is not None  # just created
    return str(row[0])


def _require_all(bench: Bench, path: str) -> None:
    count = ask(bench.platform, "GET", path)["total_count"]
    if count != _FRIENDS + 1:
        raise BadAnswer(f"{count} are compared of {_FRIENDS + 1}.")


def _deep(bench: Bench, feed: str) -> object:
    """Return the cursor behind 2,000 unlocks."""
    cursor: object = ""
    for _ in range(20):
        after = f"&cursor={cursor}" if cursor else ""
        cursor = ask(bench.platform, "GET", f"{feed}?limit=100{after}")["next_cursor"]
    return cursor


def _read(bench: Bench, name: str, path: str, *, bar: str = "") -> Figure:
    """Ask at a rate that leaves it time."""
    request = bench.platform.requests.get(path, keyed=True)
    number = int(bench.plan.page_seconds * _PER_SECOND)
    runs = bench.repeat(
        lambda: at_rate(bench.platform.web, [request] * number, per_second=_PER_SECOND, expected=_OK)
    )
    latency = latency_of([run.latencies_ms for run in runs])
    return Figure(name, latency.p50, "ms", latency=latency, bar=bar)


def _cold(bench: Bench, name: str, path: str) -> Figure:
    """Ask one by one; before each nothing is kept."""
    with redis.Redis.from_url(bench.platform.env["CACHE_REDIS_URL"]) as client:
        took = [
            _timed(lambda: ask(bench.platform, "GET", path), before=client.flushdb)
            for _ in range(_ONE_BY_ONE)
        ]
    latency = latency_of([took])
    return Figure(name, latency.p50, "ms", latency=latency)


def _timed(do: Callable[[], object], *, before: Callable[[], object]) -> float:
    before()
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1e3
