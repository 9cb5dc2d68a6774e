"""One answer for several processes: those of `web` share a port, and whichever is asked tells of all.

Each writes what it counted to a file of its own every other second, a thousandth of a core, and holds a lock as long as
it lives. Whoever is asked adds the files up. Of a process that is gone, killed or not, counters are kept (a sum that
falls looks like a restart, and Prometheus would count everything again), and gauges are not.

Source: the multiprocess mode of prometheus_client, which keeps each value in a mapped file: three times the price of
each count, no gauge that is read when it is asked for, and a file for ever of each process that was (ADR 0069).
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

import orjson
from prometheus_client import REGISTRY
from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

# What is not added up: said by each process of the installation, of the machine, or of itself.
_ONE_OF_ALL: Final[dict[str, Callable[[float, float], float]]] = {
    "laurel_build_info": max,
    "python_info": max,
    "process_max_fds": max,
    "process_start_time_seconds": max,  # one that ends again and again is started anew each time
}
_GONE: Final = "gone"
_COUNTED: Final = ("counter", "histogram", "summary")
# A family as it is written: name, documentation, type, samples of (name, labels, value).
_Family = tuple[str, str, str, list[tuple[str, list[tuple[str, str]], float]]]


class Shared(Collector):
    """What the processes of a folder counted, this one included."""

    def __init__(self, folder: Path, registry: CollectorRegistry = REGISTRY) -> None:
        """Take part from now on until this process ends. Raises OSError."""
        self._folder = folder
        self._registry = registry
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True, exist_ok=True)
        # Locked before it has its name, or who looks just then would take us for gone.
        unnamed = folder / f"{self._name}.new"
        self._lock = unnamed.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unnamed.rename(folder / f"{self._name}.lock")

    def close(self) -> None:
        """Take part no more, as if the process had ended."""
        self._lock.close()

    def hand_over(self) -> None:
        """Write what this process counted. Raises OSError."""
        _write(self._folder / f"{self._name}.json", _snapshot(self._registry.collect()))

    def describe(self) -> list[Metric]:
        """Name nothing: whatever others name is among it."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Add up what all have counted."""
        with self._alone():
            self._bury()
            files = [path for path in self._folder.glob("*.json") if path.stem != self._name]
            others = [_read(path) for path in files]
        yield from _metrics(_sum([_snapshot(self._registry.collect()), *others]))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / "counting").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _bury(self) -> None:
        """Add the counters of those who are gone to what is kept of them."""
        kept = self._folder / f"{_GONE}.json"
        for lock in self._folder.glob("*.lock"):
            if lock.stem == self._name:
                continue
            with suppress(OSError), lock.open("r+") as file:
                if not _is_free(file):
                    continue
                its = self._folder / f"{lock.stem}.json"
                counted = [family for family in _read(its) if family[2] in _COUNTED]
                _write(kept, _sum([_read(kept), counted]))
                its.unlink(missing_ok=True)
                lock.unlink()


def _is_free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _snapshot(metrics: Iterable[Metric]) -> list[_Family]:
    return [
        (
            metric.name,
            metric.documentation,
            metric.type,
            [(sample.name, sorted(sample.labels.items()), sample.value) for sample in metric.samples],
        )
        for metric in metrics
    ]


def _sum(snapshots: Iterable[list[_Family]]) -> list[_Family]:
    about: dict[str, tuple[str, str]] = {}
    sums: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for snapshot in snapshots:
        for name, documentation, kind, samples in snapshot:
            about.setdefault(name, (documentation, kind))
            values = sums.setdefault(name, {})
            for sample, labels, value in samples:
                key = sample, tuple((label, text) for label, text in labels)
                add = _ONE_OF_ALL.get(sample, float.__add__)
                values[key] = add(values[key], float(value)) if key in values else float(value)
    return [
        (name, *about[name], [(sample, list(labels), value) for (sample, labels), value in values.items()])
        for name, values in sums.items()
    ]


def _metrics(families: Iterable[_Family]) -> Iterator[Metric]:
    for name, documentation, kind, samples in families:
        metric = Metric(name, documentation, kind)
        for sample, labels, value in samples:
            metric.add_sample(sample, dict(labels), value)
        yield metric


def _write(path: Path, families: list[_Family]) -> None:
    half = path.with_suffix(".half")
    half.write_bytes(orjson.dumps(families))
    half.rename(path)


def _read(path: Path) -> list[_Family]:
    """Return what a process wrote; nothing of one that has written nothing yet."""
    try:
        read: Any = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return []
    return [(name, documentation, kind, samples) for name, documentation, kind, samples in read]
