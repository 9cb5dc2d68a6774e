"""Run Procfile.production until Ctrl-C: `python -m config.production`, which is what `make production` calls.

Reads PORT (8443), NAME (localhost), VAR_DIR (var/production), DEMO and whatever an operator may set;
`python -m config.production prepare` only lays what the lines read, for another program that runs Procfiles.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from environ import Env

from config import open_files, var_dir
from config.backups import laying
from config.children import BASE_DIR
from config.processes import CannotStart, Process, stop_leftovers
from config.production import procfile
from config.production.place import DEFAULT_PORT, Place, sourced
from config.production.preparing import prepare
from config.run import say
from config.supervisor import TICK_S, Supervisor

READY_WITHIN_S = 120.0


def main(arguments: Sequence[str]) -> int:
    """Run everything until told to stop; return the exit code."""
    supervisor = Supervisor(say=say)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: setattr(supervisor, "stopping", True))
    folder = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var" / "production").resolve()
    if theirs := sourced():
        message = f"This shell has read {theirs.folder / 'environment'}, in which VAR_DIR and PORT are its processes'"
        print(
            f"Laurel can't start. {message}: start it from a shell that has not.", file=sys.stderr, flush=True
        )
        return 1
    place = Place(folder, int(os.environ.get("PORT") or DEFAULT_PORT), os.environ.get("NAME") or "localhost")
    try:
        with var_dir.claim(folder, what=f"Laurel at {place.url}"):
            laying.require_finished(folder)
            if "prepare" in arguments:
                prepare(place)
                say(f"What Procfile.production reads is in {folder / 'environment'}.")
            else:
                _run(supervisor, place)
    except (CannotStart, OSError, subprocess.SubprocessError) as error:
        with suppress(OSError):
            print(f"Laurel can't start. {var_dir.in_plain_words(error, folder)}", file=sys.stderr, flush=True)
        return 1
    return 0


def _run(supervisor: Supervisor, place: Place) -> None:
    try:
        stop_leftovers(place.folder)
        open_files.raise_limit()
        say(f"Preparing what runs in {place.folder}.")
        env = {name: value for name, value in os.environ.items() if value} | prepare(place)
        waiting = {process.name: process for process in procfile.processes(place, env)}
        for names in procfile.FIRST:
            say(f"Starting {', '.join(names)}.")
            for name in names:
                supervisor.keep(waiting.pop(name))
            supervisor.wait_until_ready(within_s=READY_WITHIN_S)
        _manage(supervisor, place, env, "migrate", "--noinput")
        _manage(supervisor, place, env, "collectstatic", "--noinput", "--verbosity", "0")
        say(f"Starting {', '.join(waiting)}.")
        for process in waiting.values():
            supervisor.keep(process)
        supervisor.wait_until_ready(within_s=READY_WITHIN_S)
        if Env.parse_value(env["DEMO"], bool):
            say(_manage(supervisor, place, env, "demo"))
            say(_manage(supervisor, place, env, "demo", "--show"))
        if not supervisor.stopping:
            say(f"\nLogs are in {place.folder / 'log'}; Ctrl-C stops everything.")
            say(f"Laurel is ready at {place.url}")
        supervisor.watch()
    finally:
        if supervisor.stopping:
            say("\nStopping.")
        supervisor.stop(procfile.STOP_ORDER)


def _manage(supervisor: Supervisor, place: Place, env: dict[str, str], *words: str) -> str:
    """Run a management command to its end, and return what it said. Raises CannotStart when it fails."""
    if supervisor.stopping:
        return ""
    argv = [sys.executable, str(BASE_DIR / "manage.py"), *words]
    told = {**env, "LAUREL_PROCESS": f"laurel-{words[0]}"}
    command = Process(words[0], argv, var_dir=place.folder, env=told, folder=BASE_DIR)
    before = os.umask(0o077)  # a demo's secrets are ours alone
    try:
        command.launch()
    finally:
        os.umask(before)
    while command.alive:
        supervisor.check()
        time.sleep(TICK_S)
    said = command.log.read_text()
    if command.exit_code:
        raise CannotStart(f"manage.py {command.name} {command.how_it_ended()}; {command.last_words()}.")
    command.log.unlink()
    return said.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
