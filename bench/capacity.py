"""What an installation needs, reckoned from what one of each costs: the tables of docs/capacity.md.

Whatever was not measured is not guessed: it stands there as a dash.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.kept import Kept
from bench.measures import costs
from bench.report import number

ONLINE: Final = (10_000, 100_000, 1_000_000, 10_000_000)
_UNLOCKS_A_MINUTE: Final = 0.1  # of each player online: 10,000 a minute for 100,000
_LOOKS_S: Final = 240.0  # between two looks of a player at his dashboard
_BOARDS_S: Final = 240.0  # and at a board
_REGISTERED: Final = 10  # for each who is online at the busiest hour
_BUSIEST: Final = 3  # times the average of a day
_USED: Final = 0.6  # of a core, so that a busy minute finds room
_CONNECTIONS_OF_A_PROCESS: Final = 19_000  # of 20,000 sockets
_BOARDS: Final = 3  # that a player stands on: all games, one game, his region
_DAY_S: Final = 86_400
_GIB: Final = 2**30
_MIB: Final = 2**20


@dataclass(frozen=True)
class _Unit:
    """What one of something costs: the figure's name, or the beginning and the end of it, and what it is used for."""

    name: str
    what: str


_UNITS: Final = {
    "unlock": _Unit(f"{costs.SINGLE}: CPU", "CPU of an unlock, all that follows included"),
    "batched": _Unit(f"{costs.BATCHED}: CPU", "the same, of one in a batch of 100"),
    "postgres": _Unit(f"{costs.SINGLE}: CPU of postgres", "of which PostgreSQL"),
    "web": _Unit(f"{costs.SINGLE}: CPU of web", "of which `web`"),
    "worker": _Unit(f"{costs.SINGLE}: CPU of worker", "of which workers"),
    "stored": _Unit(f"{costs.SINGLE}: bytes in PostgreSQL", "what an unlock adds to the database"),
    "logged": _Unit(f"{costs.SINGLE}: bytes of its log (WAL)", "what an unlock adds to its log"),
    "look": _Unit("cost of a dashboard, kept: CPU", "CPU of a look at a dashboard"),
    "board": _Unit("cost of a board's top page, by key: CPU", "CPU of a page of a board"),
    "page": _Unit("open pages: memory of each of 10,000", "memory of a live connection in `live`"),
    "ping": _Unit(
        "cost of a live connection, nothing said: CPU a second", "CPU of a live connection, each second"
    ),
    "entry": _Unit("board: memory", "memory of a player on a board in Valkey"),
}
Units = Mapping[str, float]


def tables(figures: Mapping[str, Kept]) -> dict[str, str]:
    """Return the tables by their names."""
    found = {name: figures[unit.name] for name, unit in _UNITS.items() if unit.name in figures}
    values = {name: one.value for name, one in found.items()}
    return {
        "unit costs": _units(found),
        "measured": _measured(figures),
        "reckoned": _reckoned(values),
    }


def _units(found: Mapping[str, Kept]) -> str:
    lines = ["| what | one costs | figure | measured in |", "|--|--:|--|--|"]
    for name, unit in _UNITS.items():
        one = found.get(name)
        if one is None:
            lines.append(f"| {unit.what} | – | {unit.name} | not measured yet |")
        else:
            link = f"[{one.source.at[:10]}](../bench/results/{one.source.file})"
            lines.append(f"| {unit.what} | {number(one.value)} {one.unit} | {unit.name} | {link} |")
    return "\n".join(lines)


_SEEN: Final = (
    ("10,000", "open pages: memory of each of 10,000", "10,000 connections on one `live`: memory of each"),
    ("10,000", "unlock to open page, 10,000 others held", "167 unlocks/s meanwhile: to the page"),
    ("100,000", "single unlocks at 167/s, players known", "10,000 unlocks a minute: one a request"),
    (
        "100,000",
        "100,000 live connections: memory of all processes",
        "100,000 connections: memory of all processes",
    ),
    (
        "100,000",
        "100,000 live connections: unlock to its page at 167/s",
        "167 unlocks/s meanwhile: to the page",
    ),
    (
        "200,000",
        "soak of 60 minutes at 334 unlocks/s: answers",
        "20,000 unlocks a minute for an hour: answers",
    ),
)


def _measured(figures: Mapping[str, Kept]) -> str:
    lines = ["| online | what | median | p50 / p95 / p99 ms | measured in |", "|--:|--|--:|--:|--|"]
    for online, name, what in _SEEN:
        one = figures.get(name)
        if one is None:
            lines.append(f"| {online} | {what} | – | – | not measured yet |")
            continue
        times = " / ".join(number(one.latency[part]) for part in ("p50", "p95", "p99")) if one.latency else ""
        link = f"[{one.source.at[:10]}](../bench/results/{one.source.file})"
        lines.append(f"| {online} | {what} | {number(one.value)} {one.unit} | {times} | {link} |")
    return "\n".join(lines)


def unlocks_per_s(online: int) -> float:
    """Return how many unlocks come in a busy second."""
    return online * _UNLOCKS_A_MINUTE / 60


def _cores(per_second: float, microseconds: float) -> float:
    return per_second * microseconds / 1e6 / _USED


_ROWS: Final[tuple[tuple[str, tuple[str, ...], Callable[[int, Units], str]], ...]] = (
    ("unlocks a second", (), lambda n, _: number(unlocks_per_s(n))),
    ("looks at dashboards a second", (), lambda n, _: number(n / _LOOKS_S)),
    ("looks at boards a second", (), lambda n, _: number(n / _BOARDS_S)),
    (
        "cores for unlocks, one a request",
        ("unlock",),
        lambda n, u: number(_cores(unlocks_per_s(n), u["unlock"])),
    ),
    ("of which PostgreSQL", ("postgres",), lambda n, u: number(_cores(unlocks_per_s(n), u["postgres"]))),
    ("of which `web`", ("web",), lambda n, u: number(_cores(unlocks_per_s(n), u["web"]))),
    ("of which workers", ("worker",), lambda n, u: number(_cores(unlocks_per_s(n), u["worker"]))),
    (
        "cores for unlocks, in batches of 100",
        ("batched",),
        lambda n, u: number(_cores(unlocks_per_s(n), u["batched"])),
    ),
    (
        "cores for dashboards and boards",
        ("look", "board"),
        lambda n, u: number(_cores(n / _LOOKS_S, u["look"]) + _cores(n / _BOARDS_S, u["board"])),
    ),
    ("`live` processes", (), lambda n, _: f"{math.ceil(n / _CONNECTIONS_OF_A_PROCESS):,}"),
    ("memory of live connections, GiB", ("page",), lambda n, u: number(n * u["page"] * 1024 / _GIB)),
    ("cores for live connections", ("ping",), lambda n, u: number(_cores(n, u["ping"]))),
    (
        "Valkey's memory for boards, GiB",
        ("entry",),
        lambda n, u: number(n * _REGISTERED * _BOARDS * u["entry"] / _GIB),
    ),
    (
        "PostgreSQL grows by, GiB a day",
        ("stored",),
        lambda n, u: number(unlocks_per_s(n) / _BUSIEST * _DAY_S * u["stored"] / _GIB),
    ),
    (
        "PostgreSQL writes to its log, MiB/s",
        ("logged",),
        lambda n, u: number(unlocks_per_s(n) * u["logged"] / _MIB),
    ),
)


def _reckoned(values: Units) -> str:
    heads = " | ".join(f"{online:,} online" for online in ONLINE)
    lines = [f"| | {heads} |", f"|--|{'--:|' * len(ONLINE)}"]
    for name, wanted, reckon in _ROWS:
        known = all(unit in values for unit in wanted)
        cells = (reckon(online, values) if known else "–" for online in ONLINE)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
