"""Which requests a process takes on: `core/admission.py`, by threads that wait for one another."""

import threading
import time
from collections.abc import Callable

import pytest

from core.admission import Admission, Sort, Verdict
from tests.patience import LONG_S

READS, UNLOCKS = 0, 1


def _door(
    *, patience_s: float = LONG_S, yields_s: float = 9.0, room: int = 10, of_one: int = 100
) -> Admission:
    reads = Sort("reads", at_once=1, patience_s=patience_s, yields_s=yields_s, yields_lag_s=5.0)
    return Admission(
        [reads, Sort("unlocks", at_once=2, patience_s=patience_s)], room=room, of_one_caller=of_one
    )


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Guest:
    """Somebody at the door, on a thread of his own."""

    def __init__(self, door: Admission, sort: int, caller: str = "anna") -> None:
        self.verdict: Verdict | None = None
        waiting = door.waiting
        self._thread = threading.Thread(target=self._enter, args=(door, sort, caller))
        self._thread.start()
        _until(lambda: self.verdict is not None or door.waiting > waiting)

    def _enter(self, door: Admission, sort: int, caller: str) -> None:
        self.verdict = door.enter(sort, caller)

    def told(self) -> Verdict | None:
        self._thread.join(LONG_S)
        return self.verdict


def test_who_finds_a_place_does_not_wait() -> None:
    door = _door()
    assert [door.enter(UNLOCKS, "anna"), door.enter(UNLOCKS, "anna")] == [Verdict.ADMITTED] * 2
    assert (door.running, door.waiting) == (2, 0)


def test_lesser_sorts_leave_places_free() -> None:
    door = _door(patience_s=0.01)
    assert door.enter(READS, "anna") is Verdict.ADMITTED
    assert door.enter(READS, "anna") is Verdict.SHED
    assert door.enter(UNLOCKS, "anna") is Verdict.ADMITTED


def test_the_most_important_of_those_who_wait_is_next() -> None:
    door = _door()
    door.enter(READS, "anna")
    door.enter(UNLOCKS, "anna")
    read, unlock = Guest(door, READS), Guest(door, UNLOCKS)
    door.leave(READS, "anna")
    assert unlock.told() is Verdict.ADMITTED
    assert read.verdict is None
    door.leave(UNLOCKS, "anna")
    assert read.told() is Verdict.ADMITTED


def test_of_one_sort_who_came_first_is_next() -> None:
    door = _door()
    for _ in range(2):
        door.enter(UNLOCKS, "anna")
    guests = [Guest(door, UNLOCKS) for _ in range(3)]
    for guest in guests:
        assert [each.verdict for each in guests[guests.index(guest) :]] == [None] * (3 - guests.index(guest))
        door.leave(UNLOCKS, "anna")
        assert guest.told() is Verdict.ADMITTED


def test_nobody_waits_longer_than_his_sort_may() -> None:
    door = _door(patience_s=0.05)
    for _ in range(2):
        door.enter(UNLOCKS, "anna")
    assert door.enter(UNLOCKS, "ben") is Verdict.SHED
    assert (door.running, door.waiting) == (2, 0)


def test_who_would_wait_too_long_is_told_at_once() -> None:
    door = _door()
    for _ in range(2):
        door.enter(UNLOCKS, "anna")
    first = Guest(door, UNLOCKS)
    door._queues[UNLOCKS].waiting[0].since -= LONG_S / 2  # as if it had waited half as long as it may
    assert door.enter(UNLOCKS, "ben") is Verdict.SHED
    for _ in range(2):
        door.leave(UNLOCKS, "anna")
    assert first.told() is Verdict.ADMITTED
    assert door.enter(UNLOCKS, "ben") is Verdict.ADMITTED


def test_a_lesser_sort_yields_once_another_one_waits() -> None:
    door = _door(yields_s=0.0)
    for _ in range(2):
        door.enter(UNLOCKS, "anna")
    unlock = Guest(door, UNLOCKS)
    time.sleep(0.001)
    assert door.enter(READS, "ben") is Verdict.SHED
    assert unlock.verdict is None


def test_what_was_shed_stays_so_for_a_moment_and_then_comes_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    door = _door(yields_s=0.0)
    for _ in range(2):
        door.enter(UNLOCKS, "anna")
    unlock = Guest(door, UNLOCKS)
    time.sleep(0.001)
    assert door.enter(READS, "ben") is Verdict.SHED
    for _ in range(2):
        door.leave(UNLOCKS, "anna")
    assert unlock.told() is Verdict.ADMITTED
    door.leave(UNLOCKS, "anna")
    door._queues[READS].refused_until = time.monotonic()  # as if the moment were over
    assert door.enter(READS, "ben") is Verdict.ADMITTED


def test_listeners_that_are_behind_hold_up_the_lesser_sorts_only() -> None:
    door = _door()
    door.tell_lag(6.0)
    assert door.enter(READS, "anna") is Verdict.SHED
    assert door.enter(UNLOCKS, "anna") is Verdict.ADMITTED
    door.tell_lag(0.0)
    door._queues[READS].refused_until = time.monotonic()
    assert door.enter(READS, "anna") is Verdict.ADMITTED


def test_no_more_wait_than_there_is_room_for() -> None:
    door = _door(room=1)
    for _ in range(2):
        door.enter(UNLOCKS, "anna")
    first = Guest(door, UNLOCKS)
    assert door.enter(UNLOCKS, "ben") is Verdict.SHED
    door.leave(UNLOCKS, "anna")
    assert first.told() is Verdict.ADMITTED


def test_one_caller_leaves_room_for_others() -> None:
    door = _door(of_one=1)
    assert door.enter(UNLOCKS, "anna") is Verdict.ADMITTED
    assert door.enter(UNLOCKS, "anna") is Verdict.TOO_MANY
    assert door.enter(UNLOCKS, "ben") is Verdict.ADMITTED
    door.leave(UNLOCKS, "anna")
    assert door.enter(UNLOCKS, "anna") is Verdict.ADMITTED


def test_nothing_is_left_of_many_who_came_and_went() -> None:
    door = Admission(
        [Sort("reads", 2, 0.01, yields_s=0.001), Sort("unlocks", 4, 0.02)], room=8, of_one_caller=12
    )
    verdicts: list[Verdict] = []

    def come_and_go(number: int) -> None:
        for turn in range(200):
            sort = (number + turn) % 2
            verdicts.append(verdict := door.enter(sort, f"caller {number % 3}"))
            if verdict is Verdict.ADMITTED:
                assert door.running <= 4
                door.leave(sort, f"caller {number % 3}")

    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(verdicts) == 16 * 200
    assert (door.running, door.waiting, dict(door._callers)) == (0, 0, {})
