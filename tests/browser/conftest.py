"""Laurel as `make run` starts it, and a browser to look at it with."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from config import var_dir
from config.children import BASE_DIR

READY_WITHIN_S = 120
_NAMED_BY_TESTS = (
    "DATABASE_URL",
    "REDIS_URL",
    "VAR_DIR",
    "DJANGO_SETTINGS_MODULE",
    "SECRET_KEY",
    "DEBUG",
    "DEMO",
)
# A closed network must not slow the browser down: it tries to reach its maker in the background.
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="session")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run Laurel in a folder of its own; return what it printed."""
    folder = tmp_path_factory.mktemp("laurel")
    port = var_dir.free_ports(2)
    env = {name: value for name, value in os.environ.items() if name not in _NAMED_BY_TESTS}
    env |= {"PORT": str(port), "VAR_DIR": str(folder / "var")}
    output = folder / "output"
    with output.open("w") as file:
        run = subprocess.Popen(
            [sys.executable, "-m", "config.run"], cwd=BASE_DIR, env=env, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        yield _when_ready(run, output)
    finally:
        run.send_signal(signal.SIGINT)
        run.wait(timeout=60)


def _when_ready(run: subprocess.Popen[bytes], output: Path) -> str:
    deadline = time.monotonic() + READY_WITHIN_S
    while "Laurel is ready at" not in (text := output.read_text()):
        assert run.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    return text


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium, or whatever Chromium there is."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("There is no Chromium on this machine.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(_FLAGS))
        yield started
        started.close()
