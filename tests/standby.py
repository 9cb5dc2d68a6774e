"""A replica of the tests' PostgreSQL: a real one, that streams its write-ahead log."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection, connections

from config import programs, var_dir
from config.embedded import ROLE, Postgres
from config.processes import Process
from core import replica

_MAY_REPLICATE = (
    f"local replication {ROLE} scram-sha-256\nhost replication {ROLE} 127.0.0.1/32 scram-sha-256\n"
)


class Standby(Process):
    """A standby in a folder of its own; its primary runs."""

    def __init__(self, folder: Path, primary: Postgres) -> None:
        """Choose a port; nothing is copied or started."""
        self.port = var_dir.free_ports()
        self.password = urlsplit(primary.url).password or ""
        self.data = folder / "standby"
        self._primary = primary
        self._folder = folder
        super().__init__(
            "standby",
            [],
            var_dir=folder,
            env=programs.server_environment(),
            stop_signal=signal.SIGINT,
            folder=folder,
            ready=self._answers,
        )

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgres://{ROLE}:{self.password}@127.0.0.1:{self.port}/{database}"

    def launch(self) -> None:
        """Start it unless it runs, as a copy of what its primary has now."""
        if not self.argv:
            self._copy()
        super().launch()

    def _copy(self) -> None:
        hba = self._primary.data / "pg_hba.conf"
        if _MAY_REPLICATE not in hba.read_text():
            with hba.open("a") as file:
                file.write(_MAY_REPLICATE)
            os.kill(int((self._primary.data / "postmaster.pid").read_text().split()[0]), signal.SIGHUP)
        self.data.mkdir(mode=0o700)
        self.account = programs.account_for(self.data, self._folder)
        programs.hand_over(self.data, self.account)
        program = Path(self._primary.argv[0])
        primary = f"host=127.0.0.1 port={self._primary.port} user={ROLE} password={self.password}"
        command = [str(program.with_name("pg_basebackup")), "-D", str(self.data), "-d", primary]
        done = programs.run_quickly(
            self.account, *command, "-X", "stream", "-c", "fast", "-R", folder=self._folder
        )
        assert done.returncode == 0, done.stdout
        options = {"port": self.port, "unix_socket_directories": "", "listen_addresses": "127.0.0.1"}
        self.argv = [str(program), "-D", str(self.data)]
        self.argv += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def named(standby: Standby) -> Iterator[None]:
    """Name it in the settings, as DATABASE_REPLICA_URL would."""
    one: dict[str, Any] = deepcopy(settings.DATABASES["default"])
    one |= {
        "NAME": connection.settings_dict["NAME"],
        "HOST": "127.0.0.1",
        "PORT": str(standby.port),
        "USER": ROLE,
        "PASSWORD": standby.password,
        "TEST": {**one["TEST"], "MIRROR": "default"},
    }
    settings.DATABASES[replica.REPLICA] = one
    try:
        yield
    finally:
        watch = replica._watch()
        replica._watch.cache_clear()
        watch._asked_at = float("-inf")
        if thread := watch._thread:
            thread.join()
        connections[replica.REPLICA].close()
        del connections[replica.REPLICA]
        del settings.DATABASES[replica.REPLICA]
