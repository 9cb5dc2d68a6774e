"""The facts of the machine and the versions that figures belong to."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import redis

from bench.load import BadAnswer
from bench.platform import Platform
from config.children import BASE_DIR

_PACKAGES = [
    "django",
    "djangorestframework",
    "granian",
    "uvicorn",
    "celery",
    "psycopg",
    "redis",
    "hiredis",
    "orjson",
]
_GIBIBYTE = 2**30
# utime, stime, cutime, cstime behind the name's bracket; Source: proc_pid_stat(5)
_TIMES_OF_STAT = (11, 12, 13, 14)

Facts = dict[str, str | int | float | bool | dict[str, str]]


def resident_kib(pid: int) -> float:
    """Return what a process, and those that it started, hold in memory. Raises BadAnswer where nobody knows."""
    held = 0.0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                held += float(line.split()[1])
        started = " ".join(each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        raise BadAnswer("The system does not tell how much memory a process has.") from None
    return held + sum(resident_kib(int(child)) for child in started.split())


def pss_kib(pid: int) -> float:
    """Return a process' and its children's share of memory: what several share is divided among them.

    Raises:
        BadAnswer: nobody knows.

    """
    held = 0.0
    for one in tree(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since
        except OSError:
            raise BadAnswer("The system does not tell how much memory a process has.") from None
        held += sum(float(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return held


def cpu_seconds(pid: int) -> float:
    """Return what a process and its children, those that have ended included, have used of the CPU."""
    ticks = 0
    for one in tree(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended since
        ticks += sum(int(fields[place]) for place in _TIMES_OF_STAT)
    return ticks / os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """Return a process and all that came of it and run."""
    try:
        started = " ".join(each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        return [pid]
    return [pid, *(one for child in started.split() for one in tree(int(child)))]


def memory_gib() -> float:
    """Return how much memory this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIBIBYTE


def available_kib() -> float:
    """Return what the machine could still give away, buffers of sockets counted as taken."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return float(line.split()[1])
    raise BadAnswer("The system does not tell how much memory is left.")


def facts(platform_: Platform, *, load_at_start: float) -> Facts:
    """Return what a reader needs to judge figures by."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_gib": round(memory_gib(), 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": _postgresql(platform_),
        "valkey": _valkey(platform_),
        "packages": {name: version(name) for name in _PACKAGES},
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed_since_commit": bool(_git("status", "--porcelain")),
        "load_at_start": load_at_start,
    }


def load_average() -> float:
    """Return how many processes wanted to run in the last minute; more than a few tenths disturb figures."""
    return round(os.getloadavg()[0], 2)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _postgresql(platform_: Platform) -> str:
    with platform_.connect() as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else ""


def _valkey(platform_: Platform) -> str:
    with redis.Redis.from_url(platform_.servers.redis_url) as client:
        server = client.info("server")
    return str(server.get("valkey_version") or server["redis_version"])


def _git(*arguments: str) -> str:
    program = shutil.which("git")
    if program is None:
        return ""
    run = subprocess.run([program, *arguments], cwd=BASE_DIR, capture_output=True, text=True, check=False)
    return run.stdout.strip()
