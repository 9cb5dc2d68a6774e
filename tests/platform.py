"""The whole platform for tests: real servers and processes in a folder of its own, to be killed and frozen."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
import redis

from bench.recomputing import FOLLOWS_FROM_UNLOCKS
from config import children, var_dir
from config.children import Place
from config.embedded import Postgres, Valkey
from config.processes import Process, stop_all
from tests import pooling

POINTS = 10
ACHIEVEMENTS = 200
CAUGHT_UP_WITHIN_S = 300.0
ANSWERED_WITHIN_S = 300.0  # unless a process hangs
STARTS_WITHIN_S = 300.0  # several platforms may begin at once, on two cores
FOLLOWERS = (
    "achievements",
    "analytics",
    "fanning",
    "feeding",
    "history",
    "leaderboards",
    "social",
    "webhooks",
)
_SEED = f"""
import json
from django.utils import timezone
from accounts.services import create_game, create_studio, issue_key
from achievements.models import Achievement, Catalogue
studio = create_studio(name="NAMED")
game = create_game(studio_id=studio.pk, title="NAMED")
Catalogue.objects.create(game=game)
Achievement.objects.bulk_create(
    Achievement(studio_id=studio.pk, game=game, key=f"a{{n}}", name=f"A{{n}}", points={POINTS})
    for n in range({ACHIEVEMENTS})
)
key = issue_key(studio_id=studio.pk, name="faults")[1]
print(json.dumps({{"game": str(game.uuid), "game_id": game.pk, "key": key}}))
"""


@dataclass(frozen=True)
class Answer:
    """What a request got; status 0 when there was no answer."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class Client:
    """A game server: one connection, kept alive, opened again when it breaks."""

    def __init__(self, platform: "Platform", *, timeout_s: float = 10.0, key: str = "") -> None:
        """Connect at the first request; `key` is another studio's than the platform's own."""
        self._platform = platform
        self._key = key or platform.key
        self._timeout_s = timeout_s
        self._connection: HTTPConnection | None = None

    def post(self, path: str, body: Any, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
        """Send once; a connection that breaks is an answer without a status."""
        return self._send("POST", path, json.dumps(body).encode(), headers)

    def patch(self, path: str, body: Any) -> Answer:
        """Change something, once."""
        return self._send("PATCH", path, json.dumps(body).encode())

    def get(self, path: str) -> Answer:
        """Ask once."""
        return self._send("GET", path, None)

    def delete(self, path: str) -> Answer:
        """Delete something, once."""
        return self._send("DELETE", path, None)

    def unlock(self, player: str, achievement: str) -> Answer:
        """Unlock once."""
        game = self._platform.game
        return self.post(
            "/achievements/unlock", {"game_id": game, "player": player, "achievement": achievement}
        )

    def unlock_until_stored(self, player: str, achievement: str) -> Answer:
        """Repeat until it is answered with success, as the API tells clients to."""
        answer = self.until_answered(self.unlock, player, achievement)
        assert answer.status in (200, 202), answer
        return answer

    @staticmethod
    def until_answered(send: Callable[..., Answer], *about: Any) -> Answer:
        """Send again and again while nobody answers, or whoever answers has too much to do."""
        deadline = time.monotonic() + ANSWERED_WITHIN_S
        while (answer := send(*about)).status in (0, 503):
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        started = time.monotonic()
        try:
            if self._connection is None:
                self._connection = self._platform.connect(timeout_s=self._timeout_s)
            headers = {
                "Authorization": f"Bearer {self._key}",
                "Content-Type": "application/json",
                **more,
            }
            self._connection.request(method, f"/api/v1{path}", body, headers)
            response = self._connection.getresponse()
            text = response.read()
            taken = time.monotonic() - started
            return Answer(
                response.status,
                json.loads(text or b"{}"),
                {name.lower(): value for name, value in response.getheaders()},
                taken,
            )
        except (OSError, HTTPException):
            self.close()
            return Answer(0, seconds=time.monotonic() - started)


class Platform:
    """Laurel with its servers; `process(name)` is one of theirs (config/children.py), or postgres, or valkey."""

    def __init__(self, folder: Path, *, backups: Path | None = None) -> None:
        """Choose ports; nothing is started."""
        self.place = Place(folder, var_dir.free_ports(2))
        self.hook_port = var_dir.free_ports()  # where webhooks may go on this machine
        self.collector_port = var_dir.free_ports()  # where traces go, of what a test wants traced
        self._backups = backups
        self.postgres = Postgres(folder, backups=backups)
        self.valkey = Valkey(folder)
        self.key = self.game = ""
        self.game_id = 0
        self._processes: dict[str, Process] = {}
        self._clients: list[Client] = []

    def start(self) -> None:
        """Start everything and make a studio with a game of ACHIEVEMENTS achievements of POINTS points."""
        self.place.folder.mkdir(parents=True, exist_ok=True)
        self.postgres.start()
        self.valkey.start()
        servers = self.settings() | {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.valkey.url}
        if self._backups is not None:
            servers |= {"BACKUP_DIR": str(self._backups), "BACKUP_DATABASE_URL": self.postgres.backup_url}
        self.env = children.environment(self.place) | servers
        for name in ("CELERY_BROKER_URL", *pooling.VARIABLES):
            self.env.pop(name, None)
        self.manage("migrate", "--noinput")
        self.make_studio()
        self.start_processes()

    def settings(self) -> dict[str, str]:
        """Return what differs from an instance as it is shipped: webhooks may go to a port of this machine."""
        return {
            "DEMO": "0",
            "LOG_LEVEL": "WARNING",
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "WEBHOOK_PLAIN_HTTP": "1",
            "WEBHOOK_PORTS": str(self.hook_port),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.collector_port}",
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
        }

    def new_studio(self, name: str) -> dict[str, Any]:
        """Make a studio with such a game; return the game's `game` and `game_id` and the studio's `key`."""
        code = _SEED.replace("NAMED", name)
        made: dict[str, Any] = json.loads(self.manage("shell", "-v0", "-c", code).strip().splitlines()[-1])
        return made

    def make_studio(self) -> None:
        """Make a studio with a game of ACHIEVEMENTS achievements of POINTS points, and its server's key."""
        made = self.new_studio("Faults")
        self.key, self.game, self.game_id = made["key"], made["game"], made["game_id"]

    def start_processes(self) -> None:
        """Start all but the servers."""
        self._processes = {process.name: process for process in children.children(self.place, self.env)}
        for process in self._processes.values():
            process.launch()
        for process in self._processes.values():
            process.start(within_s=STARTS_WITHIN_S)

    def connect(self, *, timeout_s: float) -> HTTPConnection:
        """Return a connection to who answers the API; it is opened at the first request."""
        return HTTPConnection("127.0.0.1", self.place.port, timeout=timeout_s)

    @property
    def live_address(self) -> str:
        """Return where `live` listens."""
        return f"127.0.0.1:{self.place.port + 1}"

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all processes, servers included."""
        return (*self._processes, "valkey", "postgres")

    @property
    def boards(self) -> str:
        """Return the name of the Valkey that keeps boards."""
        return "valkey"

    def empty_boards(self) -> None:
        """Let that Valkey forget everything while it runs."""
        redis.Redis.from_url(self.valkey.url).flushall()

    def stop(self) -> None:
        """Stop everything."""
        stop_all(self._processes.values())
        stop_all([self.valkey, self.postgres])

    def process(self, name: str) -> Process:
        """Return a process by name."""
        return {"postgres": self.postgres, "valkey": self.valkey, **self._processes}[name]

    def kill(self, name: str) -> None:
        """Kill -9 a process and what it started."""
        process = self.process(name)
        process.kill()
        process.sweep()

    def start_again(self, name: str) -> None:
        """Start what was killed or told to end, and wait until it answers."""
        self.process(name).start(within_s=STARTS_WITHIN_S)

    def supervise(self) -> bool:
        """Start the worker again if it has ended by itself, as the supervisor of `make run` would; return True."""
        self._processes["worker"].launch()
        return True

    def manage(self, *arguments: str) -> str:
        """Run a management command and return what it printed."""
        run = self.try_to_manage(*arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def try_to_manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a management command to its end, however it ends."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            capture_output=True,
            text=True,
            env=self.env,
            cwd=children.BASE_DIR,
            check=False,
        )

    def rows(self, sql: str, params: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Ask PostgreSQL."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(sql, params).fetchall()

    @property
    def database_url(self) -> str:
        """Return where PostgreSQL itself listens."""
        return self.postgres.url

    def client(self, *, timeout_s: float = 10.0, key: str = "") -> Client:
        """Return a new client."""
        client = Client(self, timeout_s=timeout_s, key=key)
        self._clients.append(client)
        return client

    def close_clients(self) -> None:
        """Close every client's connection."""
        for client in self._clients:
            client.close()
        self._clients.clear()

    def wait_until_caught_up(self, *, within_s: float = CAUGHT_UP_WITHIN_S) -> None:
        """Return when every follower has read the whole log."""
        behind = """
            SELECT f.name, (SELECT count(*) FROM core_fact WHERE (tx, id) > (f.tx::text::xid8, f.fact_id))
              FROM core_follower f
        """
        wait_for(
            lambda: dict(self.rows(behind)) == dict.fromkeys(FOLLOWERS, 0),
            what="followers",
            within_s=within_s,
        )

    def assert_whole(self) -> None:
        """Compare everything that follows from unlocks with a recomputation from the unlocks."""
        assert self.differences() == {}

    def differences(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what is not as it follows from the unlocks, with its rows; of boards, what the check said."""
        found = {what: self.rows(sql) for what, sql in RECOMPUTED.items()}
        found["a fact could not be applied"] = self.rows("SELECT * FROM core_deadletter")
        run = self.try_to_manage("rebuild_boards", "--check")
        checked = run.stdout + run.stderr
        found["boards differ from the totals"] = [] if "0 differences" in checked else [(checked,)]
        return {what: rows for what, rows in found.items() if rows}


# Each finds what is not as it follows from `unlock`, where the log and inboxes go back to the beginning.
RECOMPUTED = {
    **FOLLOWS_FROM_UNLOCKS,
    "an unlock is not in exactly one fact": """
        WITH told AS (
            SELECT (row ->> 0)::bigint AS player_id, (row ->> 1)::bigint AS achievement_id, count(*) AS n
              FROM core_fact, json_array_elements(payload -> 'unlocks') AS row
             WHERE kind = 'achievements_unlocked' GROUP BY 1, 2)
        SELECT player_id, achievement_id, told.n FROM achievements_unlock u
          FULL JOIN told USING (player_id, achievement_id) JOIN accounts_player p ON p.id = player_id
         WHERE (told.n IS DISTINCT FROM 1 OR u.points IS NULL) AND p.erased_at IS NULL
    """,
    "an unlock has not exactly one inbox row": """
        WITH told AS (
            SELECT player_id, payload::json -> 'achievement' ->> 'key' AS key, count(*) AS n
              FROM social_notification WHERE kind = 'achievement.unlocked' GROUP BY 1, 2)
        SELECT u.player_id, a.key, told.n
          FROM achievements_unlock u JOIN achievements_achievement a ON a.id = u.achievement_id
          LEFT JOIN told ON told.player_id = u.player_id AND told.key = a.key
         WHERE told.n IS DISTINCT FROM 1
    """,
}


@contextmanager
def running(folder: Path, *, backups: Path | None = None) -> Iterator[Platform]:
    """Run the platform in a folder."""
    with started(Platform(folder, backups=backups)) as platform:
        yield platform


@contextmanager
def started(platform: Platform) -> Iterator[Platform]:
    """Run a platform."""
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()


def wait_for(condition: Callable[[], bool], *, what: str, within_s: float = 120.0) -> None:
    """Return when `condition` holds; fail when it does not in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {within_s:.0f} s for {what}"
        time.sleep(0.1)
