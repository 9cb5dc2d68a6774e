"""A copy of Laurel of our own: servers, processes and data in a folder that is removed at the end."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import psycopg

from bench.load import Address
from bench.world import Requests, World
from config import embedded, var_dir
from config.children import BASE_DIR, HOST, STOP_ORDER, Place, children, environment, manage
from config.embedded import Postgres, Servers
from config.processes import CannotStart, Process, stop_all

_CROWDS = ("address", "player-unlocks", "player-dashboards", "player-boards", "player-others")
# What the caller's environment may say about another copy of Laurel.
_OTHERS = (
    *("BOARDS_REDIS_URL", "CACHE_REDIS_URL", "LIVE_REDIS_URL", "CELERY_BROKER_URL", "PUBLIC_URL", "LIVE_URL"),
    *("DATABASE_POOL_SIZE", "DATABASE_STATEMENT_TIMEOUT_MS", "DATABASE_IDLE_TIMEOUT_MS"),
    *("DATABASE_POOLED_BY", "DATABASE_PREPARED", "DATABASE_ANSWERING_URL", "DATABASE_DIRECT_URL"),
    "DATABASE_REPLICA_URL",
    *("LAUREL_PROCESS", "ALLOWED_HOSTS"),
)
_POLL_S = 0.01
_BEHIND = """
    SELECT coalesce(sum(size) FILTER (WHERE kind = 'achievements_unlocked'), 0)::bigint,
           coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8
      FROM core_fact
     WHERE (tx, id) > (SELECT f.tx::text::xid8, f.fact_id FROM core_follower f
                        WHERE f.name = ANY(%s) ORDER BY f.tx, f.fact_id LIMIT 1)
"""
_WAITING = """
    SELECT count(*) FILTER (WHERE (f.tx::text::xid8, f.fact_id) >= (head.tx, head.id)) < %s
      FROM core_follower f, (SELECT tx, id FROM core_fact ORDER BY tx DESC, id DESC LIMIT 1) AS head
     WHERE f.name = ANY(%s)
"""


@dataclass
class Platform:
    """The copy that is measured."""

    place: Place
    servers: Servers
    env: dict[str, str]
    world: World
    requests: Requests
    processes: list[Process]
    sink_port: int  # where webhooks may go

    @property
    def web(self) -> Address:
        """Return where the `web` process listens."""
        return HOST, self.place.port

    @property
    def live(self) -> Address:
        """Return where the `live` process listens."""
        return HOST, self.place.port + 1

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection to PostgreSQL that commits each statement."""
        return psycopg.connect(self.servers.database_url, autocommit=True)

    def tokens(self, count: int) -> list[str]:
        """Return tokens of the first players of the game."""
        command = [sys.executable, "-m", "bench.tokens", self.world.game, str(count)]
        done = subprocess.run(command, env=self.env, cwd=BASE_DIR, stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().split()

    def load_past(self, unlocks: int, players: int, *options: str) -> dict[str, Any]:
        """Load a past of two years (bench/load_history.py); return what it says of itself."""
        command = [sys.executable, "-m", "bench.load_history", str(unlocks), str(players), *options]
        done = subprocess.run(command, env=self.env, cwd=BASE_DIR, stdout=subprocess.PIPE, check=True)
        self.wait_for_followers()
        return dict(orjson.loads(done.stdout))

    def wait_for_followers(self, *, within_s: float = 120.0, patient: bool = True) -> None:
        """Return once every follower has read the whole log. Raises CannotStart when one does not.

        Without the `patient` ones, analytics and webhooks are left to go on.
        """
        names, deadline = self.world.followers, time.monotonic() + within_s
        if not patient:
            names = sorted({*names} - {*self.world.patient_followers})
        with self.connect() as connection:
            while _one(connection, _WAITING, [len(names), names])[0]:
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"The followers did not catch up within {within_s:.0f} s; see {self._logs}."
                    )
                time.sleep(_POLL_S)

    def behind(self, connection: psycopg.Connection[Any]) -> tuple[int, float]:
        """Return how many unlocks, and how many seconds, the last of the followers is behind."""
        unlocks, seconds = _one(connection, _BEHIND, [self.world.followers])
        return unlocks, seconds

    def manage(self, command: str, *arguments: str) -> tuple[float, str]:
        """Run a management command to its end; return the seconds it took and what it said. Raises CannotStart."""
        began = time.perf_counter()
        process = manage(command, self.place, self.env, *arguments)
        _finish(process)
        return time.perf_counter() - began, process.log.read_text()

    def require_all_alive(self) -> None:
        """Raise CannotStart when a process of the platform has ended."""
        for process in self.processes:
            if not process.alive:
                raise CannotStart(f"{process.name} {process.how_it_ended()}; {process.last_words()}.")

    @property
    def _logs(self) -> Path:
        return self.place.folder / "log"


@contextmanager
def running(*, players: int, buffers_mib: int = 0) -> Iterator[Platform]:
    """Run a platform with a game, its achievements and players; nothing of it stays. Raises CannotStart.

    PostgreSQL gets `buffers_mib` of shared buffers, or those of `make run`.
    """
    folder = Path(tempfile.mkdtemp(prefix="laurel-bench-"))
    processes: list[Process] = []
    try:
        with embedded.running(folder) as servers:
            if buffers_mib:
                _give(servers.postgres, buffers_mib)
            place = Place(folder, var_dir.free_ports(2))
            sink_port = var_dir.free_ports()
            env = _environment(place, servers, sink_port=sink_port)
            (folder / "static").mkdir()
            _finish(manage("migrate", place, env, "--noinput"))
            _finish(manage("collectstatic", place, env, "--noinput"))
            world = _seed(env, players)
            processes = children(place, env)
            try:
                for process in processes:
                    process.start()
                requests = Requests(world, f"{HOST}:{place.port}")
                yield Platform(place, servers, env, world, requests, processes, sink_port)
            finally:
                _stop(processes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give(postgres: Postgres, buffers_mib: int) -> None:
    """Let PostgreSQL have other buffers than on a developer's machine, and know what the system keeps beside them."""
    postgres.stop()
    with (postgres.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"shared_buffers = {buffers_mib}MB\neffective_cache_size = {3 * buffers_mib}MB\n")
    postgres.start()


def _environment(place: Place, servers: Servers, *, sink_port: int) -> dict[str, str]:
    env = {name: value for name, value in environment(place).items() if name not in _OTHERS}
    return {
        **env,
        "PUBLIC_URL": place.url,
        "LIVE_URL": place.live_url,
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "CACHE_REDIS_URL": urlsplit(servers.redis_url)._replace(path="/1").geturl(),
        "SECRET_KEY": os.urandom(32).hex(),
        "DEBUG": "0",
        "DEMO": "0",
        # Thousands of players and of nobody's calls come from one machine; a server key has its usual limits.
        "RATE_LIMITS": ",".join(f"{name}=1000000/s:1000000" for name in _CROWDS),
        # The sink of bench/measures/webhooks.py is on this machine.
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "WEBHOOK_PLAIN_HTTP": "1",
        "WEBHOOK_PORTS": str(sink_port),
    }


def _seed(env: dict[str, str], players: int) -> World:
    seeding = subprocess.run(
        [sys.executable, "-m", "bench.seed", str(players)],
        env=env,
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        check=True,
    )
    return World(**orjson.loads(seeding.stdout))


def _finish(command: Process) -> None:
    command.launch()
    while command.alive:
        time.sleep(_POLL_S)
    command.stop()
    if command.exit_code:
        raise CannotStart(f"manage.py {command.name} {command.how_it_ended()}; {command.last_words()}.")


def _stop(processes: list[Process]) -> None:
    by_name = {process.name: process for process in processes}
    for names in STOP_ORDER:
        stop_all(by_name[name] for name in names if name in by_name)


def _one(connection: psycopg.Connection[Any], sql: str, params: list[Any]) -> tuple[Any, ...]:
    row = connection.execute(sql.encode(), params).fetchone()
    assert row is not None  # aggregates always answer
    return tuple(row)
