"""What processes run on this machine: their parents, states and birthdays."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Row:
    """One process. `born` tells it from a later process of the same number; its unit is the system's own."""

    parent: int
    zombie: bool
    born: str
    command: str


def living() -> dict[int, Row]:
    """Return the processes that still run, by number; zombies have ended."""
    rows = _from_proc() if sys.platform == "linux" else _from_ps()
    return {pid: row for pid, row in rows.items() if not row.zombie}


def descendants(pid: int) -> list[int]:
    """Return the numbers of a process's children, their children, and so on; empty when it has none."""
    rows = living()
    found = [pid]
    for parent in found:
        found.extend(child for child, row in rows.items() if row.parent == parent)
    return found[1:]


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each process that still is there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _from_proc() -> dict[int, Row]:
    rows = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
            except OSError:
                continue  # it ended meanwhile
            rows[int(folder.name)] = _proc_row(stat, command)
    return rows


def _proc_row(stat: str, command: bytes) -> Row:
    """Read /proc/PID/stat and cmdline. Source: proc(5); fields are counted after the name, which may hold anything."""
    state, parent, *rest = stat[stat.rindex(")") + 2 :].split()
    born = rest[17]  # field 22 of the manual, in clock ticks since boot
    text = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return Row(parent=int(parent), zombie=state in "ZX", born=born, command=text)


def _from_ps() -> dict[int, Row]:
    columns = "pid=,ppid=,stat=,lstart=,command="
    listing = subprocess.run(["ps", "-A", "-o", columns], capture_output=True, text=True, check=True)  # noqa: S607
    rows = {}
    for line in listing.stdout.splitlines():
        pid, parent, state, *rest = line.split(None, 8)  # lstart is five words
        rows[int(pid)] = Row(int(parent), state.startswith("Z"), " ".join(rest[:5]), "".join(rest[5:]))
    return rows
