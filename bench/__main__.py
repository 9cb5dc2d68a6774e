"""Measure Laurel on this machine: `python -m bench`, which is what `make bench` calls."""

import argparse
import sys
from datetime import UTC, datetime

from bench import machine, platform, report
from bench.figures import FULL, QUICK, Bench, Figure
from bench.load import BadAnswer
from bench.measures import MEASURES
from config.processes import CannotStart


def main(arguments: list[str] | None = None) -> int:
    """Run, print and keep the figures; return the exit code."""
    options = _options(arguments)
    plan = QUICK if options.quick else FULL
    names = [
        "limits",
        *(name for name in MEASURES if name != "limits" and name in (options.only or MEASURES)),
    ]
    load, at = machine.load_average(), datetime.now(tz=UTC)
    try:
        with platform.running(players=plan.players) as copy:
            facts = machine.facts(copy, load_at_start=load)
            _say(report.about(facts) + "\n")
            figures = _measure(Bench(copy, plan), names)
    except (CannotStart, BadAnswer) as error:
        print(f"The bench stops here. {error}", file=sys.stderr)
        return 1
    _say("\n" + report.table(figures))
    _say(f"\nKept in {report.keep(figures, facts=facts, plan=plan, at=at)}.")
    return 0


def _measure(bench: Bench, names: list[str]) -> list[Figure]:
    for name in names:
        _say(f"Measuring {name}.")
        for figure in MEASURES[name](bench):
            bench.figures[figure.name] = figure
            _say(f"  {figure.name}: {report.number(figure.value)} {figure.unit}")
    return list(bench.figures.values())


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="everything, but short: figures are rough")
    choices = [name for name in MEASURES if name != "limits"]
    parser.add_argument(
        "--only", action="append", choices=choices, help="the bare limits and this; may be repeated"
    )
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
