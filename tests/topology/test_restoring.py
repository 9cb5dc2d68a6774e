"""What `make production` runs is backed up, and restored to a second, as docs/operations/backups.md says."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config import var_dir
from config.children import BASE_DIR
from tests.deploy.test_by_hand import all_there
from tests.topology.test_production import READY_WITHIN_S, wait_for

pytestmark = all_there


@dataclass(frozen=True)
class Installation:
    """One without a demo."""

    folder: Path
    port: int

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it, from when it is ready on."""
        said = self.folder.parent / "said.txt"
        with said.open("w") as out:
            command = [sys.executable, "-m", "config.production"]
            env = self._ours() | {"VAR_DIR": str(self.folder), "PORT": str(self.port), "DEMO": "0"}
            running = subprocess.Popen(command, cwd=BASE_DIR, env=env, stdout=out, stderr=out)
        try:
            wait_for(
                lambda: "Laurel is ready" in said.read_text() or running.poll() is not None,
                within_s=READY_WITHIN_S,
            )
            assert running.poll() is None, said.read_text()
            yield
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(timeout=180)

    def manage(self, *words: str) -> str:
        """Run a command in a shell that has read `environment`."""
        command = [sys.executable, "manage.py", *words]
        env = self._ours() | self.environment()
        run = subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def environment(self) -> dict[str, str]:
        lines = [line.partition("=") for line in (self.folder / "environment").read_text().splitlines()]
        return {name: "".join(shlex.split(value)) for name, _, value in lines}

    def notes(self) -> list[str]:
        with psycopg.connect(self.environment()["DATABASE_DIRECT_URL"]) as connection:
            rows = connection.execute("SELECT name FROM core_backup WHERE size = 0 ORDER BY id")
            return [name for (name,) in rows]

    def _ours(self) -> dict[str, str]:
        return {
            name: value
            for name, value in os.environ.items()
            if not name.endswith("_URL") and name != "DJANGO_SETTINGS_MODULE"
        } | {"DEBUG": "0"}


def test_production_is_backed_up_and_restored_to_a_second(tmp_path: Path) -> None:
    one = Installation(tmp_path / "production", var_dir.free_ports())
    with one.running():
        assert "KiB, " in one.manage("backup")
        assert "restores to" in one.manage("backup", "--list")
        one.manage("backup", "--note", "first")
        moment = int(time.time()) + 1
        time.sleep(moment + 0.1 - time.time())
        one.manage("backup", "--note", "lost")
        assert one.notes() == ["first", "lost"]
    asked = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    said = one.manage("restore", "--to", asked)
    assert "The database is open." in said
    assert "`make production`, with the same BACKUP_DIR, starts it: then take a base backup." in said
    assert len(list(one.folder.glob("postgres.before-*"))) == 1
    with one.running():
        assert one.notes() == ["first"]
        assert "All is as it follows" in one.manage("verify")
        one.manage("backup")
