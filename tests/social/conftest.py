"""A studio's game, its players, and `live` processes on the tests' own servers."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from config import children, commands, var_dir
from config.embedded import Servers
from config.processes import Process
from tests.platform import STARTS_WITHIN_S
from tests.pooling import database_url

if TYPE_CHECKING:
    from tests.social.world import World

Live = Callable[..., "LiveServer"]


class LiveServer(Process):
    """A `live` process as it is run for real, on the database of the tests."""

    def __init__(self, servers: Servers, folder: Path, application: str) -> None:
        from tests.patience import LONG_S  # noqa: PLC0415 - it reads settings, which need the servers

        self.port = var_dir.free_ports(2)
        self.metrics_port = self.port + 1  # where the process as it is shipped tells of itself
        env = os.environ | {"DATABASE_URL": database_url(), "REDIS_URL": servers.redis_url, "DEBUG": "0"}
        env["METRICS_PORT"] = str(self.metrics_port)
        options = commands.LIVE_OPTIONS
        argv = [sys.executable, "-m", "uvicorn", application, "--port", str(self.port), *options]
        super().__init__(
            f"live-{self.port}",
            argv,
            var_dir=folder,
            env=env,
            stop_within_s=LONG_S,
            folder=children.BASE_DIR,
            ready=self._answers,
        )

    @property
    def socket(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/v1/live"

    @property
    def events(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/live"

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/livez", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="session")
def start_live(
    servers: Servers, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """Start `live` processes that end with the tests."""
    with ExitStack() as stack:

        def start(application: str = "tests.social.patient:application") -> LiveServer:
            live = LiveServer(servers, tmp_path_factory.mktemp("live"), application)
            stack.callback(live.stop)
            live.start(within_s=STARTS_WITHIN_S)
            return live

        yield start


@pytest.fixture(scope="session")
def live(start_live: Live) -> LiveServer:
    """A `live` process that tests leave as it is; what comes within a test was pushed."""
    return start_live()


@pytest.fixture(scope="session")
def impatient(start_live: Live) -> LiveServer:
    """A `live` process that waits for half a second only."""
    return start_live("tests.social.impatient:application")


@pytest.fixture
def world(transactional_db: None) -> "World":
    """A studio with a game of 60 achievements, and nothing kept from tests before."""
    from tests.social.world import World  # noqa: PLC0415 - models need settings, which need the servers

    return World.create()
