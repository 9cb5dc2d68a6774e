"""Procfile.production as processes under our eyes: each line's program, and how it says that it is ready."""

import shlex
import shutil
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from string import Template

from config import healthy, launch, programs
from config.children import BASE_DIR
from config.processes import CannotStart, Process
from config.production.place import HOST, Place

PROCFILE = BASE_DIR / "Procfile.production"
# The servers that everything needs come first, each group once the ones before answer; they are stopped in reverse.
FIRST = (("postgres", "epmd"), ("pgbouncer", "valkey-boards", "valkey-cache", "rabbitmq"))
STOP_ORDER = (
    ("nginx",),
    ("web", "live"),
    ("relay-1", "relay-2", "beat", "worker-live", "worker-facts", "worker-bulk", "send_webhooks"),
    ("pgbouncer", "valkey-boards", "valkey-cache", "rabbitmq"),
    ("epmd",),
    ("postgres",),
)
_NOT_AS_ROOT = ("nginx", "postgres", "pgbouncer", "valkey-boards", "valkey-cache")
_PORTS = {
    "postgres": "postgres",
    "pgbouncer": "pgbouncer",
    "valkey-boards": "boards",
    "valkey-cache": "cache",
    "epmd": "epmd",
    "rabbitmq": "broker",
}
# PostgreSQL ends sessions and writes a checkpoint; PgBouncer lets transactions end.
_STOP_SIGNALS = {"postgres": signal.SIGINT, "pgbouncer": signal.SIGINT}
_STOPS_WITHIN_S = 70.0  # `web` ends its requests first (config/start.py)


def lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and command of each line that is no comment."""
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, command = line.partition(":")
            yield name.strip(), command.strip()


def processes(place: Place, env: Mapping[str, str]) -> list[Process]:
    """Return the processes in the order of their lines; nothing is started. Raises CannotStart."""
    return [_process(place, env, name, command) for name, command in lines(PROCFILE.read_text())]


def _process(place: Place, env: Mapping[str, str], name: str, command: str) -> Process:
    words = [Template(word).substitute(env) for word in shlex.split(command)]
    program = shutil.which(words[0], path=env["PATH"])
    if program is None:
        raise CannotStart(f"{words[0]} is missing: install it with the system's package manager.")
    ready_file = place.folder / "run" / f"{name}.ready"
    ready_file.unlink(missing_ok=True)
    is_server = name in _NOT_AS_ROOT
    return Process(
        name,
        [program, *words[1:]],
        var_dir=place.folder,
        env=programs.server_environment() if is_server else {**env, "READY_FILE": str(ready_file)},
        account=programs.account_for(place.folder / "postgres", place.folder) if is_server else launch.SAME,
        stop_signal=_STOP_SIGNALS.get(name, signal.SIGTERM),
        stop_within_s=_STOPS_WITHIN_S,
        folder=place.folder if is_server else BASE_DIR,
        ready=_readiness(place, name, ready_file),
    )


def _readiness(place: Place, name: str, ready_file: Path) -> Callable[[], bool] | None:
    if name in _PORTS:
        return lambda: _listens(place.port_of(_PORTS[name]))
    if name == "nginx":
        return lambda: _listens(place.port)
    if name.startswith("worker-"):
        return ready_file.exists
    asked = {"web": "/readyz", "live": "/livez"}
    return (lambda: _answers(place.port_of(name), asked[name])) if name in asked else None


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _answers(port: int, path: str) -> bool:
    try:
        return healthy.answers(port, path)
    except OSError:
        return False
