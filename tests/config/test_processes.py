import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config import processes, proctable, supervisor, var_dir
from config.children import BASE_DIR
from config.processes import CannotStart, Process, stop_leftovers
from config.supervisor import Supervisor
from tests.patience import LONG_S

SLEEP = "import time; time.sleep(600)"
IGNORE = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('deaf', flush=True); time.sleep(600)"
)
PARENT = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(child.pid, flush=True); time.sleep(600)"
)


def python(folder: Path, code: str, *, name: str = "thing", stop_within_s: float = LONG_S) -> Process:
    return Process(name, [sys.executable, "-c", code], var_dir=folder, stop_within_s=stop_within_s)


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def supervise_until(keeper: Supervisor, happened: Callable[[], bool]) -> None:
    def look() -> bool:
        keeper.check()
        return happened()

    wait_for(look)


def gone(pid: int) -> bool:
    return pid not in proctable.living()


def test_output_is_kept_and_that_of_the_run_before_too(tmp_path: Path) -> None:
    for word in ("first", "second"):
        process = python(tmp_path, f"print('{word}')")
        process.launch()
        wait_for(lambda process=process: not process.alive)  # type: ignore[misc]
    assert (tmp_path / "log/thing.log").read_text() == "second\n"
    assert (tmp_path / "log/thing.log.1").read_text() == "first\n"


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="/not/there: No such file or directory"):
        Process("thing", ["/not/there"], var_dir=tmp_path, ready=lambda: False).start()


def test_a_program_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    process = Process(
        "thing", [sys.executable, "-c", "raise SystemExit('no luck')"], var_dir=tmp_path, ready=lambda: False
    )
    with pytest.raises(CannotStart, match=r"thing ended with exit code 1; .*thing\.log ends with “no luck”"):
        process.start()


def test_what_never_started_has_no_number_and_stops_without_complaint(tmp_path: Path) -> None:
    process = python(tmp_path, SLEEP)
    process.stop()
    with pytest.raises(LookupError):
        _ = process.pid


def test_a_frozen_process_stops(tmp_path: Path) -> None:
    process = python(tmp_path, SLEEP)
    process.start()
    process.freeze()
    process.stop()
    assert process.exit_code == -signal.SIGTERM


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    process = python(tmp_path, IGNORE, stop_within_s=0.3)
    process.start()
    wait_for(lambda: processes.tail(process.log) == "deaf\n")
    process.stop()
    assert process.exit_code == -signal.SIGKILL


def test_children_that_outlive_a_process_are_removed_with_it(tmp_path: Path) -> None:
    process = python(tmp_path, PARENT)
    process.start()
    wait_for(lambda: processes.tail(process.log).endswith("\n"))
    child = int(processes.tail(process.log))
    process.kill()
    assert not gone(child)
    process.stop()
    wait_for(lambda: gone(child))


def test_a_process_that_ends_is_started_again_and_said_in_one_line(tmp_path: Path) -> None:
    said: list[str] = []
    keeper, process = Supervisor(say=said.append), python(tmp_path, SLEEP)
    keeper.keep(process)
    first = process.pid
    process.kill()
    supervise_until(keeper, lambda: process.alive)
    assert process.pid != first
    assert said == [f"thing was killed by SIGKILL; it starts again in 0.5 s (see {process.log})."]
    keeper.stop([])
    assert not process.alive


@pytest.mark.slow
def test_pauses_grow_while_a_process_keeps_ending(tmp_path: Path) -> None:
    said: list[str] = []
    keeper = Supervisor(say=said.append)
    keeper.keep(python(tmp_path, "raise SystemExit(3)"))
    supervise_until(keeper, lambda: len(said) == 3)
    assert [line.split("starts again in ")[1].split(" s ")[0] for line in said] == ["0.5", "1", "2"]
    assert max(supervisor.PAUSES_S) == 30


@pytest.mark.slow
def test_a_process_that_never_stays_up_is_refused_with_its_last_words(tmp_path: Path) -> None:
    keeper = Supervisor(say=lambda _: None)
    keeper.keep(Process("bad", [sys.executable, "-c", "1 / 0"], var_dir=tmp_path, ready=lambda: False))
    with pytest.raises(CannotStart, match=r"bad ended with exit code 1 \(3 times\); .*ZeroDivisionError"):
        keeper.wait_until_ready(within_s=LONG_S)


def test_one_that_does_not_answer_in_time_is_named(tmp_path: Path) -> None:
    keeper = Supervisor(say=lambda _: None)
    mute = Process("mute", [sys.executable, "-c", SLEEP], var_dir=tmp_path, ready=lambda: False)
    keeper.keep(mute)
    with pytest.raises(CannotStart, match="mute did not answer within 0 s"):
        keeper.wait_until_ready(within_s=0.2)
    keeper.stop([])


def test_everything_stops_in_the_given_order(tmp_path: Path) -> None:
    note = (
        "import pathlib, signal, sys, time\ndef end(*_):\n    open('order', 'a').write('{}\\n'); sys.exit()\n"
    )
    wait = "signal.signal(signal.SIGTERM, end); pathlib.Path('{}.up').touch(); time.sleep(600)"
    keeper = Supervisor(say=lambda _: None)
    for name in ("first", "second", "third"):
        code = (note + wait).format(name, name)
        command = [sys.executable, "-c", code]
        keeper.keep(Process(name, command, var_dir=tmp_path, stop_within_s=LONG_S, folder=tmp_path))
    wait_for(lambda: len(list(tmp_path.glob("*.up"))) == 3)
    keeper.stop([["second"], ["third", "absent"]])
    assert (tmp_path / "order").read_text().split() == ["second", "third", "first"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_children_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from config.processes import Process\n"
        f"p = Process('thing', [sys.executable, '-c', {SLEEP!r}], var_dir=Path(sys.argv[1]))\n"
        "p.start(); print(p.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # From its exec on, the child has asked the kernel to be told.
        wait_for(lambda: "time.sleep" in proctable.living()[child].command.replace("launch.py", ""))
        parent.kill()
    wait_for(lambda: gone(child))


def test_what_a_killed_run_left_running_is_stopped(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as left:
        note = tmp_path / "run/thing.pid"
        note.parent.mkdir()
        note.write_text(f"{left.pid}\n{int(signal.SIGTERM)}\n{proctable.living()[left.pid].born}\n")
        stop_leftovers(tmp_path)
        assert left.wait(LONG_S) == -signal.SIGTERM
    assert not note.exists()


@pytest.mark.parametrize("note", ["{pid}\n15\n1\n", "{pid}", "", "nonsense\n15\n1", "2147483646\n15\n1\n"])
def test_a_process_that_only_has_the_number_of_ours_is_left_alone(tmp_path: Path, note: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/thing.pid").write_text(note.format(pid=os.getpid()))
    stop_leftovers(tmp_path)
    assert list((tmp_path / "run").iterdir()) == []


def test_a_secret_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    secret = var_dir.kept_secret(file)
    assert len(secret) >= 50
    assert var_dir.kept_secret(file) == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_is_claimed_once(tmp_path: Path) -> None:
    with (
        var_dir.claim(tmp_path, what="Laurel at http://127.0.0.1:1"),
        pytest.raises(CannotStart, match=rf"Laurel at .* \(process {os.getpid()}\) already uses {tmp_path}"),
    ):
        var_dir.claim(tmp_path, what="another")
    var_dir.claim(tmp_path, what="the next").close()


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device", "some/file"), CannotStart("initdb: No space left on device")],
)
def test_a_full_disk_is_said_in_one_sentence(tmp_path: Path, error: Exception) -> None:
    assert var_dir.in_plain_words(error, tmp_path) == (
        f"The disk is full: make room, or set VAR_DIR (now {tmp_path}) to a folder on another disk."
    )


def test_another_error_of_the_file_system_names_its_file(tmp_path: Path) -> None:
    said = var_dir.in_plain_words(PermissionError(13, "Permission denied", "some/file"), tmp_path)
    assert said.startswith("some/file: Permission denied; see to that")
