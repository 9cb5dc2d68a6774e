"""How figures are shown and kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import orjson

from bench.figures import Figure, Plan
from bench.machine import Facts

RESULTS = Path(__file__).parent / "results"
_BUSY = 0.7  # load average: somebody else was using a core
_HEAD = (
    *("figure", "median", "lowest … highest", "p50 ms", "p95 ms", "p99 ms"),
    *("of its bare limit", "to hold", "generator"),
)
_DIGITS = 3


def table(figures: Iterable[Figure]) -> str:
    """Return figures as a Markdown table whose columns line up in a terminal too."""
    rows = [_HEAD, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_line(row, widths) for row in rows]
    rules = ["-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)]
    return "\n".join([lines[0], f"|{'|'.join(rules)}|", *lines[1:]])


def about(facts: Facts) -> str:
    """Return the machine's facts as a line, and a warning when it was busy."""
    packages = facts["packages"]
    assert isinstance(packages, dict)
    line = (
        f"{facts['cores']} cores of {facts['cpu']}, {facts['memory_gib']} GiB, {facts['kernel']}; "
        f"Python {facts['python']}, PostgreSQL {facts['postgresql']}, Valkey {facts['valkey']}, "
        f"Django {packages['django']}, Granian {packages['granian']}; "
        f"commit {facts['commit']}{' and changes' if facts['changed_since_commit'] else ''}; "
        f"load {facts['load_at_start']} at start."
    )
    load = facts["load_at_start"]
    if isinstance(load, float) and load > _BUSY:
        line += "\nThe machine was busy with something else: these figures are too low."
    return line


def keep(
    figures: Sequence[Figure],
    *,
    facts: Facts,
    plan: Plan,
    at: datetime,
    sizes: Mapping[int, Sequence[Figure]],
) -> Path:
    """Write figures as JSON named after the time; return the file.

    `sizes` are those at each number of stored unlocks; then `figures` are what they say together.
    """
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{at:%Y-%m-%dT%H%M%S}.json"
    content: dict[str, object] = {
        "at": at,
        "machine": facts,
        "plan": asdict(plan),
        "figures": [asdict(figure) for figure in figures],
    }
    if sizes:
        content["sizes"] = {
            str(size): [asdict(figure) for figure in measured] for size, measured in sizes.items()
        }
    file.write_bytes(
        orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
    )
    return file


def _row(figure: Figure) -> tuple[str, ...]:
    latency = figure.latency
    spread = figure.lowest is not None and figure.highest is not None and figure.lowest != figure.highest
    return (
        figure.name,
        f"{number(figure.value)} {figure.unit}",
        f"{number(figure.lowest or 0)} … {number(figure.highest or 0)}" if spread else "",
        *((number(latency.p50), number(latency.p95), number(latency.p99)) if latency else ("", "", "")),
        f"{number(figure.ratio.value)} × {figure.ratio.of}" if figure.ratio else "",
        figure.bar,
        f"{number(figure.generator_us)} µs" if figure.generator_us else "",
    )


def number(value: float) -> str:
    """Return a number with three significant digits and a comma between thousands."""
    if abs(value) >= 10 ** (_DIGITS - 1):
        return f"{float(f'{value:.{_DIGITS}g}'):,.0f}"
    return f"{value:.{_DIGITS}g}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(cells)} |"
