"""Run Laurel on one machine until Ctrl-C: `python -m config.run`, which is what `make run` calls.

Reads PORT, VAR_DIR, DATABASE_URL, REDIS_URL, CELERY_BROKER_URL and SECRET_KEY; without them it brings its own servers
and its own secret, kept in VAR_DIR.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from environ import Env

from config import named_servers, open_files, static_files, var_dir
from config.backups import laying
from config.children import BASE_DIR, HOST, STOP_ORDER, Place, children, environment, manage
from config.embedded import Postgres, Valkey
from config.processes import CannotStart, Process, stop_all, stop_leftovers
from config.supervisor import TICK_S, Supervisor

DEFAULT_PORT = 8000
LAST_PORT = 65_535
READY_WITHIN_S = 90.0


class _Stopped(Exception):
    """We were told to stop before everything ran."""


def main() -> int:
    """Run everything until told to stop; return the exit code."""
    supervisor = Supervisor(say=say)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: setattr(supervisor, "stopping", True))
    folder = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()
    try:
        place = Place(folder, _port())
        with var_dir.claim(folder, what=f"Laurel at {place.url}"):
            _run(supervisor, place)
    except _Stopped:
        return 0
    except (CannotStart, OSError, subprocess.SubprocessError) as error:
        with suppress(OSError):
            print(f"Laurel can't start. {var_dir.in_plain_words(error, folder)}", file=sys.stderr, flush=True)
        return 1
    return 0


def say(line: str) -> None:
    """Tell the operator; a terminal that is gone is no reason to stop."""
    with suppress(OSError):
        print(line, flush=True)


def _run(supervisor: Supervisor, place: Place) -> None:
    try:
        stop_leftovers(place.folder)
        _require_ports(place.port)
        var_dir.require_space(place.folder)
        open_files.raise_limit()
        env = _with_servers(supervisor, place)
        var_dir.keep_environment(place.folder, env)
        greeting = _start(supervisor, place, env)
        supervisor.wait_until_ready(within_s=READY_WITHIN_S)
        if not supervisor.stopping:
            if greeting:
                say(f"\n{greeting.strip()}")
            say(f"\nLogs are in {place.folder / 'log'}; Ctrl-C stops everything.")
            say(f"Laurel is ready at {place.url}")
        supervisor.watch()
    finally:
        if supervisor.stopping:
            say("\nStopping.")
        supervisor.stop(STOP_ORDER)


def _port() -> int:
    text = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < LAST_PORT:
        raise CannotStart(f"PORT is “{text}”: set it to a number from 1024 to {LAST_PORT - 1}.")
    return int(text)


def _require_ports(port: int) -> None:
    for wanted, purpose in ((port, "PORT"), (port + 1, "PORT + 1, for live connections")):
        try:
            free = var_dir.port_is_free(wanted, HOST)
        except PermissionError:
            raise CannotStart(
                f"Port {wanted} is reserved for root: set PORT to a number above 1023."
            ) from None
        if not free:
            raise CannotStart(
                f"Port {wanted} ({purpose}) is taken by another program: stop that one, "
                f"or choose other ports with `make run PORT={_another(port)}`."
            )


def _another(port: int) -> int:
    """Return a port worth proposing: it and the next one are free now."""
    candidates = range(port + 100, LAST_PORT, 100)
    free = (each for each in candidates if var_dir.port_is_free(each) and var_dir.port_is_free(each + 1))
    return next(free, DEFAULT_PORT)


def _with_servers(supervisor: Supervisor, place: Place) -> dict[str, str]:
    """Reach the servers that our environment names, and start the others; return the environment of everything else."""
    env = environment(place)
    named_servers.require(env)
    env.setdefault("SECRET_KEY", var_dir.kept_secret(place.folder / var_dir.SECRET))
    backups = Path(env["BACKUP_DIR"]).resolve() if "BACKUP_DIR" in env else None
    servers: dict[str, Postgres | Valkey] = {}
    if "REDIS_URL" not in env:
        servers["REDIS_URL"] = Valkey(place.folder)
    if "DATABASE_URL" not in env:
        laying.require_finished(place.folder)
        servers["DATABASE_URL"] = postgres = Postgres(place.folder, backups=backups)
        if backups is not None:
            say(f"Backups and the write-ahead log go to {backups}.")
            env |= {"BACKUP_DIR": str(backups), "BACKUP_DATABASE_URL": postgres.backup_url}
    if servers:
        say(f"Starting {' and '.join(server.name for server in servers.values())} (data in {place.folder}).")
    for server in servers.values():
        supervisor.keep(server)
    for variable, server in servers.items():
        server.start()
        env[variable] = server.url
    return env


def _start(supervisor: Supervisor, place: Place, env: dict[str, str]) -> str:
    """Prepare the database, start the children, and return what the demo has to say; with DEMO=0 nothing."""
    say("Preparing the database.")
    static = static_files.fingerprint(BASE_DIR)
    commands = [manage("migrate", place, env, "--noinput")]
    if static != static_files.collected(place.folder):
        (place.folder / "static").mkdir(exist_ok=True)
        commands.append(manage("collectstatic", place, env, "--noinput", "--clear"))
    _finish(supervisor, *commands)
    static_files.remember(place.folder, static)
    say("Starting web, live, worker, relay, send_webhooks and beat.")
    for process in children(place, env):
        supervisor.keep(process)
    if not Env.parse_value(env["DEMO"], bool):
        return ""
    _finish(supervisor, manage("demo", place, env))
    return _shown_secrets(supervisor, manage("demo", place, env, "--show"))


def _shown_secrets(supervisor: Supervisor, show: Process) -> str:
    """Return what a command prints; its log, which holds secrets, is ours alone and goes at once."""
    before = os.umask(0o077)
    try:
        _finish(supervisor, show)
    finally:
        os.umask(before)
    text = show.log.read_text()
    show.log.unlink()
    return text


def _finish(supervisor: Supervisor, *commands: Process) -> None:
    """Run management commands side by side to their end.

    Raises CannotStart when one fails, _Stopped when we are told to stop.
    """
    try:
        for command in commands:
            command.launch()
        while any(command.alive for command in commands):
            supervisor.check()
            if supervisor.stopping:
                raise _Stopped
            time.sleep(TICK_S / 2)
    finally:
        stop_all(commands)
    for command in commands:
        if command.exit_code:
            raise CannotStart(f"manage.py {command.name} {command.how_it_ended()}; {command.last_words()}.")


if __name__ == "__main__":
    sys.exit(main())
