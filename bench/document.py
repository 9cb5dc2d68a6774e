"""Write docs/benchmarks.md, and the tables of docs/capacity.md, from bench/results: what `make benchmarks` calls."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench import capacity, kept
from bench.kept import Kept, Source, Verdict
from bench.report import number

DOCS: Final = Path(__file__).parent.parent / "docs"
_BUSY: Final = 0.7  # load average: somebody else was using a core
_TABLES: Final = re.compile(r"(<!-- begin: {} -->\n).*?(<!-- end -->)".replace("{}", "([a-z ]+)"), re.DOTALL)
# What is asked for by its beginning, or by a part of its name; the first that fits.
_GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "The bare limits": ("bare ",),
    "With ever more stored": (" stored instead of ",),
    "What one of each costs": ("cost of ",),
    "A hundred thousand live connections": (" live connections",),
    "An hour at twice the target": ("soak of ",),
    "More than can be taken, and limits": (
        "overload",
        "another studio",
        "limiter",
        "with the door and the limits",
    ),
    "Unlocks": ("single unlocks", "batches of 100", "meanwhile ", "… which is"),
    "Live pages": ("unlock to open page", "open pages"),
    "Boards": ("board", "scores"),
    "Stats": ("stats",),
    "Dashboards and trends": ("dashboard", "trend"),
    "The player site": ("player site",),
    "Friends": ("500 friends", "two players"),
    "Webhooks": ("webhooks",),
    "Analytics and the portal": ("analytics", "portal"),
    "Players who are linked, or leave": ("player linked", "player erased"),
}
_ORDER: Final = (
    *(
        "The bare limits",
        "Unlocks",
        "Live pages",
        "Boards",
        "Stats",
        "Dashboards and trends",
        "The player site",
    ),
    *("Friends", "Webhooks", "Analytics and the portal", "Players who are linked, or leave"),
    "More than can be taken, and limits",
    *("What one of each costs", "With ever more stored", "A hundred thousand live connections"),
    *("An hour at twice the target", "Others"),
)
_LATER: Final = {
    "What one of each costs": "`.venv/bin/python -m bench --only costs`",
    "With ever more stored": "`make bench-scale`",
    "A hundred thousand live connections": "`make bench-scale`",
    "An hour at twice the target": "`make bench-scale`",
}
# Why a promise is missed; one that is held again needs none.
_WHY: Final = {
    "batches of 100, stored, ranked, counted, told": "both cores are busy throughout. An unlock takes about 200 µs of "
    "them, more than half of it in PostgreSQL, which writes the unlock, its totals and its fact, then rollups and the "
    "inbox (*cost of an unlock, in batches of 100*); the load generator shares the cores",
    "overload at 5 times the peak, clients that wait for nothing: unlocks taken": "a refusal is cheap, not free, and "
    "who does not heed `Retry-After` is refused several times for each unlock that is taken, on the same cores",
    "cost of an unlock, in batches of 100: CPU: at 10,000,000 stored instead of 10,000": "the ten million are of a "
    "million players instead of 20,000: each unlock of a batch touches rows, index pages and places on boards that "
    "nobody has touched lately, which costs PostgreSQL 1.6 times as much, Valkey 2.7, and the workers that read them "
    "2.1. With a developer's 256 MB of PostgreSQL's buffers it was 2.8 times the cost in all",
    "soak of 60 minutes at 334 unlocks/s: answers that nobody expects": "25 of 823,000 were 429 and one was 503. Both "
    "cores of a slow machine were busy all the hour, the load generator among it, and one caller, as which all of it "
    "comes, may have 128 requests under way: a standstill of a second now and then is more than that",
    "soak of 60 minutes at 334 unlocks/s: memory of worker, last third of first": "11 MiB more, where it was 16 before "
    "the C library had only two places for what was given back (`MALLOC_ARENA_MAX`); what is left nobody has found yet",
    "single unlocks, 64 connections: at 10,000,000 stored instead of 10,000": "an unlock takes as much CPU (above). "
    "After the load nearly each page is touched for the first time since a checkpoint, and goes to the log as a whole "
    "(48,000 bytes an unlock instead of 6,000) before the answer",
    "100,000 live connections: unlock to its page at 167/s": "Laurel takes 1.5 of the two cores here, and 100,000 "
    "clients and the load the rest: whatever comes in bursts waits. With 10,000 connections it is held",
}
_HEAD: Final = """\
# Benchmarks

This page is made by `make benchmarks` from `bench/results/`: change nothing here. What each figure means and how it is
measured stands in [bench/README.md](../bench/README.md); what is promised, in [architecture.md](architecture.md); what
follows for the size of an installation, in [capacity.md](capacity.md).

## Method
`make bench` runs PostgreSQL, Valkey, every process of Laurel and the load generator on one machine, and stops at any
answer but the expected one. A figure is the median of three repetitions; beside it stand the lowest and the highest.
Of each figure the newest whole run counts; its number leads to the list of runs below.

**Only ratios travel.** Everything shares the same cores, and medians move by up to 40 % with the machine. So figures
also stand as multiples of a *bare limit*: what PostgreSQL or Valkey did in the same run with the same rows, asked by
the cheapest client there is. `0.15 × bare INSERT of one row`: a whole unlock with all that follows runs at 15 % of the
rate at which the database alone can insert. Of latencies it is the median as a multiple of the limit's median.
"""


def page(figures: Mapping[str, Kept]) -> str:
    """Return docs/benchmarks.md."""
    listed = list(figures.values())
    sources = kept.sources(listed)
    parts = [_HEAD, _machines(sources), _promises(listed)]
    groups: dict[str, list[Kept]] = {name: [] for name in _ORDER}
    for one in listed:
        groups[_group(one.name)].append(one)
    for name, members in groups.items():
        if members:
            parts.append(f"## {name}\n{_table(members, sources)}\n")
        elif name in _LATER:
            parts.append(f"## {name}\nNot measured yet: {_LATER[name]} does.\n")
    return "\n".join(parts)


def _group(name: str) -> str:
    for group, words in _GROUPS.items():
        if any(name.startswith(word) or (word in name and word[0] == " ") for word in words):
            return group
        if group.startswith("More") and words[-1] in name:
            return group
    return "Others"


def _machines(sources: Sequence[Source]) -> str:
    lines = ["## Runs", "| | begun | machine | versions | commit | load at start |", "|--|--|--|--|--|--:|"]
    for place, one in enumerate(sources, start=1):
        about = one.machine
        machine = f"{about['cores']} cores of {about['cpu']}, {about['memory_gib']} GiB"
        versions = f"Python {about['python']}, PostgreSQL {about['postgresql']}, Valkey {about['valkey']}"
        commit = f"{about['commit']}{' and changes' if about['changed_since_commit'] else ''}"
        load = f"{about['load_at_start']}{' (busy)' if about['load_at_start'] > _BUSY else ''}"
        link = f"[{one.at[:16].replace('T', ' ')}](../bench/results/{one.file})"
        lines.append(f"| {place} | {link} | {machine} | {versions} | {commit} | {load} |")
    lines.append(
        "\n*Busy*: something else was using the machine when the run began; so rates are too low and times too long.\n"
    )
    return "\n".join(lines)


def _promises(listed: Sequence[Kept]) -> str:
    """Say how many promises are held, and of each that is not by how much it is missed."""
    held = [(one, found) for one in listed if (found := kept.verdict(one)) is not None]
    missed = [(one, found) for one, found in held if not found.is_met]
    lines = ["## What is promised", f"{len(held) - len(missed)} of {len(held)} figures are as promised."]
    if missed:
        lines += ["", "| missed | is | to hold | by | because |", "|--|--:|--:|--:|--|"]
        lines += [
            f"| {one.name} | {_value(one)} | {one.bar} | {found.told} | {why(one)} |" for one, found in missed
        ]
    return "\n".join(lines) + "\n"


def why(missed: Kept) -> str:
    """Return why a promise is not held; nothing where nobody has said so yet, which a test does not let pass."""
    return _WHY.get(missed.name, "")


def _table(members: Sequence[Kept], sources: Sequence[Source]) -> str:
    lines = [
        "| figure | median | lowest … highest | p50 / p95 / p99 ms | of its bare limit | to hold | | run |",
        "|--|--:|--:|--:|--:|--:|--|--:|",
    ]
    places = {source.file: place for place, source in enumerate(sources, start=1)}
    for one in members:
        cells = (
            one.name,
            f"{number(one.value)} {one.unit}",
            _range(one),
            _latency(one),
            f"{number(one.ratio['value'])} × {one.ratio['of']}" if one.ratio else "",
            one.bar,
            _said(kept.verdict(one)),
            str(places[one.source.file]),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _value(one: Kept) -> str:
    return " ".join(
        filter(None, [f"{number(one.value)} {one.unit}", _latency(one) and f"({_latency(one)} ms)"])
    )


def _range(one: Kept) -> str:
    if one.lowest is None or one.highest is None or one.lowest == one.highest:
        return ""
    return f"{number(one.lowest)} … {number(one.highest)}"


def _latency(one: Kept) -> str:
    return " / ".join(number(one.latency[name]) for name in ("p50", "p95", "p99")) if one.latency else ""


def _said(found: Verdict | None) -> str:
    if found is None:
        return ""
    return "met" if found.is_met else f"missed by {found.told}"


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    """Return a page with its tables, between `<!-- begin: name -->` and `<!-- end -->`, as they are now."""
    return _TABLES.sub(lambda found: f"{found[1]}{tables[found[2]]}\n{found[3]}", text)


def pages() -> dict[Path, str]:
    """Return each page that is made, whole or in part, and its text."""
    figures = kept.newest()
    sized = DOCS / "capacity.md"
    return {
        DOCS / "benchmarks.md": page(figures),
        sized: with_tables(sized.read_text(), capacity.tables(figures)),
    }


if __name__ == "__main__":
    for file, text in pages().items():
        file.write_text(text)
        print(f"{file.relative_to(DOCS.parent)} is written.")
