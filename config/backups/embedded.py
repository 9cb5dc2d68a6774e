"""Restoring the PostgreSQL that `make run` brings: nothing runs meanwhile, and what was there is only moved away."""

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from config import children, programs, var_dir
from config.backups import tools
from config.backups.tools import Refused
from config.children import Place
from config.embedded import Postgres, Valkey
from config.processes import CannotStart, stop_all, stop_leftovers, tail

# As long as it takes to go through the log of a day, and then some.
RECOVERS_WITHIN_S = 6 * 3600.0
_LOOK_AGAIN_S = 0.2
_NEEDED = ("postgres.json", "backup-password")


@dataclass(frozen=True)
class Wanted:
    """What is to be restored: from which folder of backups, to which moment (`2026-11-26T12:00:00Z`, or `latest`)."""

    backups: Path
    moment: str


def restore(folder: Path, wanted: Wanted, *, reopen: tuple[str, ...], say: Callable[[str], None]) -> None:
    """Restore the database in a VAR_DIR, open it again with `manage.py reopen` and stop it.

    What was there before is left beside it, as `postgres.before-<now>`; if the restore fails, it is put back.

    Raises:
        Refused: something runs there, the moment is not in the backups, or PostgreSQL does not get there.

    """
    try:
        with var_dir.claim(folder, what="A restore"):
            stop_leftovers(folder)
            _restore(folder, wanted, reopen=reopen, say=say)
    except (CannotStart, OSError) as error:
        raise Refused(var_dir.in_plain_words(error, folder)) from None


def lay_out(wanted: Wanted, data: Path, *, before: Path | None = None, wal: str = "", scratch: Path) -> str:
    """Lay a base backup out as a server's data, and return what to tell the operator; as deploy/backups/lay-out does.

    Raises Refused.
    """
    bases = tools.listed(wanted.backups)
    if not bases:
        raise Refused(f"There is no base backup in {wanted.backups / 'base'}: `manage.py backup` takes one.")
    arguments = (wanted.backups, data, wanted.moment, before or "", wal or wanted.backups / "wal")
    return tools.run("lay-out", *arguments, major=bases[-1].major, folder=scratch)


def _restore(folder: Path, wanted: Wanted, *, reopen: tuple[str, ...], say: Callable[[str], None]) -> None:
    if missing := [name for name in _NEEDED if not (folder / name).exists()]:
        raise Refused(
            f"{' and '.join(missing)} of the installation that was backed up must lie in {folder} first: without them "
            "nobody gets into the database, and nothing in it can be verified."
        )
    data, new = folder / "postgres", folder / "postgres.restored"
    shutil.rmtree(new, ignore_errors=True)
    say(lay_out(wanted, new, before=data if data.exists() else None, scratch=folder))
    before = folder / f"postgres.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if data.exists():
        _keep_owner(data, new)
        data.rename(before)
    new.rename(data)
    with ExitStack() as stack:
        stack.callback(_put_back, data, before, say)
        _open(folder, wanted, reopen=reopen, say=say)
        stack.pop_all()
    if before.exists():
        say(f"What was there before is in {before}: remove it once you miss nothing.")


def _open(folder: Path, wanted: Wanted, *, reopen: tuple[str, ...], say: Callable[[str], None]) -> None:
    postgres, valkey = Postgres(folder, backups=wanted.backups), Valkey(folder)
    try:
        say("PostgreSQL goes through its log.")
        valkey.launch()
        _start(postgres)
        valkey.start()
        place = Place(folder, 0)
        env = {
            **children.environment(place),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
        }
        process = children.manage("reopen", place, env, *reopen)
        process.launch()
        process.wait()
        say(process.log.read_text().strip())
        if process.exit_code:
            raise Refused("PostgreSQL got there, and `manage.py reopen` refused.")
    finally:
        stop_all([valkey, postgres])


def _start(postgres: Postgres) -> None:
    """Start the server, and return once it takes writes: it answers before that, while it goes through its log."""
    deadline = time.monotonic() + RECOVERS_WITHIN_S
    with suppress(CannotStart):  # what it says itself is told below
        postgres.start(within_s=RECOVERS_WITHIN_S)
    while postgres.alive and time.monotonic() < deadline:
        with (
            suppress(psycopg.OperationalError),
            psycopg.connect(postgres.url, connect_timeout=5) as connection,
        ):
            if connection.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,):
                return
        time.sleep(_LOOK_AGAIN_S)
    fatal = [line for line in tail(postgres.log).splitlines() if "FATAL" in line]
    raise CannotStart(f"PostgreSQL does not get there: {fatal[-1] if fatal else postgres.last_words()}.")


def _put_back(data: Path, before: Path, say: Callable[[str], None]) -> None:
    failed = data.with_name("postgres.failed")
    shutil.rmtree(failed, ignore_errors=True)
    data.rename(failed)
    if before.exists():
        before.rename(data)
        say(f"What was there before is in its place again; what came of the restore is in {failed}.")


def _keep_owner(old: Path, new: Path) -> None:
    """Let the server run under the account that it ran under: it finds that by who owns its data."""
    programs.hand_over(new, str(old.stat().st_uid))
