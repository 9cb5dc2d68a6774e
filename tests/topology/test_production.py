"""The topology of production, for real: PostgreSQL behind PgBouncer, two Valkeys, RabbitMQ, nginx, each process apart.

It takes a minute and more, so it is run by `make topology`, and not with the other tests.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import amqp
import httpx
import psycopg
import pytest
import redis
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from config import var_dir
from config.children import BASE_DIR
from config.production.place import HOST, Place
from tests.deploy.proxying import believing
from tests.deploy.test_by_hand import all_there

pytestmark = all_there
READY_WITHIN_S = 300.0
FOLLOWS_WITHIN_S = 60.0


@dataclass
class Production:
    """One that runs, with its demo; and where its webhooks go."""

    place: Place
    key: str
    game: str
    hooks: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request as a game's server does."""
        url = f"{self.place.url}/api/v1{path}"
        return httpx.request(
            method, url, verify=False, timeout=30, headers={"Authorization": f"Bearer {self.key}"}, **more
        )

    @contextmanager
    def listen(self, player: str) -> Iterator[ClientConnection]:
        """Open a player's page, so to speak."""
        token = self.ask("POST", f"/players/{player}/token", json={"game_id": self.game}).json()["token"]
        url = self.place.url.replace("https", "wss")
        offered = [Subprotocol("laurel.v1")]
        with connect(f"{url}/ws/v1/live", ssl=believing(), subprotocols=offered, compression=None) as line:
            line.send(json.dumps({"type": "authenticate", "token": token}))
            assert json.loads(line.recv(timeout=30))["type"] == "ready"
            yield line


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    folder, port, hook_port = (
        tmp_path_factory.mktemp("production"),
        var_dir.free_ports(),
        var_dir.free_ports(),
    )
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_URL") and name != "DJANGO_SETTINGS_MODULE"
    }
    env |= {
        "VAR_DIR": str(folder),
        "PORT": str(port),
        "DEBUG": "0",
        "DEMO": "1",
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "WEBHOOK_PLAIN_HTTP": "1",
        "WEBHOOK_PORTS": str(hook_port),
    }
    said = folder / "said.txt"
    with said.open("w") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "config.production"], cwd=BASE_DIR, env=env, stdout=out, stderr=out
        )
    try:
        wait_for(
            lambda: "Laurel is ready" in said.read_text() or running.poll() is not None,
            within_s=READY_WITHIN_S,
        )
        text = said.read_text()
        key, game = re.search(r"lrl_sk_\w+", text), re.search(r'"game_id": "([^"]+)"', text)
        assert key, text
        assert game, text
        made = Production(Place(folder, port), key[0], game[1])
        with receiver(hook_port, made.hooks):
            yield made
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(timeout=180)


class receiver:  # noqa: N801 - a context manager
    """A studio's server."""

    def __init__(self, port: int, heard: list[dict[str, Any]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append({"id": self.headers["webhook-id"], **json.loads(body)})
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, port), Handler)

    def __enter__(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def wait_for(happened: Callable[[], bool], *, within_s: float = FOLLOWS_WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def test_an_unlock_is_stored_pushed_ranked_and_told(production: Production) -> None:
    hook = f"http://{HOST}:{hook_port(production)}/hook"
    made = production.ask("POST", "/webhooks", json={"url": hook, "events": ["achievement.unlocked"]})
    assert made.status_code == 201, made.text
    unlock = {"game_id": production.game, "player": "topology", "achievement": "storm-debt"}
    with production.listen("topology") as line:
        first = production.ask("POST", "/achievements/unlock", json=unlock)
        again = production.ask("POST", "/achievements/unlock", json=unlock)
        assert (first.status_code, again.status_code) == (202, 200)
        kinds = set()
        while "achievement.unlocked" not in kinds:
            message = json.loads(line.recv(timeout=FOLLOWS_WITHIN_S))
            kinds.add(message["type"])
            if message["type"] == "ping":
                line.send(json.dumps({"type": "pong"}))
    rank = f"/leaderboards/{production.game}/points/players/topology"
    wait_for(lambda: production.ask("GET", rank).status_code == 200)
    wait_for(lambda: len(production.hooks) > 0)
    time.sleep(2)
    assert [hook["type"] for hook in production.hooks] == ["achievement.unlocked"]


def hook_port(production: Production) -> int:
    env = Path(
        f"/proc/{(production.place.folder / 'run' / 'send_webhooks.pid').read_text().split()[0]}/environ"
    )
    found = re.search(rb"WEBHOOK_PORTS=(\d+)", env.read_bytes())
    assert found
    return int(found[1])


def test_o4_nobody_gets_in_without_a_password_or_as_guest(production: Production) -> None:
    place = production.place
    for role in ("boards", "cache"):
        with redis.Redis(HOST, place.port_of(role)) as nobody, pytest.raises(redis.AuthenticationError):
            nobody.ping()
        url = f"redis://laurel:{place.secret(role)}@{HOST}:{place.port_of(role)}"
        with redis.Redis.from_url(url) as laurel:
            assert laurel.ping()
            with pytest.raises(redis.exceptions.NoPermissionError):
                laurel.flushall()
    for port in (place.port_of("postgres"), place.port_of("pgbouncer")):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(host=HOST, port=port, user="laurel", password="laurel", dbname="laurel")
    for user, password in (("guest", "guest"), ("laurel", "laurel")):
        with pytest.raises((amqp.AccessRefused, OSError)):
            amqp.Connection(
                f"{HOST}:{place.port_of('broker')}", userid=user, password=password, virtual_host="laurel"
            ).connect()


@pytest.mark.parametrize(
    "name",
    [
        "web",
        "live",
        "relay-1",
        "worker-live",
        "worker-facts",
        "worker-bulk",
        "beat",
        "send_webhooks",
        "pgbouncer",
    ],
)
def test_what_is_killed_comes_back_and_nothing_is_lost(production: Production, name: str) -> None:
    pid = int((production.place.folder / "run" / f"{name}.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    player = f"after-{name}"
    unlock = {"game_id": production.game, "player": player, "achievement": "storm-debt"}

    def stored() -> bool:
        try:
            return production.ask("POST", "/achievements/unlock", json=unlock).status_code in (200, 202)
        except httpx.HTTPError:
            return False

    wait_for(stored)
    wait_for(lambda: any(player in json.dumps(hook) for hook in production.hooks))
    rank = f"/leaderboards/{production.game}/points/players/{player}"
    wait_for(lambda: production.ask("GET", rank).status_code == 200)


def test_status_says_what_takes_postgresql_s_time(production: Production) -> None:
    lines = (production.place.folder / "environment").read_text().splitlines()
    env = {name: "".join(shlex.split(value)) for name, _, value in (line.partition("=") for line in lines)}
    command = [sys.executable, "manage.py", "status", "--json"]
    told = subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)
    assert json.loads(told.stdout)["statements"], told.stderr


def test_metrics_are_told_inside_and_not_through_nginx(production: Production) -> None:
    place = production.place
    for name in (
        "WEB",
        "LIVE",
        "RELAY_1",
        "RELAY_2",
        "SEND_WEBHOOKS",
        "WORKER_LIVE",
        "WORKER_FACTS",
        "WORKER_BULK",
        "BEAT",
    ):
        with socket.create_connection((HOST, place.port_of(name)), timeout=30):
            pass
        told = httpx.get(f"http://{HOST}:{place.port_of(name)}/metrics", timeout=30)
        assert "laurel_build_info" in told.text, name
    assert httpx.get(f"{place.url}/metrics", verify=False, timeout=30).status_code == 404
