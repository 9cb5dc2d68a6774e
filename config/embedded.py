"""The PostgreSQL and the Valkey that come as pip wheels: started, restarted and stopped by us (docs/adr).

Both listen on 127.0.0.1 (PostgreSQL also on a socket in its data folder) and let in who knows the password that is
kept beside their data. What they acknowledged survives `kill -9`: fsync, synchronous_commit, full_page_writes and the
append-only file are on, in tests as well.
"""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import proctable, programs, var_dir
from config.backups import keeping
from config.processes import CannotStart, Process, stop_all, stop_leftovers, tail

DATABASE = ROLE = "laurel"
STOP_WITHIN_S = 30.0
# A killed server's children hold its shared memory until they have noticed.
ORPHANS_GO_WITHIN_S = 5.0
LONGEST_SOCKET = 103  # bytes of a path in sockaddr_un: 104 on macOS with the closing zero, 108 on Linux
VALKEY_DATABASES = 64
_READY_LINE = 7  # of postmaster.pid; Source: src/include/utils/pidfile.h

_POSTGRES_CONF = """\
# Written by config/embedded.py at every start: change it there, or use a PostgreSQL of yours (DATABASE_URL).
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 120               # web 2 x 10, worker 18, live, relay, beat, and room for operators
# What is acknowledged is on disk. These are the defaults; they are here to stay.
fsync = on
synchronous_commit = on
full_page_writes = on
# Sized for two cores and 2 GB.
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 8MB
maintenance_work_mem = 128MB
max_wal_size = 2GB                  # fewer checkpoints while unlocks pour in
min_wal_size = 128MB
checkpoint_timeout = 15min
random_page_cost = 1.1              # there is no disk head to move
autovacuum_naptime = 5s             # plans made for empty tables go as soon as there are rows to look at
jit = off                           # statements are short
shared_preload_libraries = '{preload}'
# As in deploy/postgres/laurel.conf: statements and details hold people's data.
log_min_error_statement = fatal
log_error_verbosity = terse
log_parameter_max_length = 0
log_line_prefix = '%m [%p] %a '
log_timezone = 'UTC'
timezone = 'UTC'
"""
# A segment is kept after a minute at the latest: so much is lost with the disk.
_ARCHIVE_CONF = """\
archive_mode = on
archive_command = '{command}'
archive_timeout = 60s
"""
_HBA_CONF = f"""\
# Written by config/embedded.py at every start. Nobody logs in as the superuser.
local all {ROLE} scram-sha-256
host  all {ROLE} 127.0.0.1/32 scram-sha-256
local replication {keeping.ROLE} scram-sha-256
host  replication {keeping.ROLE} 127.0.0.1/32 scram-sha-256
"""
# In single-user mode a line is a statement. template1's extensions come with every database, the tests' included.
_FIRST_STATEMENTS = """\
{extension}
CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{password}' IN ROLE pg_monitor, pg_checkpoint;
CREATE DATABASE {database} OWNER {role};
"""
_VALKEY_CONF = """\
# Written by config/embedded.py at every start: change it there, or use a Valkey of yours (REDIS_URL).
bind 127.0.0.1
protected-mode yes
port {port}
requirepass {password}
databases {databases}
dir "{folder}"
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


class Postgres(Process):
    """A PostgreSQL whose data is in `postgres/` of a VAR_DIR; the folder must be claimed by the caller.

    With a folder for `backups` it keeps its write-ahead log there, and lets `manage.py backup` in (docs/adr).
    """

    def __init__(self, folder: Path, *, backups: Path | None = None) -> None:
        """Choose the port, or find the one of last time; nothing is started."""
        self._var_dir = folder
        self._backups = backups
        self.data = folder / "postgres"
        self.port, self._password = var_dir.kept_address(folder / "postgres.json")
        super().__init__(
            "postgres",
            [],
            var_dir=folder,
            env=programs.server_environment(),
            stop_signal=signal.SIGINT,  # “fast”: ends sessions, writes a checkpoint
            stop_within_s=STOP_WITHIN_S,
            folder=folder,
            ready=self._says_ready,
        )

    @property
    def url(self) -> str:
        """Return its address for DATABASE_URL: the socket, which takes 15 µs a query less than TCP, where one fits."""
        return self._url(ROLE, self._password)

    @property
    def backup_url(self) -> str:
        """Return its address for BACKUP_DATABASE_URL."""
        return self._url(keeping.ROLE, self._backup_password)

    def _url(self, role: str, password: str) -> str:
        if self._sockets:
            return f"postgres://{role}:{password}@/{DATABASE}?host={quote(self._sockets)}&port={self.port}"
        return f"postgres://{role}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def _backup_password(self) -> str:
        return var_dir.kept_secret(self._var_dir / "backup-password")

    def launch(self) -> None:
        """Start it unless it runs, making its data first if there is none. Raises CannotStart."""
        if self.alive:
            return
        self._stop_stranger()
        if not self.argv:
            self.argv = [str(self._prepared()), "-D", str(self.data)]
        super().launch()

    def start(self, *, within_s: float = 60.0) -> None:
        """Start it unless it runs, and wait until it takes connections. Raises CannotStart."""
        deadline = time.monotonic() + ORPHANS_GO_WITHIN_S
        while True:
            try:
                return super().start(within_s=within_s)
            except CannotStart:
                if "shared memory block" not in tail(self.log, size=600) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    @property
    def _sockets(self) -> str:
        """Return the folder of its socket, or nothing where a socket's path would be too long or read as a list."""
        longest = str(self.data / ".s.PGSQL.65535")
        return str(self.data) if len(longest.encode()) <= LONGEST_SOCKET and "," not in longest else ""

    def _says_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            len(lines) > _READY_LINE and lines[0] == str(self.pid) and lines[_READY_LINE].strip() == "ready"
        )

    def _prepared(self) -> Path:
        """Return the program to run, with data and settings in place for it."""
        fresh = not self.data.exists()
        data = self.data.with_name("postgres.new") if fresh else self.data
        if fresh:
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir(mode=0o700)
        major = None if fresh else int((data / "PG_VERSION").read_text())
        self.account = programs.account_for(data, self._var_dir)
        program = programs.find_postgres(self.account, self._var_dir, major=major).path
        preload = (
            "pg_stat_statements" if any(program.parent.parent.glob("lib/**/pg_stat_statements.*")) else ""
        )
        if fresh:
            self._make(data, program, preload)
            data.rename(self.data)
        settings = _POSTGRES_CONF.format(port=self.port, sockets=_quoted_list(self._sockets), preload=preload)
        if self._backups is not None:
            settings += self._archiving(program, self._backups)
        var_dir.keep(self.data / "postgresql.conf", settings)
        var_dir.keep(self.data / "pg_hba.conf", _HBA_CONF)
        programs.hand_over(self.data, self.account)
        return program

    def _archiving(self, program: Path, backups: Path) -> str:
        """Prepare the folder of backups, and return the settings that fill it."""
        single = (str(program), "--single", "-D", str(self.data), DATABASE)
        keeping.let_backups_in(
            self.data, self._backup_password, run=lambda text: self._run(*single, text=text)
        )
        return _ARCHIVE_CONF.format(command=keeping.archive_command(self.data, backups, self.account))

    def _make(self, data: Path, program: Path, preload: str) -> None:
        """Make an empty cluster with our role and database. Collation C: the order is the same on every system."""
        programs.hand_over(data, self.account)
        initdb = [str(program.with_name("initdb")), "-D", str(data), "-U", "postgres", "--auth=reject"]
        self._run(
            *initdb, "--encoding=UTF8", "--locale=C", f"--lc-ctype={programs.CTYPE}", "--no-instructions"
        )
        statements = _FIRST_STATEMENTS.format(
            extension=f"CREATE EXTENSION {preload};" if preload else "",
            role=ROLE,
            database=DATABASE,
            password=self._password,
        )
        self._run(str(program), "--single", "-D", str(data), "template1", text=statements)

    def _run(self, *argv: str, text: str = "") -> None:
        run = programs.run_quickly(self.account, *argv, folder=self._var_dir, text=text)
        wrong = [
            line
            for line in run.stdout.splitlines()
            if "ERROR:" in line or "FATAL:" in line or "error:" in line
        ]
        if run.returncode or wrong:
            lines = wrong or run.stdout.strip().splitlines()[-1:]
            raise CannotStart(
                f"PostgreSQL could not make its data in {self.data} (“{' '.join(lines)}”): "
                "see to that, or set DATABASE_URL to a PostgreSQL of yours."
            )

    def _stop_stranger(self) -> None:
        """Remove a postmaster.pid left by a server that is gone; stop one that still runs on our data."""
        file = self.data / "postmaster.pid"
        deadline = time.monotonic() + STOP_WITHIN_S
        while (first := _first_line(file)) is not None and time.monotonic() < deadline:
            row = proctable.living().get(int(first)) if first.isdigit() else None
            if row is None or "postgres" not in row.command or str(self.data) not in row.command:
                file.unlink(missing_ok=True)
            else:
                proctable.signal_all([int(first)], signal.SIGINT)
                time.sleep(0.1)


class Valkey(Process):
    """A Valkey whose data is in `valkey/` of a VAR_DIR; the folder must be claimed by the caller."""

    def __init__(self, folder: Path) -> None:
        """Choose the port, or find the one of last time; nothing is started."""
        self._var_dir = folder
        self.data = folder / "valkey"
        self.port, self._password = var_dir.kept_address(folder / "valkey.json")
        super().__init__(
            "valkey",
            [],
            var_dir=folder,
            env=programs.server_environment(),
            stop_within_s=STOP_WITHIN_S,
            folder=folder,
            ready=self._answers,
        )

    @property
    def url(self) -> str:
        """Return its address for REDIS_URL."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def launch(self) -> None:
        """Start it unless it runs. Raises CannotStart."""
        if not self.argv:
            self.argv = self._prepared()
        super().launch()

    def _prepared(self) -> list[str]:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.account = programs.account_for(self.data, self._var_dir)
        program = programs.find_valkey(self.account, self._var_dir).path
        settings = self.data / "valkey.conf"
        folder = str(self.data).replace("\\", r"\\").replace('"', r"\"")
        values = {
            "port": self.port,
            "password": self._password,
            "databases": VALKEY_DATABASES,
            "folder": folder,
        }
        var_dir.keep(settings, _VALKEY_CONF.format(**values))
        programs.hand_over(self.data, self.account)
        return [str(program), str(settings)]

    def _answers(self) -> bool:
        """Say whether it answers: not while it still reads its append-only file."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@dataclass(frozen=True)
class Servers:
    """A PostgreSQL and a Valkey that run."""

    postgres: Postgres
    valkey: Valkey

    @property
    def database_url(self) -> str:
        """Return the value for DATABASE_URL."""
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """Return the value for REDIS_URL."""
        return self.valkey.url


@contextmanager
def running(folder: Path) -> Iterator[Servers]:
    """Run a PostgreSQL and a Valkey with their data in `folder`. Raises CannotStart."""
    folder = folder.resolve()
    with var_dir.claim(folder, what="A test run"):
        stop_leftovers(folder)
        servers = Servers(Postgres(folder), Valkey(folder))
        try:
            servers.valkey.launch()
            servers.postgres.start()
            servers.valkey.start()
            yield servers
        finally:
            stop_all([servers.valkey, servers.postgres])


def _first_line(file: Path) -> str | None:
    try:
        return file.read_text().partition("\n")[0]
    except FileNotFoundError:
        return None


def _quoted_list(path: str) -> str:
    """Quote a path for a setting that is a list of names inside single quotes; empty stays empty."""
    quoted = '"' + path.replace("\\", "\\\\").replace('"', '""').replace("'", "''") + '"'
    return quoted if path else ""
