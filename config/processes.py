"""Starting, watching and stopping the programs that Laurel is made of."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from config import launch, proctable

POLL_S = 0.05
LEFTOVERS_STOP_WITHIN_S = 20.0


class CannotStart(Exception):
    """Laurel can't start; the message is one sentence that says what to do."""


def _always() -> bool:
    return True


class Process:
    """One program under our eyes, as our child: it writes to `log/<name>.log` and ends when we end (Linux)."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        var_dir: Path,
        env: Mapping[str, str] | None = None,
        account: str = launch.SAME,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_within_s: float = 10.0,
        folder: Path | None = None,
        ready: Callable[[], bool] | None = None,
    ) -> None:
        """Describe the program; nothing is started yet."""
        self.name = name
        self.argv = list(argv)
        self.env = env
        self.account = account
        self.stop_signal = stop_signal
        self.stop_within_s = stop_within_s
        self.folder = folder
        self.log = var_dir / "log" / f"{name}.log"
        self._pid_file = var_dir / "run" / f"{name}.pid"
        self._ready = ready or _always
        self._popen: subprocess.Popen[bytes] | None = None
        self._group: int | None = None

    @property
    def pid(self) -> int:
        """Return the program's number. Raises LookupError before the first start."""
        if self._popen is None:
            raise LookupError(f"{self.name} was never started")
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Say whether it runs; one that has ended is reaped by asking."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Return how it ended (the signal's number negated), or None while it runs and before it started."""
        return None if self._popen is None else self._popen.poll()

    def launch(self) -> None:
        """Start it unless it runs, without waiting until it answers."""
        if self.alive:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        if self._popen is None and self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), str(int(self.stop_signal))]
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [*launcher, self.account, *self.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.folder,
                # Its own group: Ctrl-C reaches us alone, and we stop things in order.
                start_new_session=True,
            )
        self._group = self._popen.pid
        self._note_pid()

    def start(self, *, within_s: float = 60.0) -> None:
        """Start it unless it runs, and wait until it answers. Raises CannotStart."""
        self.launch()
        deadline = time.monotonic() + within_s
        while not self.ready():
            if not self.alive:
                raise CannotStart(f"{self.name} {self.how_it_ended()}; {self.last_words()}.")
            if time.monotonic() > deadline:
                raise CannotStart(f"{self.name} did not answer within {within_s:.0f} s; {self.last_words()}.")
            time.sleep(POLL_S / 5)

    def ready(self) -> bool:
        """Say whether it runs and answers."""
        return self.alive and self._ready()

    def restart(self) -> None:
        """Stop it if it runs, start it again and wait until it answers. Raises CannotStart."""
        self.stop()
        self.start()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal; SIGKILL waits until it is gone. One that has ended is left alone."""
        if self.alive:
            children = proctable.descendants(self.pid)
            os.kill(self.pid, number)
            if number == signal.SIGKILL:
                self._popen_wait(None)
                proctable.signal_all(
                    children, signal.SIGCONT
                )  # a frozen child would never notice that it is alone

    def freeze(self) -> None:
        """Let it and its children hang, as a machine that swaps or a disk that stalls would."""
        os.kill(self.pid, signal.SIGSTOP)
        proctable.signal_all(proctable.descendants(self.pid), signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it and its children go on."""
        proctable.signal_all([self.pid, *proctable.descendants(self.pid)], signal.SIGCONT)

    def wait(self) -> None:
        """Return once it has ended."""
        self._popen_wait(None)

    def ask_to_stop(self) -> None:
        """Tell it to stop, without waiting."""
        if self.alive:
            os.kill(self.pid, self.stop_signal)
            self.thaw()

    def stop(self) -> None:
        """Tell it to stop, and make it stop when it does not. One that has ended, or never ran, is no mistake."""
        if self._popen is None:
            return
        self.ask_to_stop()
        try:
            self._popen_wait(self.stop_within_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self.sweep()
        self._pid_file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove children that outlived it: they would hold its port."""
        if self._group is not None and not self.alive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)
            self._group = None  # from now on the number may be somebody else's

    def how_it_ended(self) -> str:
        """Return `was killed by SIGKILL` or `ended with exit code 1`."""
        code = self.exit_code
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def last_words(self) -> str:
        """Return where its output is and the last line of it."""
        lines = [line.strip() for line in tail(self.log).splitlines() if line.strip()]
        return f"{self.log} ends with “{lines[-1]}”" if lines else f"{self.log} is empty"

    def _note_pid(self) -> None:
        """Keep what stop_leftovers() needs, should we be killed."""
        row = proctable.living().get(self.pid)
        if row is not None:
            self._pid_file.write_text(f"{self.pid}\n{int(self.stop_signal)}\n{row.born}\n")

    def _popen_wait(self, seconds: float | None) -> None:
        if self._popen is not None:
            self._popen.wait(seconds)


def tail(log: Path, *, size: int = 4096) -> str:
    """Return a file's last `size` bytes as text; empty when there is none."""
    with suppress(FileNotFoundError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - size))
        return file.read().decode(errors="replace")
    return ""


def stop_all(processes: Iterable[Process]) -> None:
    """Tell all to stop, then wait for each."""
    processes = list(processes)
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()


def stop_leftovers(var_dir: Path) -> None:
    """Stop what a run that was killed has left running in this folder."""
    files = list((var_dir / "run").glob("*.pid"))
    left = {pid for pid in map(_leftover, files) if pid}
    deadline = time.monotonic() + LEFTOVERS_STOP_WITHIN_S
    while left and time.monotonic() < deadline:
        time.sleep(POLL_S)
        left &= proctable.living().keys()
    proctable.signal_all(left, signal.SIGKILL)
    for file in files:
        file.unlink(missing_ok=True)


def _leftover(file: Path) -> int | None:
    """Tell the process that `file` notes to stop; return its number, or None when it is gone."""
    try:
        pid, number, born = file.read_text().split("\n", 2)
        process, stop_signal = int(pid), signal.Signals(int(number))
    except (OSError, ValueError):
        return None
    row = proctable.living().get(process)
    if row is None or row.born != born.strip():
        return None
    proctable.signal_all([process], stop_signal)
    proctable.signal_all([process], signal.SIGCONT)
    return process
