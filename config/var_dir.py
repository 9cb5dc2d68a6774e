"""The folder that holds everything an installation on one machine keeps: data, secrets, ports, logs."""

import errno
import fcntl
import json
import os
import random
import secrets
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from config.processes import CannotStart

FREE_MB_NEEDED = 300  # a new PostgreSQL, its first WAL files, Valkey's log, static files; then some
MEBIBYTE = 1024 * 1024
# Below every system's ephemeral ports: up there a client that retries could take a restarting server's own port.
PORTS = range(20_000, 32_000)
_ENVIRONMENT = "environment.json"
_KEPT = (
    *("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"),
    *("DATABASE_POOLED_BY", "DATABASE_PREPARED", "DATABASE_DIRECT_URL", "DATABASE_REPLICA_URL"),
    *("PUBLIC_URL", "LIVE_URL", "PORT", "VAR_DIR", "DEBUG", "DEMO"),
    *("ARCHIVE_URL", "MEDIA_STORE_URL", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
    *("HISTORY_HOURS_KEPT_DAYS", "HISTORY_DAYS_KEPT_DAYS"),
    *("BACKUP_DIR", "BACKUP_DATABASE_URL", "BACKUP_KEEP_DAYS", "ERASURE_LEDGER_URL", "ERASURE_SECRETS"),
    "AUDIT_SECRETS",
)
# What a command may be told otherwise: which backups are meant.
_OUR_CHOICE = ("BACKUP_DIR", "BACKUP_KEEP_DAYS")
SECRET = "secret-key"  # noqa: S105 - a file
_DEFAULT = Path(__file__).resolve().parent.parent / "var"
_reserved: list[int] = []  # descriptors, open while we live, and with them their locks
_FULL = (errno.ENOSPC, errno.EDQUOT)


def claim(var_dir: Path, *, what: str) -> IO[str]:
    """Make the folder and keep others out while the returned file is open; `what` tells them who is in.

    Raises CannotStart when it is taken.
    """
    var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (var_dir / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        who = lock.read().strip()
        lock.close()
        raise CannotStart(
            f"{who or 'Another program'} already uses {var_dir}: "
            "stop it first, or set VAR_DIR (and PORT) to start a second copy beside it."
        ) from None
    lock.truncate(0)
    lock.write(f"{what} (process {os.getpid()})\n")
    lock.flush()
    return lock


def require_space(var_dir: Path) -> None:
    """Raise CannotStart when the disk is too full to start with."""
    free = shutil.disk_usage(var_dir).free // MEBIBYTE
    if free < FREE_MB_NEEDED:
        raise CannotStart(
            f"The disk that holds {var_dir} is full ({free} MiB are free, {FREE_MB_NEEDED} are needed): "
            "make room, or set VAR_DIR to a folder on another disk."
        )


def in_plain_words(error: Exception, var_dir: Path) -> str:
    """Return what to tell the operator about an error, be it of our own file operation or of a program we ran."""
    if any(os.strerror(number) in str(error) for number in _FULL):
        return f"The disk is full: make room, or set VAR_DIR (now {var_dir}) to a folder on another disk."
    if isinstance(error, OSError):
        what = error.filename or var_dir
        return f"{what}: {error.strerror or error}; see to that, or set VAR_DIR to a folder of your own."
    return str(error)


def keep(file: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    half = file.with_name(f"{file.name}.half")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    half.replace(file)


def kept_secret(file: Path) -> str:
    """Return the secret that the file keeps; the first call makes one."""
    if not file.exists():
        keep(file, secrets.token_urlsafe(48))
    return file.read_text().strip()


def kept_address(file: Path) -> tuple[int, str]:
    """Return a server's port and password: those of last time, but for a port that was taken meanwhile."""
    kept = json.loads(file.read_text()) if file.exists() else {}
    password = kept.get("password") or secrets.token_urlsafe(32)
    port = kept.get("port")
    if port is None or not port_is_free(port):
        port = free_ports()
    if kept != {"port": port, "password": password}:
        keep(file, json.dumps({"port": port, "password": password}))
    return port, password


def kept_ports(file: Path, count: int) -> int:
    """Return the first of so many ports in a row: those of last time, unless one was taken meanwhile."""
    kept = json.loads(file.read_text()) if file.exists() else None
    if kept is not None and all(port_is_free(kept + n) for n in range(count)) and _reserve(kept, count):
        return int(kept)
    first = free_ports(count)
    file.parent.mkdir(parents=True, exist_ok=True)
    keep(file, json.dumps(first))
    return first


def keep_environment(folder: Path, env: Mapping[str, str]) -> None:
    """Keep the addresses and secrets that everything started from here runs with, for `adopt_environment`."""
    keep(folder / _ENVIRONMENT, json.dumps({name: env[name] for name in _KEPT if name in env}))


def adopt_environment() -> None:
    """Take the environment that was kept in VAR_DIR, unless ours names a database: so commands meet `make run`'s.

    Where nothing has run yet there may be a secret, for a restore.
    """
    folder = Path(os.environ.get("VAR_DIR") or _DEFAULT).resolve()
    if os.environ.get("DATABASE_URL"):
        return
    if (folder / _ENVIRONMENT).exists():
        ours = {name: os.environ[name] for name in _OUR_CHOICE if os.environ.get(name)}
        os.environ |= json.loads((folder / _ENVIRONMENT).read_text()) | ours
    elif not os.environ.get("SECRET_KEY") and (folder / SECRET).exists():
        os.environ["SECRET_KEY"] = kept_secret(folder / SECRET)


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether a server could listen there. Raises PermissionError for a port that is root's."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((host, port)) == 0:
            return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def free_ports(count: int = 1) -> int:
    """Return the first of so many free ports in a row, which no other program that asks here is given while we live.

    Raises CannotStart when none was found.
    """
    for port in random.SystemRandom().sample(PORTS, k=100):  # a seed that a caller set would repeat them
        if all(port_is_free(port + offset) for offset in range(count)) and _reserve(port, count):
            return port
    raise CannotStart(f"No port between {PORTS.start} and {PORTS.stop} is free: stop what listens there.")


def _reserve(port: int, count: int) -> bool:
    """Say whether the ports were nobody's, and are ours from now on: a server that restarts finds its own again."""
    folder = Path(tempfile.gettempdir()) / f"laurel-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    locks = [os.open(folder / str(port + offset), os.O_RDWR | os.O_CREAT, 0o600) for offset in range(count)]
    try:
        for lock in locks:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        for lock in locks:
            os.close(lock)
        return False
    _reserved.extend(locks)
    return True
