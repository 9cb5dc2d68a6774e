"""PgBouncer in transaction mode between the tests and their PostgreSQL, and where tests find their database.

Sessions are lent in turn, and never one only: what a statement leaves behind in its session (a setting, a prepared
statement, a lock, a temporary table) is not there for the next one, as in production on a busy day.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.db import connection

from config import programs, var_dir
from config.embedded import ROLE, Postgres
from config.processes import CannotStart, Process

# What a shell, or we, may say about the way to PostgreSQL.
VARIABLES = (
    *("DATABASE_POOLED_BY", "DATABASE_PREPARED", "DATABASE_ANSWERING_URL", "DATABASE_DIRECT_URL"),
    "DATABASE_REPLICA_URL",
)
# What belongs to a kind of process, which a test that imports one of them leaves in its environment.
OF_THE_PROCESS = (
    "DATABASE_POOL_SIZE",
    "DATABASE_STATEMENT_TIMEOUT_MS",
    "DATABASE_IDLE_TIMEOUT_MS",
    "LAUREL_PROCESS",
)
ANSWERING = "answering"
# As docs/operations/postgresql.md has them: what each process would say itself when it connects.
_SHORT = (
    "SET statement_timeout = 2000; SET lock_timeout = 1500; SET idle_in_transaction_session_timeout = 10000"
)
_LONG = "SET idle_in_transaction_session_timeout = 60000"
_SETTINGS = """\
[databases]
{answering} = {server} dbname={database} connect_query='{short}'
* = {server} connect_query='{long}'

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
# Lent in turn.
server_round_robin = 1
min_pool_size = 2
default_pool_size = 20
max_client_conn = 500
# Tests stop, freeze and restart PostgreSQL.
server_login_retry = 1
server_connect_timeout = 5
log_connections = 0
log_disconnections = 0
log_stats = 0
"""


class PgBouncer(Process):
    """A PgBouncer in a folder of a VAR_DIR, before a PostgreSQL that runs."""

    def __init__(self, folder: Path, postgres: Postgres, *, database: str) -> None:
        """Choose a port; nothing is started. `database` is the one of those who answer."""
        self.port = var_dir.free_ports()
        self.data = folder / "pgbouncer"
        self._postgres, self._database = postgres, database
        super().__init__(
            "pgbouncer",
            [],
            var_dir=folder,
            env=programs.server_environment(),
            folder=folder,
            ready=self._lets_in,
        )

    @property
    def keeps_prepared(self) -> bool:
        """Say whether it keeps clients' prepared statements apart to the last `DEALLOCATE ALL`, as from 1.22 on."""
        said = subprocess.run(
            [str(program()), "--version"], capture_output=True, text=True, check=True
        ).stdout
        major, minor = said.split()[1].split(".")[:2]
        return (int(major), int(minor)) >= (1, 22)

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        return f"postgres://{ROLE}@127.0.0.1:{self.port}/{database}"

    def launch(self) -> None:
        """Start it unless it runs. Raises CannotStart."""
        if not self.argv:
            found = program()
            if found is None:
                raise CannotStart(
                    "PgBouncer is missing: on Debian and Ubuntu, apt-get install pgbouncer brings it."
                )
            self.argv = [found, str(self._prepared())]
        super().launch()

    def _prepared(self) -> Path:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.account = programs.account_for(self.data, self.data.parent)
        parts = urlsplit(self._postgres.url)
        settings = self.data / "pgbouncer.ini"
        server = f"host=127.0.0.1 port={self._postgres.port}"
        var_dir.keep(self.data / "users", f'"{ROLE}" "{parts.password}"\n')
        named = {"answering": ANSWERING, "database": self._database, "short": _SHORT, "long": _LONG}
        text = _SETTINGS.format(server=server, port=self.port, folder=self.data, **named)
        if self.keeps_prepared:
            text += "max_prepared_statements = 200\n"
        var_dir.keep(settings, text)
        programs.hand_over(self.data, self.account)
        return settings

    def _lets_in(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def through_pgbouncer(folder: Path, postgres: Postgres, *, database: str) -> Iterator[None]:
    """Name a PgBouncer instead of PostgreSQL in our environment. Raises CannotStart where there is none."""
    pooler = PgBouncer(folder, postgres, database=database)
    pooler.start()
    try:
        os.environ |= {
            "DATABASE_URL": pooler.url("laurel"),
            "DATABASE_ANSWERING_URL": pooler.url(ANSWERING),
            "DATABASE_POOLED_BY": "pgbouncer",
            "DATABASE_PREPARED": "1" if pooler.keeps_prepared else "0",
        }
        yield
    finally:
        pooler.stop()


def database_url() -> str:
    """Return the address of the tests' database for a process of theirs."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def program() -> str | None:
    """Return where PgBouncer is, if this machine has one; Debian keeps it where only root looks."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
