import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import proctable, var_dir
from config.children import BASE_DIR

READY_LINE = "Laurel is ready at http://127.0.0.1:{}"
STOP_WITHIN_S = 60.0


@pytest.fixture
def port() -> int:
    return var_dir.free_ports(2)


@pytest.fixture
def taken(port: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", port)):
        yield port


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
    with start(folder, port, **more) as run:
        said, complaint = run.communicate(timeout=STOP_WITHIN_S)
    assert (run.returncode, said) == (1, "")
    assert complaint.count("\n") == 1
    assert not (folder / "postgres").exists()
    return complaint


def test_a_taken_port_is_named_with_a_free_one_to_take(tmp_path: Path, taken: int) -> None:
    assert f"Port {taken} (PORT) is taken" in refusal(tmp_path, taken)
    said = refusal(tmp_path, taken - 1)
    assert f"Port {taken} (PORT + 1, for live connections) is taken" in said
    assert f"make run PORT={taken + 99}" in said


@pytest.mark.parametrize("text", ["eighty", "0", "65535", "-1", "8000.5"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    assert f"PORT is “{text}”" in refusal(tmp_path, text)


def test_a_folder_in_use_is_refused(tmp_path: Path, port: int) -> None:
    with var_dir.claim(tmp_path, what="Laurel at http://127.0.0.1:8000"):
        assert "Laurel at http://127.0.0.1:8000" in refusal(tmp_path, port)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, port: int) -> None:
    (tmp_path / "file").touch()
    assert "VAR_DIR" in refusal(tmp_path / "file" / "var", port)


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


@pytest.mark.parametrize("url", ["laurel", "//me:secret@127.0.0.1/0", "redis://me:secret@127.0.0.1:secret/0"])
def test_a_server_s_address_that_is_none_is_refused_and_not_repeated(
    tmp_path: Path, port: int, url: str
) -> None:
    said = refusal(tmp_path, port, REDIS_URL=url)
    assert "REDIS_URL is no address" in said
    assert "secret" not in said


@pytest.mark.slow
def test_it_runs_without_the_demo_and_stops_without_a_trace(tmp_path: Path, port: int) -> None:
    with start(tmp_path, port, DEMO="0") as run:
        assert run.stdout is not None
        said = []
        for line in run.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith("Laurel is ready"):
                break
        # An operator's command, from a shell that names nothing but the folder, meets what runs there.
        command = [sys.executable, "manage.py", "followers"]
        listed = subprocess.run(
            command,
            cwd=BASE_DIR,
            env=environment(tmp_path, port),
            capture_output=True,
            text=True,
            check=False,
        )
        pids = [int(file.read_text().split("\n")[0]) for file in (tmp_path / "run").glob("*.pid")]
        run.send_signal(signal.SIGINT)
        rest, complaint = run.communicate(timeout=STOP_WITHIN_S)
    assert said[-1:] == [READY_LINE.format(port)], complaint
    assert "leaderboards" in listed.stdout, listed.stderr
    assert (run.returncode, complaint) == (0, "")
    assert rest.strip() == "Stopping."
    assert len(pids) == 8
    assert not set(pids) & proctable.living().keys()
