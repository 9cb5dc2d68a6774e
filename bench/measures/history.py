"""What players look at of their past: dashboards kept and cold, trends of two years, and how often one is kept."""

import http.client
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

import redis

from bench.figures import Bench, Figure, latency_of
from bench.load import Address, BadAnswer, at_rate, in_turn, saturate
from bench.measures import limits
from bench.measures.board import asked, gets
from bench.world import BATCH, Visit, achievement, player, veteran, visits
from config.children import BASE_DIR
from history import keys

_COLD_PER_SECOND = 10
_OK = {200}
_THREADS = 32
_WARM_WITHIN_S = 900


def measure(bench: Bench) -> Iterator[Figure]:
    """Fill two years of some players, then look at them; last, let thousands play and look."""
    count = bench.plan.veterans
    add_veterans(bench)
    requests = bench.platform.requests
    looks = gets(requests, (f"/api/v1/players/{veteran(number)}/dashboard" for number in range(count)))
    yield asked(bench, "dashboard: kept", looks, limits.ZRANGE, bar="≥ 1,000/s, p95 < 20 ms")
    _require_hit(bench, veteran(0))
    yield _cold(bench, looks)
    for window in ("7d", "30d", "90d", "365d"):
        trends = gets(
            requests,
            (
                f"/api/v1/players/{veteran(number)}/trends?metric=points&window={window}"
                for number in range(count)
            ),
        )
        yield asked(bench, f"trend of {window}", trends, limits.ZRANGE, bar="p95 < 20 ms")
    if bench.past is None:  # a share is no cost, so what is stored besides says nothing of it
        yield _hits(bench)


def add_veterans(bench: Bench) -> None:
    """Add the players with two years behind them, once."""
    with bench.platform.connect() as connection:
        sql = "SELECT FROM accounts_playeridentity WHERE external_id = %s"
        if connection.execute(sql, [veteran(0)]).fetchone() is not None:
            return
    command = [sys.executable, "-m", "bench.veterans", str(bench.plan.veterans)]
    subprocess.run(command, env=bench.platform.env, cwd=BASE_DIR, check=True)
    bench.platform.manage("rebuild_boards")
    bench.platform.wait_for_followers()


def _cold(bench: Bench, looks: Sequence[bytes]) -> Figure:
    """Ask for dashboards of which none is kept, one after the other."""

    def forget() -> None:
        with redis.Redis.from_url(bench.platform.env["CACHE_REDIS_URL"]) as client:
            if not (kept := [*client.scan_iter("history:v1:{player:*", count=1_000)]):
                raise BadAnswer("No dashboard is kept that could be forgotten.")
            client.delete(*kept)

    runs = []
    for _ in range(bench.plan.repetitions):
        forget()
        runs.append(
            at_rate(bench.platform.web, looks, per_second=_COLD_PER_SECOND, expected=_OK, connections=4)
        )
    latency = latency_of([run.latencies_ms for run in runs])
    return Figure(
        "dashboard: built (50 games, 10,000 unlocks)", latency.p50, "ms", latency=latency, bar="p95 < 100 ms"
    )


def _require_hit(bench: Bench, name: str) -> None:
    line = http.client.HTTPConnection(*bench.platform.web, timeout=30)
    line.request("GET", f"/api/v1/players/{name}/dashboard", headers=_bearer(bench.platform.world.key))
    said = line.getresponse().headers["X-Cache"]
    line.close()
    if said != "hit":
        raise BadAnswer(f"A dashboard that was asked for a moment ago is said to be a {said}.")


def _hits(bench: Bench) -> Figure:
    """Watch players who were there before; return how often a fresh dashboard was kept for them."""
    world = bench.platform.world
    tokens = bench.platform.tokens(bench.plan.lookers)
    _play_earlier(bench, tokens)
    schedule = visits(len(tokens), seconds=bench.plan.visit_seconds, chance=Random(11))
    said = _Crowd(bench.platform.web, world.game, world.key, tokens, schedule).run()
    looks = said.total()
    told = ", ".join(f"{count:,} {name}" for name, count in sorted(said.items()))
    print(f"  {looks:,} looks of {len(tokens):,} players: {told}", flush=True)
    name = f"dashboard: fresh ones among looks of {len(tokens):,} players"
    return Figure(name, 100 * said["hit"] / looks, "%", bar="> 90 %")


def _play_earlier(bench: Bench, tokens: Sequence[str]) -> None:
    """Let everybody unlock something, their dashboards be built, and everybody look once: they are online."""
    requests = bench.platform.requests
    batches = (requests.earlier(start) for start in range(0, bench.plan.lookers, BATCH))
    saturate(bench.platform.web, in_turn(batches), connections=2, expected={202})
    bench.platform.wait_for_followers()
    with redis.Redis.from_url(bench.platform.env["CACHE_REDIS_URL"]) as client:
        until = time.monotonic() + _WARM_WITHIN_S
        while left := client.zcard(keys.cold()):
            if time.monotonic() > until:
                raise BadAnswer(
                    f"{left} dashboards of active players are not built after {_WARM_WITHIN_S} s."
                )
            time.sleep(0.1)
    looks = (requests.own_dashboard(token) for token in tokens)
    saturate(bench.platform.web, in_turn(looks), connections=4, expected=_OK)


class _Crowd:
    """Threads that do what is due; who is late does it at once."""

    def __init__(
        self, web: Address, game: str, key: str, tokens: Sequence[str], schedule: Sequence[Visit]
    ) -> None:
        self._web, self._game, self._key, self._tokens = web, game, key, tokens
        self._schedule = iter(schedule)
        self._lock = threading.Lock()
        self._said: Counter[str] = Counter()
        self._failed: list[str] = []
        self._began = 0.0

    def run(self) -> Counter[str]:
        """Do all of it. Raises BadAnswer."""
        self._began = time.monotonic() + 0.1
        threads = [threading.Thread(target=self._work) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failed:
            raise BadAnswer(self._failed[0])
        return self._said

    def _work(self) -> None:
        line = http.client.HTTPConnection(*self._web, timeout=30)  # opens itself again
        while not self._failed:
            with self._lock:
                visit = next(self._schedule, None)
            if visit is None:
                break
            time.sleep(max(0.0, self._began + visit.at_s - time.monotonic()))
            try:
                self._do(line, visit)
            except (OSError, http.client.HTTPException) as error:
                self._failed.append(repr(error))
            line.close()  # pauses are longer than servers keep idle connections

    def _do(self, line: http.client.HTTPConnection, visit: Visit) -> None:
        if visit.unlocks is None:
            line.request("GET", "/api/v1/players/me/dashboard", headers=_bearer(self._tokens[visit.player]))
        else:
            what = f'"player":"{player(visit.player)}","achievement":"{achievement(visit.unlocks)}"'
            body = f'{{"game_id":"{self._game}",{what}}}'
            headers = _bearer(self._key) | {"Content-Type": "application/json"}
            line.request("POST", "/api/v1/achievements/unlock", body, headers)
        answer = line.getresponse()
        answer.read()
        if answer.status not in (200, 202):
            self._failed.append(f"A visitor was answered {answer.status}.")
        elif visit.unlocks is None:
            with self._lock:
                self._said[answer.headers["X-Cache"]] += 1


def _bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}
