"""A thousand steps of one from sixteen processes, each sent twice: a thousand, one unlock, one push."""

import multiprocessing
from multiprocessing.synchronize import Barrier
from uuid import UUID, uuid5

from tests.faults import ENDS_WITHIN_S
from tests.platform import POINTS, Platform

PROCESSES = 16
STEPS = 1_000
_NAMES = UUID("019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11")


def _send_all(
    platform: Platform, number: int, start: Barrier, answers: "multiprocessing.Queue[tuple[list[int], int]]"
) -> None:
    """Send every sixteenth event, and those of the next process: each is sent by two at about the same time."""
    client = platform.client(timeout_s=30)
    start.wait()
    statuses, repeated = [], 0
    for step in range(STEPS):
        if step % PROCESSES not in (number, (number + 1) % PROCESSES):
            continue
        told = {"game_id": platform.game, "player": "counted", "event_id": str(uuid5(_NAMES, str(step)))}
        progress = {**told, "achievement": "thousand-steps", "steps": 1, "op": "add"}
        report = {**told, "stats": {"kills": {"add": 1}}}
        for path, body in (("/achievements/progress", progress), ("/stats/report", report)):
            answer = client.post(path, body)
            if answer.status in (0, 503):
                answer, repeated = client.until_answered(client.post, path, body), repeated + 1
            statuses.append(answer.status)
    answers.put((statuses, repeated))


def test_a_thousand_steps_of_one_are_a_thousand_and_unlock_once(platform: Platform) -> None:
    client = platform.client(timeout_s=30)
    games = f"/games/{platform.game}"
    client.post(f"{games}/stats", {"key": "kills", "name": "Kills"})
    steps = {
        "key": "thousand-steps",
        "name": "Steps",
        "type": "incremental",
        "target": STEPS,
        "points": POINTS,
    }
    kills = {**steps, "key": "thousand-kills", "name": "Kills", "stat": "kills"}
    for definition in (steps, kills):
        assert client.post(f"{games}/achievements", definition).status == 201
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(PROCESSES)
    answers: multiprocessing.Queue[tuple[list[int], int]] = fork.Queue()
    processes = [
        fork.Process(target=_send_all, args=(platform, number, start, answers)) for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    heard = [answers.get(timeout=ENDS_WITHIN_S) for _ in processes]
    for process in processes:
        process.join()
    # Progress is answered alike; of a report the second time is told apart.
    # One that was stored without an answer is known already when it is sent again.
    statuses = [status for each, _ in heard for status in each]
    repeated = sum(count for _, count in heard)
    assert set(statuses) == {202, 200}
    assert len(statuses) == 4 * STEPS
    assert 3 * STEPS - repeated <= statuses.count(202) <= 3 * STEPS
    mine = "JOIN accounts_playeridentity i USING (player_id) WHERE i.external_id = 'counted'"
    assert platform.rows(f"SELECT current FROM achievements_progress {mine}") == [(STEPS,)]
    assert platform.rows(f"SELECT value::bigint FROM stats_statvalue {mine}") == [(STEPS,)]
    assert platform.rows(f"SELECT points, unlocked FROM achievements_playergame {mine}") == [(2 * POINTS, 2)]
    platform.wait_until_caught_up()
    told = platform.rows(f"SELECT count(*) FROM social_notification {mine} AND kind = 'achievement.unlocked'")
    assert told == [(2,)]
    platform.assert_whole()
