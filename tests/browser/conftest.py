"""Laurel as `make run` starts it, and a browser to look at it with."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from bench import onlooker
from config import var_dir
from config.children import BASE_DIR
from tests import pooling
from tests.browser import asking, lived_in

READY_WITHIN_S = STOPPED_WITHIN_S = 300
WITHIN_MS = 120_000  # for what has to happen; how fast is measured by `make bench`
expect.set_options(timeout=WITHIN_MS)
_NAMED_BY_TESTS = (
    "DATABASE_URL",
    "REDIS_URL",
    "VAR_DIR",
    "DJANGO_SETTINGS_MODULE",
    "SECRET_KEY",
    "DEBUG",
    "DEMO",
    *pooling.VARIABLES,
)
# Somebody who signs in, and is a player of the demo.
_SIGN_IN = """
import json
from django.conf import settings
from django.test import Client
from django.utils import timezone
from accounts.models import PlayerAccount, PlayerIdentity, User
player = PlayerIdentity.objects.get(external_id="{player}").player
user = User.objects.create_user("{player}@example.org")
PlayerAccount.objects.create(user=user, player=player, created_at=timezone.now())
client = Client()
client.force_login(user)
cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
print(json.dumps({{"cookie": cookie, "name": player.display_name, "id": str(player.uuid)}}))
"""


@dataclass(frozen=True)
class Laurel:
    """What runs, where, and for whom: as an operator's shell would name it."""

    process: subprocess.Popen[bytes]
    folder: Path
    output: Path
    env: dict[str, str]
    # The port of a studio's server (tests/browser/lived_in.py), which runs as long.
    receiver: int

    def says(self) -> str:
        """Return what it has printed."""
        return self.output.read_text()

    def shell(self, script: str) -> Any:
        """Run a script as `manage.py shell` does, and return what it prints as JSON."""
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", script]
        done = subprocess.run(command, cwd=BASE_DIR, env=self.env, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    def signed_in(self, player: str) -> dict[str, str]:
        """Make an account of a demo's player; return his session's cookie, his name and his public id."""
        told: dict[str, str] = self.shell(_SIGN_IN.format(player=player))
        return told

    def stop(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=STOPPED_WITHIN_S)


@pytest.fixture(scope="session")
def laurel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laurel]:
    """Run Laurel in a folder of its own."""
    with lived_in.receiver() as port:
        yield from _laurel(tmp_path_factory.mktemp("laurel"), port)


def _laurel(folder: Path, receiver: int) -> Iterator[Laurel]:
    env = {name: value for name, value in os.environ.items() if name not in _NAMED_BY_TESTS}
    env |= {
        "PORT": str(var_dir.free_ports(2)),
        "VAR_DIR": str(folder / "var"),
        **lived_in.environment(receiver),
    }
    output = folder / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run"], cwd=BASE_DIR, env=env, stdout=file, stderr=subprocess.STDOUT
        )
    started = Laurel(process, folder / "var", output, env, receiver)
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def said(laurel: Laurel) -> str:
    """Return what Laurel printed, once it is ready."""
    deadline = time.monotonic() + READY_WITHIN_S
    while "Laurel is ready at" not in (text := laurel.says()):
        assert laurel.process.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    return text


def chromium() -> str:
    """Return where Chromium is; skip the test where there is none."""
    found = onlooker.chromium()
    if found is None:
        pytest.skip("There is no Chromium on this machine.")
    return found


@pytest.fixture(scope="session")
def by_proxy(laurel: Laurel) -> Iterator[list[str]]:
    """Return what Chromium is told so that pages are asked for again (asking.py); to `live` it goes straight."""
    live = int(laurel.env["PORT"]) + 1
    with asking.again() as port:
        straight = f"--proxy-bypass-list=<-loopback>;127.0.0.1:{live};localhost:{live}"
        yield [f"--proxy-server=http://127.0.0.1:{port}", straight]


@pytest.fixture(scope="module")  # what drives it keeps a loop running, which other tests' own would not bear
def browser(by_proxy: list[str]) -> Iterator[Browser]:
    """Start the machine's Chromium."""
    with another_browser(by_proxy) as started:
        yield started


@contextmanager
def another_browser(by_proxy: Sequence[str]) -> Iterator[Browser]:
    """Start the machine's Chromium; each thread has to have its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=[*onlooker.FLAGS, *by_proxy])
        started.on("context", lambda context: context.set_default_timeout(WITHIN_MS))
        yield started
        started.close()
