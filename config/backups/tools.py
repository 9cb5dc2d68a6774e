"""The scripts in deploy/backups, run with PostgreSQL's own tools: those beside a server's program of that version."""

import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config import launch, programs
from config.processes import CannotStart

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "deploy" / "backups"


class Refused(Exception):
    """It can't be done; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Base:
    """A base backup: its folder's name, from when on a restore can begin with it, PostgreSQL's version, its bytes."""

    name: str
    finished_at: datetime
    major: int
    size: int


def run(script: str, *arguments: str | Path, major: int, folder: Path, url: str = "") -> str:
    """Run a script to its end, and return what it said.

    `major` is the server's version, `folder` one of ours for tools that have to be copied, `url` the server's address.

    Raises:
        Refused: no tools of that version are here, or they refuse.

    """
    try:
        tools = programs.find_postgres(launch.SAME, folder, major=major).path.parent
    except CannotStart as error:
        raise Refused(str(error)) from None
    env = programs.server_environment()
    env["PATH"] = f"{tools}{os.pathsep}{env.get('PATH', os.defpath)}"
    if url:
        # Everybody may read a command's arguments, but not its environment.
        parts = conninfo_to_dict(url)
        env["PGPASSWORD"] = str(parts.pop("password", ""))
        arguments = (*arguments, f"--dbname={make_conninfo('', **parts)}")
    done = subprocess.run(
        ["sh", str(SCRIPTS / script), *map(str, arguments)],  # noqa: S607 - POSIX says where it is
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise Refused(" ".join(done.stdout.strip().splitlines()[-3:]) or f"{script} failed.")
    return done.stdout.strip()


def listed(backups: Path) -> list[Base]:
    """Return the base backups of a folder, the oldest first."""
    return [_base(about) for about in sorted((backups / "base").glob("*Z/about"))]


def _base(about: Path) -> Base:
    said = dict(line.partition("=")[::2] for line in about.read_text().splitlines())
    size = sum(file.stat().st_size for file in about.parent.iterdir())
    return Base(about.parent.name, datetime.fromisoformat(said["finished"]), int(said["major"]), size)
