"""Measure Laurel on this machine: `python -m bench`, which is what `make bench` and `make bench-scale` call."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from bench import machine, platform, report, scale
from bench.figures import FULL, QUICK, Bench, Figure, Plan
from bench.load import BadAnswer
from bench.measures import ALONE, MEASURES
from config.processes import CannotStart


def main(arguments: list[str] | None = None) -> int:
    """Run, print and keep the figures; return the exit code."""
    options = _options(arguments)
    plan = QUICK if options.quick else FULL
    if options.connections:
        plan = replace(plan, connections=options.connections)
    if options.minutes:
        plan = replace(plan, soak_seconds=options.minutes * 60)
    try:
        return _scaled(plan, options) if options.scale else _once(plan, options)
    except (CannotStart, BadAnswer) as error:
        print(f"The bench stops here. {error}", file=sys.stderr)
        return 1


def _once(plan: Plan, options: argparse.Namespace) -> int:
    wanted = options.only or [name for name in MEASURES if name not in ALONE]
    names = ["limits", *(name for name in MEASURES if name != "limits" and name in wanted)]
    at = datetime.now(tz=UTC)
    facts, figures = _run(plan, names)
    _keep(figures, facts=facts, plan=plan, at=at)
    return 0


def _scaled(plan: Plan, options: argparse.Namespace) -> int:
    """Measure at each size; keep the figures of each, and what they say together."""
    names = ["limits", *(name for name in scale.MEASURES if name in (options.only or scale.MEASURES))]
    at = datetime.now(tz=UTC)
    sizes: dict[int, Sequence[Figure]] = {}
    facts: machine.Facts = {}
    for size in sorted(options.sizes):
        _say(f"\n{size:,} unlocks stored.")
        facts, sizes[size] = _run(
            plan, names, first=partial(scale.filled, size=size), buffers_mib=scale.buffers_mib()
        )
    _keep(scale.growth(sizes), facts=facts, plan=plan, at=at, sizes=sizes)
    return 0


def _run(
    plan: Plan,
    names: list[str],
    *,
    first: Callable[[Bench], Iterator[Figure]] | None = None,
    buffers_mib: int = 0,
) -> tuple[machine.Facts, list[Figure]]:
    """Measure on a copy of Laurel of its own."""
    load = machine.load_average()
    players = max([plan.players, *(ALONE[name](plan) for name in names if name in ALONE)])
    with platform.running(players=players, buffers_mib=buffers_mib) as copy:
        facts = machine.facts(copy, load_at_start=load)
        _say(report.about(facts) + "\n")
        bench = Bench(copy, plan)
        if first is not None:
            _measure(bench, "what is loaded", first)
        for name in names:
            _measure(bench, name, MEASURES[name])
        return facts, list(bench.figures.values())


def _measure(bench: Bench, name: str, measure: Callable[[Bench], Iterator[Figure]]) -> None:
    _say(f"Measuring {name}.")
    for figure in measure(bench):
        bench.figures[figure.name] = figure
        _say(f"  {figure.name}: {report.number(figure.value)} {figure.unit}")


def _keep(
    figures: Sequence[Figure],
    *,
    facts: machine.Facts,
    plan: Plan,
    at: datetime,
    sizes: Mapping[int, Sequence[Figure]] | None = None,
) -> None:
    _say("\n" + report.table(figures))
    file = report.keep(figures, facts=facts, plan=plan, at=at, sizes=sizes or {})
    _say(f"\nKept in {file}. `make benchmarks` writes it into the documents.")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="everything, but short: figures are rough")
    choices = [name for name in MEASURES if name != "limits"]
    parser.add_argument(
        "--only", action="append", choices=choices, help="the bare limits and this; may be repeated"
    )
    parser.add_argument("--scale", action="store_true", help="again and again, with ever more stored")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(size) for size in text.split(",")],
        default=list(scale.SIZES),
        help="with --scale: how many unlocks are stored, such as 10000,200000",
    )
    parser.add_argument("--connections", type=int, help="with --only crowd: how many live connections")
    parser.add_argument("--minutes", type=float, help="with --only soak: for how long")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
