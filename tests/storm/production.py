"""The platform as production runs it, without containers: Procfile.production, behind PgBouncer, RabbitMQ and nginx."""

import os
import shutil
import ssl
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

from config import var_dir
from config.processes import Process, stop_all
from config.production import procfile
from config.production.place import Place
from config.production.preparing import prepare
from tests.platform import Platform

BOARDS = "valkey-boards"
# Who looks up a node of Erlang by its name does so when it starts; nobody else needs that server.
_SPARED = "epmd"


class Production(Platform):
    """The whole topology; its API is asked through nginx."""

    def __init__(self, folder: Path) -> None:
        """Choose a port; nothing is started."""
        super().__init__(folder)
        self.production = Place(folder, var_dir.free_ports())
        # Nobody vouches for its certificate.
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE

    def start(self) -> None:
        """Start everything, servers first, and make a studio with a game."""
        self.production.folder.mkdir(parents=True, exist_ok=True)
        others = {name: text for name, text in os.environ.items() if not name.endswith("_URL") and text}
        self.env = others | prepare(self.production) | self.settings()
        waiting = {process.name: process for process in procfile.processes(self.production, self.env)}
        self._processes = dict(waiting)
        for names in procfile.FIRST:
            for name in names:
                waiting.pop(name).start(within_s=120)
        self.manage("migrate", "--noinput")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        self.make_studio()
        for process in waiting.values():
            process.launch()
        for process in waiting.values():
            process.start(within_s=120)

    def stop(self) -> None:
        """Stop everything, in turn."""
        for names in procfile.STOP_ORDER:
            stop_all(self._processes[name] for name in names if name in self._processes)

    def process(self, name: str) -> Process:
        """Return a process by its name in Procfile.production."""
        return self._processes[name]

    def connect(self, *, timeout_s: float) -> HTTPConnection:
        """Return a connection to nginx."""
        return HTTPSConnection(
            self.production.name, self.production.port, timeout=timeout_s, context=self._tls
        )

    @property
    def live_address(self) -> str:
        """Return where `live` listens; nginx hands pages' sockets on to it."""
        return f"127.0.0.1:{self.production.port_of('live')}"

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all processes that may be struck, servers included."""
        return tuple(name for name in self._processes if name != _SPARED)

    @property
    def boards(self) -> str:
        """Return the name of the Valkey that keeps boards."""
        return BOARDS

    @property
    def database_url(self) -> str:
        """Return where PostgreSQL itself listens."""
        return self.env["DATABASE_DIRECT_URL"]

    def empty_boards(self) -> None:
        """Start the Valkey that keeps boards without what it had: its user may not tell it to forget."""
        valkey = self.process(BOARDS)
        self.kill(BOARDS)
        shutil.rmtree(self.production.folder / BOARDS / "appendonlydir")
        valkey.start()
