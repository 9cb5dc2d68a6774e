"""Laurel with its demo, and a Chromium, for what is started by hand: pictures and measurements."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config import var_dir
from config.children import BASE_DIR
from tests.browser import lived_in

READY_WITHIN_S = 180
STOPPED_WITHIN_S = 60
NO_CHROMIUM = "There is no Chromium on this machine: on Debian, apt-get install chromium brings it."


@dataclass(frozen=True)
class Laurel:
    """Where it runs, what it printed, and the port of a studio's server (tests/browser/lived_in.py)."""

    home: str
    said: str
    folder: Path
    receiver: int


@contextmanager
def laurel(purpose: str) -> Iterator[Laurel]:
    """Run Laurel in a folder of its own, which goes with it. Raises SystemExit when it does not start."""
    folder = Path(tempfile.mkdtemp(prefix=f"laurel-{purpose}-"))
    with lived_in.receiver() as receiver:
        port = var_dir.free_ports(2)
        settings = {"PORT": str(port), "VAR_DIR": str(folder / "var"), **lived_in.environment(receiver)}
        with (folder / "output").open("w") as output:
            run = subprocess.Popen(
                [sys.executable, "-m", "config.run"], cwd=BASE_DIR, env=os.environ | settings, stdout=output
            )
        try:
            said = _when_ready(run, folder / "output")
            yield Laurel(f"http://127.0.0.1:{port}", said, folder, receiver)
        finally:
            run.send_signal(signal.SIGINT)
            run.wait(timeout=STOPPED_WITHIN_S)
    shutil.rmtree(folder, ignore_errors=True)


def _when_ready(run: "subprocess.Popen[bytes]", output: Path) -> str:
    deadline = time.monotonic() + READY_WITHIN_S
    while "Laurel is ready at" not in (text := output.read_text()):
        if run.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"Laurel did not start:\n{text}")
        time.sleep(0.2)
    return text
