"""Rate limits: what taking a token costs, and how many are let through over many processes."""

import subprocess
import sys
from collections.abc import Iterator

import orjson

from bench.figures import Bench, Figure
from config.children import BASE_DIR
from core.rates import Rate

LIMIT = Rate("bench", 500.0, 500)
_PROCESSES = 8
_MINUTE_S = 60.0


def measure(bench: Bench) -> Iterator[Figure]:
    """Time single takes, then let eight processes take as many as they get for a minute."""
    costs = _told(_started(bench, "costs"))
    yield Figure("limiter: a take of tokens that are held", costs["held"], "µs", bar="< 300 µs")
    yield Figure("limiter: a take that asks Valkey", costs["asked"], "µs", bar="< 300 µs")
    seconds = min(_MINUTE_S, 7.5 * bench.plan.rate_seconds)
    running = [_started(bench, "everybody", str(seconds)) for _ in range(_PROCESSES)]
    told = [_told(process) for process in running]
    lasted = max(one["ended"] for one in told) - min(one["began"] for one in told)
    quota = LIMIT.burst + LIMIT.per_s * lasted
    passed = sum(one["allowed"] for one in told)
    name = f"limiter: let through in {seconds:.0f} s over {_PROCESSES} processes, of the quota"
    yield Figure(name, passed / quota, "×", bar="1 … 1.05")


def _started(bench: Bench, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.taking", *arguments]
    return subprocess.Popen(command, env=bench.platform.env, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True)


def _told(process: "subprocess.Popen[str]") -> dict[str, float]:
    output, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, output)
    told: dict[str, float] = orjson.loads(output.splitlines()[-1])
    return told
