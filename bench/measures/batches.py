"""Batches of 100: stored a second, and until everything that follows from them is done."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median

from bench.figures import Bench, Figure, rate_figure
from bench.load import BadAnswer, Run, in_turn, saturate
from bench.measures import limits
from bench.pages import Pages, opened
from bench.platform import Platform
from bench.world import BATCH, WATCHERS

_ACCEPTED = {202}
_CONNECTIONS = 3
_SAMPLE_S = 0.25
_COUNTS = """
    SELECT (SELECT count(*) FROM achievements_unlock),
           (SELECT count(*) FROM social_notification WHERE kind = 'achievement.unlocked')
"""


@dataclass(frozen=True)
class _Repetition:
    """One load of batches: its storing, until it was told, until all had followed, and the largest lag meanwhile."""

    stored: Run
    seconds: float
    seconds_of_all: float
    most_behind: int
    most_seconds_behind: float


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure storing and following in one go, then compare what followed with the unlocks."""
    with opened(bench.platform) as pages:
        repetitions = [_repetition(bench, pages) for _ in range(bench.plan.repetitions)]
    stored = rate_figure(
        "batches of 100, stored", [one.stored for one in repetitions], unit="unlocks/s", each=BATCH
    )
    yield replace(stored, ratio=bench.rate_against(limits.INSERT_MANY, stored.value))
    rates = [len(one.stored.latencies_ms) * BATCH / one.seconds for one in repetitions]
    whole = _figure("batches of 100, stored, ranked, counted, told", rates, "unlocks/s")
    yield replace(whole, ratio=bench.rate_against(limits.INSERT_MANY, whole.value), bar="≥ 12,000/s")
    rates = [len(one.stored.latencies_ms) * BATCH / one.seconds_of_all for one in repetitions]
    yield _figure("… and in analytics", rates, "unlocks/s")
    yield _figure(
        "meanwhile the last follower was behind by", [one.most_behind for one in repetitions], "unlocks"
    )
    yield _figure("… which is", [one.most_seconds_behind for one in repetitions], "s")
    _require_whole(bench)


def _figure(name: str, values: list[float], unit: str) -> Figure:
    return Figure(name, median(values), unit, min(values), max(values))


def _repetition(bench: Bench, pages: Pages) -> _Repetition:
    """Send batches as fast as they are taken; the last ones are for players whose pages are open."""
    platform = bench.platform
    platform.wait_for_followers()
    last = WATCHERS // BATCH
    batches = [platform.requests.batch() for _ in range(bench.plan.unlocks_in_batches // BATCH - last)]
    batches += [platform.requests.watched_batch() for _ in range(last)]
    told = len(pages.told) + WATCHERS
    with _sampled_lag(platform) as samples:
        began = time.perf_counter()
        stored = saturate(platform.web, in_turn(iter(batches)), connections=_CONNECTIONS, expected=_ACCEPTED)
        pages.wait_until_told(told)
        platform.wait_for_followers(patient=False)
        seconds = time.perf_counter() - began
        platform.wait_for_followers()
        seconds_of_all = time.perf_counter() - began
    platform.require_all_alive()
    return _Repetition(
        stored, seconds, seconds_of_all, max(row[0] for row in samples), max(row[1] for row in samples)
    )


@contextmanager
def _sampled_lag(platform: Platform) -> Iterator[list[tuple[int, float]]]:
    """Ask again and again how far the last follower is behind."""
    samples = [(0, 0.0)]
    stop = threading.Event()

    def sample() -> None:
        with platform.connect() as connection:
            while not stop.wait(_SAMPLE_S):
                samples.append(platform.behind(connection))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def _require_whole(bench: Bench) -> None:
    """Compare inboxes and boards with the unlocks. Raises BadAnswer when they differ."""
    platform, past = bench.platform, bench.past
    with platform.connect() as connection:
        counts = connection.execute(_COUNTS).fetchone()
    if counts is None or counts[0] - counts[1] != (past.unlocks - past.notices if past else 0):
        raise BadAnswer(f"Unlocks and what players were told of them are not equally many: {counts}.")
    _, said = platform.manage("rebuild_boards", "--check")
    if "0 differences" not in said:
        raise BadAnswer(f"The boards are not what the unlocks add up to: {said.strip()[-400:]}")
