"""Become one of the product's processes: `python -m config.start web`, as containers and Procfile.production do.

Reads HOST (0.0.0.0), PORT (8000) and WEB_WORKERS for `web`, LIVE_PORT (8001) for `live`, CONCURRENCY for workers,
VAR_DIR. Afterwards the process is the program itself, so that nobody has to pass signals on.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from config import commands, open_files
from config.commands import CONCURRENCY

BASE_DIR = Path(__file__).resolve().parent.parent
_WEB_ENDS_WITHIN_S = 65  # the longest request, an import, may take a minute
_Env = Mapping[str, str]


def _web(env: _Env) -> list[str]:
    workers = int(env.get("WEB_WORKERS") or commands.WEB_WORKERS)
    port = int(env.get("PORT") or 8000)
    return [
        "-m",
        *commands.web(host=_host(env), port=port, workers=workers, ends_within_s=_WEB_ENDS_WITHIN_S),
    ]


def _live(env: _Env) -> list[str]:
    return ["-m", *commands.live(host=_host(env), port=int(env.get("LIVE_PORT") or 8001))]


def _worker(queue: str) -> Callable[[_Env], list[str]]:
    def command(env: _Env) -> list[str]:
        concurrency = int(env.get("CONCURRENCY") or CONCURRENCY[queue])
        return ["-m", *commands.worker(queue, concurrency=concurrency)]

    return command


def _beat(env: _Env) -> list[str]:
    return ["-m", *commands.beat(schedule=_var_dir(env) / "beat-schedule")]


def _manage(*words: str) -> Callable[[_Env], list[str]]:
    return lambda _env: [str(BASE_DIR / "manage.py"), *words]


def _var_dir(env: _Env) -> Path:
    return Path(env.get("VAR_DIR") or BASE_DIR / "var").resolve()


def _host(env: _Env) -> str:
    return env.get("HOST") or "0.0.0.0"  # noqa: S104 - a container's own network; by hand HOST names another one


PROCESSES: Mapping[str, Callable[[_Env], list[str]]] = {
    "web": _web,
    "live": _live,
    "relay": _manage("relay"),
    "send_webhooks": _manage("send_webhooks"),
    **{f"worker-{queue}": _worker(queue) for queue in CONCURRENCY},
    "beat": _beat,
    "migrate": _manage("migrate", "--noinput"),
}


def command(name: str, env: _Env) -> list[str]:
    """Return what to run as a process of that name. Raises KeyError for another name."""
    return [sys.executable, *PROCESSES[name](env)]


def main(arguments: list[str]) -> None:
    """Become the process that is named."""
    if len(arguments) != 1 or arguments[0] not in PROCESSES:
        sys.exit(f"Say which process: python -m config.start {'|'.join(PROCESSES)}")
    name = arguments[0]
    # Empty is not given: files of environments leave things out that way.
    env = {**commands.ALLOCATOR, **{variable: value for variable, value in os.environ.items() if value}}
    env |= {"LAUREL_PROCESS": f"laurel-{name}", "DJANGO_SETTINGS_MODULE": "config.settings"}
    _var_dir(env).mkdir(mode=0o750, parents=True, exist_ok=True)
    if ready := env.get("READY_FILE"):
        Path(ready).unlink(missing_ok=True)  # of the process before: /tmp of a pod outlives its containers
    open_files.raise_limit()
    os.chdir(BASE_DIR)
    os.execve(sys.executable, command(name, env), env)  # noqa: S606 - a list of words of ours


if __name__ == "__main__":
    main(sys.argv[1:])
