"""The same unlocks from many processes at once count once."""

import multiprocessing
import threading
from collections import Counter
from multiprocessing.synchronize import Barrier

from tests.faults import ENDS_WITHIN_S
from tests.platform import ACHIEVEMENTS, POINTS, Platform

PROCESSES = 64


def _unlock_all(platform: Platform, start: Barrier, counts: "multiprocessing.Queue[tuple[int, int]]") -> None:
    client = platform.client(timeout_s=30)
    start.wait()
    answers = [client.unlock_until_stored("raced", f"a{n}") for n in range(ACHIEVEMENTS)]
    statuses = [answer.status for answer in answers]
    counts.put((statuses.count(202), statuses.count(200)))


def test_64_processes_leave_200_unlocks_and_their_points_once(platform: Platform) -> None:
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(PROCESSES)
    counts: multiprocessing.Queue[tuple[int, int]] = fork.Queue()
    processes = [fork.Process(target=_unlock_all, args=(platform, start, counts)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    said = [counts.get(timeout=ENDS_WITHIN_S) for _ in processes]
    for process in processes:
        process.join()
    # One that was stored without an answer is known already when it is sent again.
    assert ACHIEVEMENTS - 5 <= sum(new for new, _ in said) <= ACHIEVEMENTS
    assert sum(new + old for new, old in said) == ACHIEVEMENTS * PROCESSES
    totals = platform.rows(
        "SELECT g.points, g.unlocked FROM achievements_playergame g JOIN accounts_playeridentity i USING (player_id)"
        " WHERE i.external_id = 'raced'"
    )
    assert totals == [(ACHIEVEMENTS * POINTS, ACHIEVEMENTS)]
    platform.wait_until_caught_up()
    platform.assert_whole()


def test_unlocks_are_taken_while_definitions_change(platform: Platform) -> None:
    """Whoever looks at the changed definitions holds a connection, and there are fewer of those than threads."""
    done = threading.Event()
    changes: list[int] = []
    statuses: list[int] = []

    def change() -> None:
        client = platform.client(timeout_s=30)
        while not done.wait(0.3):
            new = {"key": f"new-{len(changes)}", "name": "New"}
            changes.append(client.post(f"/games/{platform.game}/achievements", new).status)

    def unlock(number: int) -> None:
        client = platform.client(timeout_s=30)
        statuses.extend(client.unlock(f"busy-{number}", f"a{n}").status for n in range(40))

    changing = threading.Thread(target=change)
    unlocking = [threading.Thread(target=unlock, args=[number]) for number in range(48)]
    changing.start()
    for thread in unlocking:
        thread.start()
    for thread in unlocking:
        thread.join()
    done.set()
    changing.join()
    # A machine that stalls refuses those that are under way, and says so.
    assert set(statuses) <= {202, 503}
    assert statuses.count(202) > 0.8 * len(statuses), Counter(statuses)
    assert set(changes) <= {201, 503}
    assert changes.count(201) > 0.5 * len(changes), Counter(changes)
