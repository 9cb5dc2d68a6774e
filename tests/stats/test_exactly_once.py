"""What is held when reports come twice, at once, and crosswise."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any, cast
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts import selectors as accounts
from core import shifts
from core.ids import new_id
from stats.models import Report, StatValue
from stats.rules.values import Op
from stats.services import keeping, reports
from stats.services.reports import Reported, ReportRequest
from tests import factories
from tests.plans import plan_of
from tests.stats.world import World, heard

THREADS = 16


def requests(world: World, rows: Iterable[tuple[str, str, str, int, UUID | None]]) -> list[ReportRequest]:
    game = accounts.game(world.game.uuid)
    assert game is not None
    return [
        ReportRequest(game, player, {stat: (cast("Op", op), Decimal(amount))}, event_id)
        for player, stat, op, amount, event_id in rows
    ]


def at_once(work: list[list[ReportRequest]], *, batch: bool) -> list[Any]:
    """Send each thread's requests, one by one or as a batch, beginning together."""
    start = Barrier(len(work))

    def run(mine: list[ReportRequest]) -> list[Any]:
        start.wait()
        try:
            if batch:
                return reports.report_many(requests=mine, by=reports.SERVER, at=timezone.now())
            return [reports.report(request=one, by=reports.SERVER, at=timezone.now()) for one in mine]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return [result for results in pool.map(run, work) for result in results]


@pytest.mark.slow
def test_ones_added_by_many_at_once_and_each_sent_twice_add_up_exactly(world: World) -> None:
    factories.stat(world.game)
    events = [[new_id() for _ in range(10)] for _ in range(THREADS)]
    # Each event by two threads: whoever repeats it need not be who sent it first.
    work = [
        requests(
            world, [("p", "kills", "add", 1, event) for event in [*mine, *events[(number + 1) % THREADS]]]
        )
        for number, mine in enumerate(events)
    ]
    results = at_once(work, batch=False)
    assert [one.status for one in results].count("reported") == 160
    assert [one.status for one in results].count("already_reported") == 160
    assert world.held("p") == {"kills": 160}
    assert Report.objects.count() == 160
    steps = [row for fact in heard() for row in fact.values]
    assert sum((row[2] or 0) - (row[3] or 0) for row in steps) == 160
    assert len({row[4] for row in steps}) == len(steps)


@pytest.mark.slow
def test_batches_that_cross_each_other_are_all_taken(world: World) -> None:
    keys = [f"s{number}" for number in range(5)]
    for key in keys:
        factories.stat(world.game, key)
    rows = [(f"p{player}", key, "add", 1) for player in range(10) for key in keys]
    work = []
    for number in range(8):
        mine = [(*row, new_id()) for row in (rows if number % 2 else reversed(rows))]
        work.append(requests(world, [*mine, *mine]))
    results = at_once(work, batch=True)
    assert all(isinstance(one, Reported) for one in results)
    assert {row.value for row in StatValue.objects.all()} == {8}
    assert StatValue.objects.count() == 50


def test_the_best_of_many_at_once_is_held(world: World) -> None:
    factories.stat(world.game, "best", aggregation="max")
    factories.stat(world.game, "lap", aggregation="min")
    work = [
        requests(
            world,
            [
                (f"p{number % 3}", key, "set", (number * 37 + step * 11) % 101, None)
                for step in range(10)
                for key in ("best", "lap")
            ],
        )
        for number in range(THREADS)
    ]
    at_once(work, batch=False)
    for player in range(3):
        sent = [(n * 37 + step * 11) % 101 for n in range(player, THREADS, 3) for step in range(10)]
        assert world.held(f"p{player}") == {"best": max(sent), "lap": min(sent)}


@pytest.mark.slow
def test_a_large_batch_is_told_in_facts_that_a_listener_can_take(world: World) -> None:
    for number in range(3):
        factories.stat(world.game, f"s{number}")
    game = accounts.game(world.game.uuid)
    assert game is not None
    wanted = [
        ReportRequest(game, f"p{number}", {f"s{one}": ("add", Decimal(1)) for one in range(3)}, new_id())
        for number in range(700)
    ]
    reports.report_many(requests=wanted, by=reports.SERVER, at=timezone.now())
    assert [len(fact.values) for fact in heard()] == [1000, 1000, 100]
    assert len({(row[0], row[1]) for fact in heard() for row in fact.values}) == 2100
    assert StatValue.objects.count() == 2100


def test_what_a_long_task_leaves_is_forgotten_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.stat(world.game)
    world.report(kills={"add": 3})
    later = Report.objects.get().heard_at + timedelta(days=15)
    monkeypatch.setattr(shifts, "LONGEST_S", -1.0)
    shifts.begin()
    try:
        assert keeping.forget_events(now=later) == 0
    finally:
        shifts.end()
    assert keeping.forget_events(now=later) == 1


def test_events_are_forgotten_after_two_weeks(world: World) -> None:
    factories.stat(world.game)
    world.report(kills={"add": 3})
    now = Report.objects.get().heard_at
    assert keeping.forget_events(now=now + timedelta(days=13)) == 0
    assert Report.objects.exists()
    assert keeping.forget_events(now=now + timedelta(days=15)) == 1
    assert not Report.objects.exists()
    assert world.held() == {"kills": 3}


def test_old_events_are_found_by_their_time(world: World) -> None:
    assert "reports_in_time" in plan_of(keeping._FORGET, [timezone.now(), 5_000])
