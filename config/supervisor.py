"""Keeps processes running: one that ends is started again, at first soon, then more and more patiently."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from config.processes import CannotStart, Process, stop_all

TICK_S = 0.1
# The first pause lets the children of a killed server go; the last is short enough for whoever mends the cause.
PAUSES_S = (0.5, 1, 2, 4, 8, 16, 30)
STEADY_S = 60.0
GIVE_UP_AFTER = 3


@dataclass
class _Watched:
    process: Process
    ends: int = 0
    started_at: float = 0.0
    due_at: float | None = None


class Supervisor:
    """What runs now. A signal handler sets `stopping`: a plain attribute, since an Event could deadlock there."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        """Watch nothing yet; `say` tells the operator a line."""
        self.stopping = False
        self._say = say
        self._watched: list[_Watched] = []

    def keep(self, process: Process) -> None:
        """Start a process and watch it from now on."""
        self._watched.append(_Watched(process, started_at=time.monotonic()))
        process.launch()

    def watch(self) -> None:
        """Keep everything running until `stopping` is set."""
        while not self.stopping:
            self.check()
            time.sleep(TICK_S)

    def wait_until_ready(self, *, within_s: float) -> None:
        """Return once everything answers, or at once when told to stop.

        Raises CannotStart when something keeps ending or does not answer in time.
        """
        deadline = time.monotonic() + within_s
        while not self.stopping:
            self.check()
            waiting = [watched for watched in self._watched if not watched.process.ready()]
            if not waiting:
                return
            _refuse_the_hopeless(waiting, late=time.monotonic() > deadline, within_s=within_s)
            time.sleep(TICK_S)

    def check(self) -> None:
        """Look at every process once and start again what has ended and is due."""
        now = time.monotonic()
        for watched in self._watched:
            if watched.process.alive:
                if now - watched.started_at > STEADY_S:
                    watched.ends = 0
            elif watched.due_at is None:
                self._note_end(watched, now)
            elif now >= watched.due_at:
                self._start_again(watched, now)

    def stop(self, order: Sequence[Sequence[str]]) -> None:
        """Stop everything: group after group of names, then the rest, last started first."""
        by_name = {watched.process.name: watched.process for watched in self._watched}
        for names in order:
            stop_all(by_name.pop(name) for name in names if name in by_name)
        for process in reversed(by_name.values()):
            process.stop()
        self._watched.clear()

    def _note_end(self, watched: _Watched, now: float) -> None:
        watched.process.sweep()
        pause = PAUSES_S[min(watched.ends, len(PAUSES_S) - 1)]
        watched.ends += 1
        watched.due_at = now + pause
        process = watched.process
        self._say(
            f"{process.name} {process.how_it_ended()}; it starts again in {pause:g} s (see {process.log})."
        )

    def _start_again(self, watched: _Watched, now: float) -> None:
        watched.due_at, watched.started_at = None, now
        try:
            watched.process.launch()
        except (OSError, CannotStart) as error:
            self._say(f"{watched.process.name} can't start: {error}")


def _refuse_the_hopeless(waiting: Sequence[_Watched], *, late: bool, within_s: float) -> None:
    """Raise CannotStart for a process that ended too often, or for any when it is late."""
    for watched in waiting:
        process = watched.process
        if watched.ends >= GIVE_UP_AFTER:
            raise CannotStart(
                f"{process.name} {process.how_it_ended()} ({watched.ends} times); {process.last_words()}."
            )
    if late:
        names = ", ".join(watched.process.name for watched in waiting)
        raise CannotStart(
            f"{names} did not answer within {within_s:.0f} s; {waiting[0].process.last_words()}."
        )
