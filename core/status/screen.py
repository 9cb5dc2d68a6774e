"""A status as one screen of text."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from core.dependencies import OK
from core.status.values import Status

_UNKNOWN: Final = "not known"
_WIDE: Final = 100  # characters of a statement or an error
_RATES: Final = {
    "requests": "requests/s",
    "unlocks": "unlocks/s",
    "pushes": "pushes/s",
    "webhooks": "webhooks/s",
}


def lines(status: Status) -> Iterator[str]:
    """Yield the screen, line by line."""
    yield f"Laurel at {_time(status.at)}"
    yield from _dependencies(status)
    yield from _processes(status)
    yield from _followers(status)
    yield from _work(status)
    yield from _errors(status)
    yield from _statements(status)
    yield ""
    if status.troubles:
        yield f"{len(status.troubles)} in trouble:"
        yield from (f"  {one}" for one in status.troubles)
    else:
        yield "All is well."


def _dependencies(status: Status) -> Iterator[str]:
    yield f"\n{'dependency':<24}{'status':<12}{'answers in':>12}"
    for name, found in status.dependencies.items():
        latency = "" if found.latency_s is None else f"{found.latency_s * 1000:.1f} ms"
        yield f"{name:<24}{found.status if found.status == OK else found.status.upper():<12}{latency:>12}"


def _processes(status: Status) -> Iterator[str]:
    yield f"\n{'process':<24}{'alive':<12}{'sessions':>12}   youngest since"
    for one in status.processes:
        seen = "?" if one.seen is None else str(one.seen) if one.seen else "NONE"
        sessions = "?" if one.sessions is None else str(one.sessions)
        since = "" if one.since is None else _time(one.since)
        yield f"{one.process:<24}{seen:<12}{sessions:>12}   {since}".rstrip()


def _followers(status: Status) -> Iterator[str]:
    yield f"\n{'follower':<24}{'facts behind':<16}{'seconds':>8}{'dead letters':>15}"
    if status.followers is None:
        yield _UNKNOWN
    for lag in status.followers or ():
        yield f"{lag.follower:<24}{lag.facts:<16}{lag.seconds:>8.1f}{lag.dead_letters:>15}"


def _work(status: Status) -> Iterator[str]:
    yield ""
    waiting = (
        _UNKNOWN
        if status.queues is None
        else "  ".join(f"{queue} {depth}" for queue, depth in status.queues.items())
    )
    yield f"{'queues':<24}{waiting}"
    hooks = status.webhooks
    yield f"{'webhooks due':<24}" + (
        _UNKNOWN if hooks is None else f"{hooks['due']:.0f}, the oldest for {hooks['oldest_due_s']:.0f} s"
    )
    rates = status.rates
    yield f"{'in the last minute':<24}" + (
        _UNKNOWN
        if rates is None
        else "  ".join(f"{rates[name]:.1f} {said}" for name, said in _RATES.items() if name in rates)
        or _UNKNOWN
    )
    backup = "not known here" if not status.backup else _time(status.backup.get("last_success", 0))
    yield f"{'last backup':<24}{backup}"


def _errors(status: Status) -> Iterator[str]:
    if status.failures:
        yield "\nlast errors"
    for failure in status.failures or ():
        over = " (went well since)" if failure.is_over else ""
        yield f"  {_time(failure.at)}  {failure.what}{over}: {failure.error[:_WIDE]}"


def _statements(status: Status) -> Iterator[str]:
    if status.statements:
        yield f"\n{'calls':>12}{'mean ms':>10}{'total s':>10}  statement"
    for one in status.statements or ():
        yield f"{one.calls:>12}{one.mean_ms:>10.2f}{one.total_s:>10.1f}  {one.sql[:_WIDE]}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
