"""What was noted of calls is written, though the process is told to end, or the database is away at that moment."""

from config.processes import stop_all
from tests.platform import Platform, wait_for

CALLS = 40


def noted(platform: Platform) -> tuple[int, int]:
    """Return how many refused calls the log stands for, and how many were counted."""
    [(rows,)] = platform.rows("SELECT coalesce(sum(weight), 0) FROM accounts_call WHERE status = 404")
    [(count,)] = platform.rows(
        "SELECT coalesce(sum(count), 0) FROM accounts_callcount WHERE ending = 'refused'"
    )
    return int(rows), int(count)


def test_a_web_process_that_is_told_to_end_writes_what_it_noted(platform: Platform) -> None:
    before = noted(platform)
    client = platform.client()
    for _ in range(CALLS):
        assert client.get("/games/nothing").status == 404
    web = platform.process("web")
    stop_all([web])
    try:
        assert noted(platform) == (before[0] + CALLS, before[1] + CALLS)
    finally:
        web.launch()
        web.start()


def test_what_could_not_be_written_is_written_when_the_database_is_back(platform: Platform) -> None:
    before = noted(platform)
    client = platform.client()
    assert client.get("/games/nothing").status == 404
    platform.kill("postgres")
    client.get("/games/nothing")
    platform.process("postgres").start()
    wait_for(lambda: noted(platform)[1] > before[1], what="the request log")
    wait_for(lambda: client.get("/games/nothing").status == 404, what="the database")
