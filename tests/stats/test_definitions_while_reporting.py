"""What a studio declares, changed while a report is on its way."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from core.refusals import Conflict
from stats.services import definitions, reports
from stats.services.reports import ReportRequest
from tests import factories
from tests.patience import LONG_S
from tests.stats.world import World, nobody_was_made, nothing_is_held

CHANGES: dict[str, Callable[[GameInfo], Any]] = {
    "aggregation": lambda game: definitions.update(
        game=game, key="kills", values={"aggregation": "max"}, at=timezone.now()
    ),
    "delete": lambda game: definitions.delete(game=game, key="kills"),
}


def on_its_own(act: Callable[[], Any]) -> Any:
    """Do something on a connection of its own."""
    try:
        return act()
    finally:
        connection.close()


def wait_until_somebody_waits() -> None:
    """Return once a transaction waits for the lock of a game's stats."""
    deadline = time.monotonic() + LONG_S
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


def send(game: GameInfo) -> Any:
    request = ReportRequest(game, "p-1", {"kills": ("add", Decimal(3))})
    return reports.report(request=request, by=reports.SERVER, at=timezone.now())


@pytest.fixture
def game(world: World) -> GameInfo:
    factories.stat(world.game)
    found = accounts.game(world.game.uuid)
    assert found is not None
    return found


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_waits_for_the_first_value_and_is_refused(
    world: World, game: GameInfo, change: Callable[[GameInfo], Any]
) -> None:
    sent, go_on = Event(), Event()

    def report_slowly() -> None:
        with transaction.atomic():
            send(game)
            sent.set()
            go_on.wait(LONG_S)

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(on_its_own, report_slowly)
        assert sent.wait(LONG_S)
        changing = pool.submit(on_its_own, lambda: change(game))
        wait_until_somebody_waits()
        assert not changing.done()
        go_on.set()
        slow.result(LONG_S)
        with pytest.raises(Conflict):
            changing.result(LONG_S)
    assert world.held() == {"kills": 3}


@pytest.mark.parametrize(("change", "told"), [("aggregation", 422), ("delete", 404)])
def test_a_report_waits_for_a_change_and_is_checked_by_it(
    world: World, game: GameInfo, change: str, told: int
) -> None:
    changed, go_on = Event(), Event()

    def change_slowly() -> None:
        with transaction.atomic():
            CHANGES[change](game)
            changed.set()
            go_on.wait(LONG_S)

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(on_its_own, change_slowly)
        assert changed.wait(LONG_S)
        reporting = pool.submit(on_its_own, lambda: send(game))
        wait_until_somebody_waits()
        assert not reporting.done()
        go_on.set()
        slow.result(LONG_S)
        result = reporting.result(LONG_S)
    assert result.stats["kills"].refused.problem.status == told
    assert result.status == "rejected"
    nothing_is_held()
    nobody_was_made()
