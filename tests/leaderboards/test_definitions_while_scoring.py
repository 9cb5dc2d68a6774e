"""What a studio declares, changed while a score is on its way, and after all scores are gone again."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from accounts.models import Game
from core.ids import new_id
from core.refusals import Conflict, NotFound
from leaderboards.models import Leaderboard, Period, Score, Submission
from leaderboards.services import definitions, scores
from leaderboards.services.scores import ScoreRequest
from tests import factories
from tests.leaderboards.world import World
from tests.patience import LONG_S

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def game(world: World) -> Game:
    return Game.objects.get(pk=world.game.id)


def submit(world: World, event_id: UUID | None = None) -> Any:
    request = ScoreRequest("p0", 5, event_id=event_id)
    return scores.submit(game=world.game, key="high-score", request=request, by=scores.SERVER, at=NOON)


def emptied(world: World, game: Game, **fields: Any) -> None:
    """Declare a board whose period has begun and holds nothing, as after a refusal or a deleted entry."""
    factories.leaderboard(game, **fields)
    submit(world)
    Score.objects.all().delete()


def update(world: World, **values: Any) -> Any:
    return definitions.update(game=world.game, key="high-score", values=values, at=NOON)


def delete(world: World) -> None:
    definitions.delete(game=world.game, key="high-score")


CHANGES: dict[str, Callable[[World], Any]] = {
    "sort": lambda world: update(world, sort="asc"),
    "time zone": lambda world: update(world, time_zone="Asia/Tokyo"),
    "delete": delete,
}


@contextmanager
def on_its_way(act: Callable[[], Any]) -> Iterator[Callable[[], Any]]:
    """Do something without committing it; what is yielded commits it and returns what came of it."""
    done, commit = Event(), Event()

    def hold() -> Any:
        try:
            with transaction.atomic():
                result = act()
                done.set()
                assert commit.wait(LONG_S)
            return result
        finally:
            connection.close()

    def finish() -> Any:
        commit.set()
        return held.result(LONG_S)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        assert done.wait(LONG_S)
        try:
            yield finish
        finally:
            commit.set()


@contextmanager
def waiting(act: Callable[[], Any]) -> Iterator["Future[Any]"]:
    """Do something elsewhere that has to wait for somebody's lock."""

    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        assert is_waiting(running)
        yield running


def is_waiting(running: "Future[Any]") -> bool:
    """Say, once something either is done or waits for a lock, whether it waits."""
    while not running.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return True
    return False


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_named", [False, True])
def test_a_change_that_scores_forbid_waits_for_the_score_on_its_way(
    world: World, game: Game, change: str, is_named: bool
) -> None:
    emptied(world, game)
    with (
        on_its_way(lambda: submit(world, new_id() if is_named else None)) as commit,
        waiting(lambda: CHANGES[change](world)) as changing,
    ):
        commit()
        with pytest.raises(Conflict):
            changing.result(LONG_S)
    row = Leaderboard.objects.get()
    assert (row.sort, row.time_zone, row.version, row.epoch) == ("desc", "UTC", 1, 1)
    assert Period.objects.get().state == "open"
    assert Score.objects.get().sort_value == -5


@pytest.mark.slow
@pytest.mark.parametrize("is_named", [False, True])
def test_a_score_that_waits_for_a_change_is_weighed_by_what_is_declared_then(
    world: World, game: Game, is_named: bool
) -> None:
    emptied(world, game)
    event_id = new_id() if is_named else None
    with (
        on_its_way(lambda: update(world, sort="asc")) as commit,
        waiting(lambda: submit(world, event_id)) as scoring,
    ):
        commit()
        board, _ = scoring.result(LONG_S)
    assert board.sort == "asc"
    assert Score.objects.get().sort_value == 5
    assert Submission.objects.count() == is_named


@pytest.mark.parametrize("is_named", [False, True])
def test_a_score_that_waits_for_its_board_to_go_finds_no_board(
    world: World, game: Game, is_named: bool
) -> None:
    emptied(world, game)
    event_id = new_id() if is_named else None
    with (
        on_its_way(lambda: delete(world)) as commit,
        waiting(lambda: submit(world, event_id)) as scoring,
    ):
        commit()
        with pytest.raises(NotFound):
            scoring.result(LONG_S)
    assert not Leaderboard.objects.exists()
    assert not Score.objects.exists()
    assert not Submission.objects.exists()


def test_a_board_whose_clocks_changed_begins_its_periods_by_the_new_ones(world: World, game: Game) -> None:
    emptied(world, game, reset="daily", time_zone="Europe/Berlin")
    update(world, time_zone="UTC")
    submit(world)
    discarded, begun = Period.objects.order_by("id")
    assert (discarded.name, discarded.state) == (begun.name, "discarded") == ("2026-11-25", "discarded")
    assert (begun.starts_at, begun.ends_at) == (
        datetime(2026, 11, 25, tzinfo=UTC),
        datetime(2026, 11, 26, tzinfo=UTC),
    )
    assert Score.objects.get().period_id == begun.pk


def test_a_change_that_scores_allow_leaves_its_periods_alone(world: World, game: Game) -> None:
    factories.leaderboard(game)
    submit(world)
    assert update(world, name="Highest", max_score=9).version == 2
    assert update(world, name="Highest").version == 2
    assert Period.objects.get().state == "open"
