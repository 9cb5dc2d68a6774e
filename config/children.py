"""The processes of the product on one machine: their commands, options, environments, and how each says it is ready."""

import http.client
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config import commands, var_dir
from config.processes import Process

BASE_DIR = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PROBE_WITHIN_S = 1.0
# web, live first: nobody new comes in while the rest finishes what it has begun.
STOP_ORDER = (("web", "live"), ("relay", "beat", "worker", "send_webhooks"), ("valkey",), ("postgres",))
_CONCURRENCY = sum(commands.CONCURRENCY.values())  # one worker serves all queues


@dataclass(frozen=True)
class Place:
    """Where this copy of Laurel lives: its folder and its two ports."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Return the address of the `web` process."""
        return f"http://{HOST}:{self.port}"

    @property
    def live_url(self) -> str:
        """Return the address of the `live` process."""
        return f"http://{HOST}:{self.port + 1}"


def environment(place: Place) -> dict[str, str]:
    """Return our environment with what every process needs, but for the servers' addresses and the secret."""
    return {
        "PUBLIC_URL": place.url,
        "LIVE_URL": place.live_url,
        "DEBUG": "0",
        "DEMO": "1",
        **commands.ALLOCATOR,
        **{name: value for name, value in os.environ.items() if value},
        "PORT": str(place.port),
        "VAR_DIR": str(place.folder),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
    }


def children(place: Place, env: dict[str, str]) -> list[Process]:
    """Return the processes in the order in which they start."""
    ready_file = place.folder / "run" / "worker.ready"
    ready_file.unlink(missing_ok=True)
    web = commands.web(host=HOST, port=place.port)
    live = commands.live(host=HOST, port=place.port + 1)
    worker = commands.worker("live", "facts", "bulk", concurrency=_CONCURRENCY)
    beat = commands.beat(schedule=place.folder / "run" / "beat-schedule")
    processes = [
        _child("web", place, env, *web, ready=lambda: _answers(place.port, "/readyz")),
        _child("live", place, env, *live, ready=lambda: _answers(place.port + 1, "/livez")),
        _child("worker", place, env | {"READY_FILE": str(ready_file)}, *worker, ready=ready_file.exists),
        manage("relay", place, env),
        manage("send_webhooks", place, env),
        _child("beat", place, env, *beat),
    ]
    first = var_dir.kept_ports(place.folder / "metrics.json", len(processes))
    for port, process in enumerate(processes, start=first):
        process.env = {**(process.env or {}), "METRICS_PORT": str(port)}
    return processes


def manage(command: str, place: Place, env: dict[str, str], *arguments: str) -> Process:
    """Return a management command as a process of that name."""
    argv = [sys.executable, str(BASE_DIR / "manage.py"), command, *arguments]
    return Process(command, argv, var_dir=place.folder, env=_named(command, env), folder=BASE_DIR)


def _child(
    name: str, place: Place, env: dict[str, str], *module: str, ready: Callable[[], bool] | None = None
) -> Process:
    argv = [sys.executable, "-m", *module]
    return Process(name, argv, var_dir=place.folder, env=_named(name, env), folder=BASE_DIR, ready=ready)


def _named(name: str, env: dict[str, str]) -> dict[str, str]:
    """Let the database's list of sessions and the log say which process it is."""
    return {**env, "LAUREL_PROCESS": f"laurel-{name}"}


def _answers(port: int, path: str) -> bool:
    """Say whether our own server answers 200; a proxy of the environment has no say in that."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_WITHIN_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
