"""How it ends: the last of the files of these tests, which share what runs."""

import subprocess
import sys

import pytest

from config import proctable
from config.children import BASE_DIR
from tests.browser.conftest import Laurel

pytestmark = pytest.mark.slow


def test_at_last_it_stops_without_a_trace(said: str, laurel: Laurel) -> None:
    # An operator's command, from a shell that names nothing but the folder, meets what runs there.
    command = [sys.executable, "manage.py", "followers"]
    listed = subprocess.run(
        command, cwd=BASE_DIR, env=laurel.env, capture_output=True, text=True, check=False
    )
    assert "leaderboards" in listed.stdout, listed.stderr
    pids = {int(file.read_text().split("\n")[0]) for file in (laurel.folder / "run").glob("*.pid")}
    assert len(pids) == 8
    assert laurel.stop() == 0
    assert said.endswith(f"Laurel is ready at http://127.0.0.1:{laurel.env['PORT']}\n")
    lines = laurel.says().removeprefix(said).strip().splitlines()
    # Another test kills `live`, and that is said.
    assert [line for line in lines if line and not line.startswith("live was killed")] == ["Stopping."]
    assert not pids & proctable.living().keys()
