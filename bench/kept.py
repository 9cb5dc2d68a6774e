"""What bench/results holds: the newest of each figure, and whether it is as promised."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from bench.report import RESULTS

_REPETITIONS: Final = 3  # of an ordinary run; fewer are a rough look, and no figure of ours
_CLAUSE: Final = re.compile(
    r"(?P<what>p50|p95|p99)?\s*(?P<sign>[<>≤≥])\s*(?P<number>[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)\s*(?P<unit>[^,]*)"
)
_RANGE: Final = re.compile(r"(?P<low>[0-9.]+) … (?P<high>[0-9.]+)")
_MS: Final = {"ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class Source:
    """A result: its file, what it says of the machine, and when it was begun."""

    file: str
    at: str
    machine: Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """A figure as it was kept, and where."""

    name: str
    value: float
    unit: str
    lowest: float | None
    highest: float | None
    latency: Mapping[str, float] | None
    ratio: Mapping[str, Any] | None
    bar: str
    source: Source


@dataclass(frozen=True)
class Verdict:
    """Whether a figure is as promised.

    Attributes:
        by: how far it is from that, as a fraction of the promise; of one that is 0, in the figure's unit.

    """

    is_met: bool
    by: float
    is_fraction: bool = True

    @property
    def told(self) -> str:
        """Return how far it is from the promise."""
        return f"{self.by:.0%}" if self.is_fraction else f"{self.by:g}"


def newest(folder: Path = RESULTS) -> dict[str, Kept]:
    """Return the newest of each figure, in the order of their first appearance."""
    found: dict[str, Kept] = {}
    for one in _all(folder):
        found[one.name] = one
    return found


def by_size(folder: Path = RESULTS) -> dict[int, dict[str, Kept]]:
    """Return the newest figures at each number of stored unlocks; none before there were any."""
    found: dict[int, dict[str, Kept]] = {}
    for source, content in _results(folder):
        if content["plan"]["repetitions"] >= _REPETITIONS and "sizes" in content:
            found = {
                int(size): {one["name"]: _kept(one, source) for one in figures}
                for size, figures in content["sizes"].items()
            }
    return found


def verdict(figure: Kept) -> Verdict | None:
    """Hold a figure against what is promised of it, the worst of several promises; None where nothing is."""
    if found := _RANGE.fullmatch(figure.bar):
        return _within(figure, float(found["low"]), float(found["high"]))
    verdicts = [_clause(figure, clause) for clause in _CLAUSE.finditer(figure.bar)]
    return min(verdicts, key=lambda one: (one.is_met, -one.by if not one.is_met else one.by), default=None)


def _within(figure: Kept, low: float, high: float) -> Verdict:
    value = float(f"{figure.value:.3g}")  # as it is shown
    return Verdict(low <= value <= high, max(low - value, value - high, 0.0) / high)


def _clause(figure: Kept, clause: re.Match[str]) -> Verdict:
    bound = float(clause["number"].replace(",", ""))
    unit, what = clause["unit"].strip(), clause["what"]
    if what:
        assert figure.latency is not None  # it is promised of one
        value, bound = figure.latency[what], bound * _MS[unit or _unit_of(figure.bar)]
    elif unit.startswith(("of ", "× alone")):
        assert figure.ratio is not None
        value = float(figure.ratio["value"])
    else:
        value = figure.value
    is_upper = clause["sign"] in "<≤"
    is_met = value <= bound if is_upper else value >= bound
    return Verdict(is_met, abs(value - bound) / (bound or 1.0), is_fraction=bound != 0)


def _unit_of(bar: str) -> str:
    """Return the unit that stands once behind the last of several: `p95 < 10, p99 < 25 ms`."""
    return bar.rpartition(" ")[2]


def _all(folder: Path) -> Iterator[Kept]:
    for source, content in _results(folder):
        is_whole = content["plan"]["repetitions"] >= _REPETITIONS
        for one in content["figures"]:
            if is_whole:
                yield _kept(one, source)


def _kept(one: Mapping[str, Any], source: Source) -> Kept:
    return Kept(
        name=one["name"],
        value=one["value"],
        unit=one["unit"],
        lowest=one["lowest"],
        highest=one["highest"],
        latency=one["latency"],
        ratio=one["ratio"],
        bar=one["bar"],
        source=source,
    )


def _results(folder: Path) -> Iterator[tuple[Source, Mapping[str, Any]]]:
    for file in sorted(folder.glob("*.json")):
        content = orjson.loads(file.read_bytes())
        yield Source(file.name, content["at"], content["machine"]), content


def sources(figures: Sequence[Kept]) -> list[Source]:
    """Return where figures come from, oldest first, each once."""
    found = {one.source.file: one.source for one in figures}
    return [found[file] for file in sorted(found)]
