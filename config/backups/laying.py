"""Laying a backup out in the place of a server's data, while nothing runs: what was there is only moved away."""

import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from config import programs
from config.backups import tools
from config.backups.tools import Refused
from config.processes import CannotStart, Process, tail

# As long as it takes to go through the log of a day, and then some.
RECOVERS_WITHIN_S = 6 * 3600.0
_LOOK_AGAIN_S = 0.2
# Lies in what deploy/backups/lay-out has laid out, here until the restore is over.
_UNFINISHED = "laid-out"
_DATA, _BEFORE = "postgres", "postgres.before"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What is to be restored: from which folder of backups, to which moment (`2026-11-26T12:00:00Z`, or `latest`)."""

    backups: Path
    moment: str


def moment(text: str) -> str:
    """Read a moment with its zone, and return it as `lay-out` takes it. Raises ArgumentTypeError."""
    if text == "latest":
        return text
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text} is no moment: write it as 2026-11-26T12:00:00Z, or `latest`"
        ) from None
    if read.tzinfo is None:
        raise ArgumentTypeError(f"{text} has no zone: write Z for UTC, as in {text}Z")
    if read.microsecond:
        raise ArgumentTypeError(f"{text} is no whole second")
    return f"{read.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def lay_out(wanted: Wanted, data: Path, *, before: Path | None = None, wal: str = "", scratch: Path) -> str:
    """Lay a base backup out as a server's data, and return what to tell the operator; as deploy/backups/lay-out does.

    Raises Refused.
    """
    bases = tools.listed(wanted.backups)
    if not bases:
        raise Refused(f"There is no base backup in {wanted.backups / 'base'}: `manage.py backup` takes one.")
    arguments = (wanted.backups, data, wanted.moment, before or "", wal or wanted.backups / "wal")
    return tools.run("lay-out", *arguments, major=bases[-1].major, folder=scratch)


def replace(folder: Path, wanted: Wanted, *, open_it: Callable[[], None], say: Say) -> None:
    """Restore a server whose data are in `postgres/` of a folder, and open it; `open_it` starts and stops it.

    What was there before is left beside it, as `postgres.before-<now>`. It is put back if the restore fails, or failed
    the last time and nobody was left to do so. Where nothing was there, there is nothing to put back.

    Raises:
        Refused: the moment is not in the backups; and what `open_it` raises.

    """
    data, before = folder / _DATA, folder / _BEFORE
    if (data / _UNFINISHED).exists():
        say("An earlier restore did not get to its end.")
        _put_back(data, say)
    say(lay_out(wanted, data, before=before, scratch=folder))
    with ExitStack() as stack:
        stack.callback(_put_back, data, say)
        if before.exists():
            # It finds the account that it runs under by who owns its data.
            programs.hand_over(data, str(before.stat().st_uid))
        open_it()
        stack.pop_all()
    (data / _UNFINISHED).unlink()
    if before.exists():
        kept = before.rename(folder / f"{_BEFORE}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        say(f"What was there before is in {kept}: remove it once you miss nothing.")


def require_finished(folder: Path) -> None:
    """Let nobody start a server on what a restore that was cut off has left. Raises CannotStart."""
    data, before = folder / _DATA, folder / _BEFORE
    if (data / _UNFINISHED).exists() or (before.exists() and not data.exists()):
        raise CannotStart(
            f"A restore of {data} did not get to its end: run it again, which first puts back what was "
            "there before."
        )


def start(postgres: Process, url: str) -> None:
    """Start a server, and return once it takes writes: it answers before that, while it goes through its log.

    Raises CannotStart.
    """
    deadline = time.monotonic() + RECOVERS_WITHIN_S
    with suppress(CannotStart):  # what it says itself is told below
        postgres.start(within_s=RECOVERS_WITHIN_S)
    while postgres.alive and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=5) as connection:
            if connection.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,):
                return
        time.sleep(_LOOK_AGAIN_S)
    fatal = [line for line in tail(postgres.log).splitlines() if "FATAL" in line]
    raise CannotStart(f"PostgreSQL does not get there: {fatal[-1] if fatal else postgres.last_words()}.")


def reopen(process: Process, say: Say) -> None:
    """Run `manage.py reopen`, the process, to its end, and say what it says. Raises Refused."""
    process.launch()
    process.wait()
    say(process.log.read_text().strip())
    if process.exit_code:
        raise Refused("PostgreSQL got there, and `manage.py reopen` refused.")


def _put_back(data: Path, say: Say) -> None:
    major = int((data / "PG_VERSION").read_text())
    say(tools.run("put-back", data, major=major, folder=data.parent))
