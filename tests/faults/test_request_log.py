"""What was noted of calls is written, though the process is told to end, or the database is away at that moment."""

from config.processes import stop_all
from tests.platform import Platform, wait_for

CALLS = 40
ATTEMPTS = 3


def noted(platform: Platform) -> tuple[int, int]:
    """Return how many refused calls the log stands for, and how many were counted."""
    [(rows,)] = platform.rows("SELECT coalesce(sum(weight), 0) FROM accounts_call WHERE status = 404")
    [(count,)] = platform.rows(
        "SELECT coalesce(sum(count), 0) FROM accounts_callcount WHERE ending = 'refused'"
    )
    return int(rows), int(count)


def test_a_web_process_that_is_told_to_end_writes_what_it_noted(platform: Platform) -> None:
    # Its server kills whoever takes longer than three seconds to end, as he may on a machine that stalls.
    assert any(_writes_all_at_its_end(platform) for _ in range(ATTEMPTS))


def _writes_all_at_its_end(platform: Platform) -> bool:
    before = noted(platform)
    client = platform.client()
    for _ in range(CALLS):
        assert client.until_answered(client.get, "/games/nothing").status == 404
    stop_all([platform.process("web")])
    try:
        return noted(platform) == (before[0] + CALLS, before[1] + CALLS)
    finally:
        platform.start_again("web")


def test_what_could_not_be_written_is_written_when_the_database_is_back(platform: Platform) -> None:
    before = noted(platform)
    client = platform.client()
    assert client.until_answered(client.get, "/games/nothing").status == 404
    platform.kill("postgres")
    client.get("/games/nothing")
    platform.start_again("postgres")
    wait_for(lambda: noted(platform)[1] > before[1], what="the request log")
    wait_for(lambda: client.get("/games/nothing").status == 404, what="the database")
