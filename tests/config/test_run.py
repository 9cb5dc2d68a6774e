import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import Studio
from config import children, run, static_files, var_dir
from config.children import BASE_DIR, Place
from config.embedded import Servers
from config.supervisor import Supervisor
from tests.pooling import database_url

STOP_WITHIN_S = 300.0


@pytest.fixture
def port() -> int:
    return var_dir.free_ports(2)


@pytest.fixture
def taken(port: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", port + 1)):
        yield port + 1  # nobody else takes the one below


def environment(folder: Path, port: int | str, **more: str) -> dict[str, str]:
    """As an operator's shell has it: without what the tests named."""
    ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "DEMO")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "VAR_DIR": str(folder), "PORT": str(port), **more}


def start(folder: Path, port: int | str, **more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "config.run"]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=BASE_DIR, env=environment(folder, port, **more), stdout=pipe, stderr=pipe, text=True
    )


def refusal(folder: Path, port: int | str, **more: str) -> str:
    """Run and return the one sentence that it ends with; nothing was started."""
    with start(folder, port, **more) as started:
        said, complaint = started.communicate(timeout=STOP_WITHIN_S)
    assert (started.returncode, said) == (1, "")
    assert complaint.count("\n") == 1
    assert not (folder / "postgres").exists()
    return complaint


@pytest.mark.slow
def test_a_taken_port_is_named_with_a_free_one_to_take(tmp_path: Path, taken: int) -> None:
    assert f"Port {taken} (PORT) is taken" in refusal(tmp_path, taken)
    said = refusal(tmp_path, taken - 1)
    assert f"Port {taken} (PORT + 1, for live connections) is taken" in said
    offered = re.search(r"make run PORT=(\d+)", said)
    assert offered is not None
    assert (int(offered[1]) - taken) % 100 == 99


@pytest.mark.slow
@pytest.mark.parametrize("text", ["eighty", "0", "65535", "-1", "8000.5"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    assert f"PORT is “{text}”" in refusal(tmp_path, text)


def test_a_folder_in_use_is_refused(tmp_path: Path, port: int) -> None:
    with var_dir.claim(tmp_path, what="Laurel at http://127.0.0.1:8000"):
        assert "Laurel at http://127.0.0.1:8000" in refusal(tmp_path, port)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, port: int) -> None:
    (tmp_path / "file").touch()
    assert "VAR_DIR" in refusal(tmp_path / "file" / "var", port)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "scheme"),
    [("DATABASE_URL", "postgres"), ("REDIS_URL", "redis"), ("CELERY_BROKER_URL", "redis")],
)
def test_a_named_server_that_is_not_there_is_told_by_its_variable(
    tmp_path: Path, port: int, variable: str, scheme: str
) -> None:
    said = refusal(tmp_path, port, **{variable: f"{scheme}://me:secret@127.0.0.1:{port}/0"})
    assert f"{variable} names 127.0.0.1:{port}, and no server can be reached there" in said
    assert "secret" not in said


@pytest.mark.slow
@pytest.mark.parametrize("url", ["laurel", "//me:secret@127.0.0.1/0", "redis://me:secret@127.0.0.1:secret/0"])
def test_a_server_s_address_that_is_none_is_refused_and_not_repeated(
    tmp_path: Path, port: int, url: str
) -> None:
    said = refusal(tmp_path, port, REDIS_URL=url)
    assert "REDIS_URL is no address" in said
    assert "secret" not in said


@pytest.mark.slow
def test_without_the_demo_no_studio_is_made_and_there_is_nothing_to_say(
    tmp_path: Path, port: int, transactional_db: None, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.run.children", lambda *_: [])  # tests/browser runs them
    (tmp_path / "static").mkdir()
    static_files.remember(tmp_path, static_files.fingerprint(BASE_DIR))
    place = Place(tmp_path, port)
    env = {**children.environment(place), "DEMO": "0", "DATABASE_URL": database_url()}
    assert run._start(Supervisor(say=lambda _: None), place, env) == ""
    assert not Studio.objects.exists()
