"""Changed definitions: who would unlock, and who is given it in the background, told or not."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.models import PlayerIdentity
from achievements.models import Achievement, Backfill, PlayerGame, Unlock
from achievements.services import backfills
from core import followers
from social.models import Notification
from tests import factories
from tests.held import held, ids_of_who_waits
from tests.patience import LONG_S
from tests.stats.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield World.create()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def path(world: World, key: str = "") -> str:
    return f"/games/{world.game.uuid}/achievements" + (f"/{key}" if key else "")


def change(world: World, key: str, query: str = "", **values: Any) -> Any:
    answer = world.api().patch(path(world, key) + query, values)
    assert answer.status_code == 200, answer.content
    return answer.json()


def run() -> int:
    return backfills.run_some(now=timezone.now())


def holders(key: str) -> int:
    return Unlock.objects.filter(achievement__key=key).count()


def kills(world: World, target: int = 100) -> None:
    factories.stat(world.game, "kills")
    factories.achievement(world.game, "slayer", type="incremental", stat="kills", target=target)
    for number in range(1, 6):
        world.report(f"p-{number}", kills={"add": 10 * number})


def test_a_preview_says_who_would_unlock_and_changes_nothing(world: World) -> None:
    kills(world)
    answer = world.api().post(path(world, "slayer/preview"), {"target": 40})
    assert answer.json() == {
        "would_unlock": 2,
        "checked": 5,
        "is_complete": True,
        "players": ["p-4", "p-5"],
    }
    assert world.api().get(path(world, "slayer")).json()["target"] == 100
    assert not Backfill.objects.exists()
    assert run() == 0


def told() -> list[int]:
    """Return who was told of an unlock."""
    return list(Notification.objects.filter(kind="achievement.unlocked").values_list("player_id", flat=True))


def test_a_lowered_threshold_is_given_to_who_is_past_it_and_nobody_is_told(world: World) -> None:
    kills(world)
    change(world, "slayer", target=30)
    assert holders("slayer") == 0
    assert run() == 3
    assert run() == 0
    assert holders("slayer") == 3
    (one,) = world.api().get(f"/games/{world.game.uuid}/backfills").json()["results"]
    assert (one["state"], one["checked"], one["total"], one["percent"], one["unlocked"]) == (
        "done",
        5,
        5,
        100,
        3,
    )
    followers.follow("social")
    assert not told()


def test_with_announce_they_are_told(world: World) -> None:
    kills(world)
    change(world, "slayer", "?announce=true", target=50)
    run()
    followers.follow("social")
    assert told() == [Unlock.objects.get().player_id]


@pytest.mark.slow
def test_one_that_is_overtaken_by_another_change_ends_and_tells_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills(world)
    monkeypatch.setattr(backfills, "BATCH", 2)
    change(world, "slayer", "?announce=true", target=60)
    while not Backfill.objects.filter(checked=2).exists():
        backfills._run_batch()
    change(world, "slayer", target=20)
    assert run() == 4
    assert list(Backfill.objects.order_by("id").values_list("state", flat=True)) == ["cancelled", "done"]
    followers.follow("social")
    assert not told()


def test_a_shorter_list_of_a_meta_and_its_count(world: World) -> None:
    for key in "abc":
        factories.achievement(world.game, key)
    factories.achievement(world.game, "all", type="meta", requires=["a", "b", "c"])
    for player, keys in (("p-1", "ab"), ("p-2", "a"), ("p-3", "bc")):
        for key in keys:
            body = {"game_id": str(world.game.uuid), "player": player, "achievement": key}
            world.api().post("/achievements/unlock", body)
    change(world, "all", requires=["a", "b"])
    assert run() == 1
    change(world, "all", requires=["a", "b", "c"], requires_count=2)
    assert run() == 1
    change(world, "all", requires_count=1)
    assert run() == 1
    assert holders("all") == 3


def test_own_steps_and_what_they_complete(world: World) -> None:
    factories.achievement(world.game, "doors", type="incremental", target=100)
    factories.achievement(world.game, "first", type="meta", requires=["doors"])
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "doors", "steps": 60}
    world.api().post("/achievements/progress", body)
    change(world, "doors", target=50)
    assert run() == 1
    assert (holders("doors"), holders("first")) == (1, 1)
    assert PlayerGame.objects.get().points == 20


@pytest.mark.slow
def test_unlocks_keep_their_time_and_points(world: World) -> None:
    kills(world, target=30)
    before = list(Unlock.objects.order_by("player_id").values())
    change(world, "slayer", points=500, target=20)
    assert run() == 1
    kept = list(Unlock.objects.filter(points=10).order_by("player_id").values())
    assert kept == before
    assert Unlock.objects.filter(points=500).count() == 1


def test_a_new_one_is_given_to_who_meets_it(world: World) -> None:
    kills(world)
    body = {"key": "ten", "name": "Ten", "type": "incremental", "goal": {"stat": "kills", "at_least": 25}}
    assert world.api().post(path(world), body).status_code == 201
    assert run() == 3


def test_banned_players_and_drafts_are_left_out(world: World) -> None:
    kills(world)
    PlayerIdentity.objects.filter(external_id="p-5").update(banned_at=timezone.now())
    factories.achievement(world.game, "draft", type="incremental", stat="kills", target=1, state="draft")
    change(world, "draft", target=2)
    change(world, "slayer", target=40)
    assert run() == 1
    assert Backfill.objects.count() == 1


@pytest.mark.slow
def test_one_that_is_archived_meanwhile_is_cancelled(world: World) -> None:
    kills(world)
    change(world, "slayer", target=10)
    change(world, "slayer", state="archived")
    assert run() == 0
    assert Backfill.objects.get().state == "cancelled"


def test_a_worker_that_dies_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kills(world)
    monkeypatch.setattr(backfills, "BATCH", 2)
    change(world, "slayer", target=10)
    backfills._run_batch()  # it is taken up
    backfills._run_batch()
    assert (holders("slayer"), Backfill.objects.get().checked) == (2, 2)
    assert run() == 3
    assert (Backfill.objects.get().checked, Backfill.objects.get().unlocked) == (5, 5)


def test_who_counts_holds_no_listener_back_and_others_work_at_the_next_one(world: World) -> None:
    for key in "ab":
        factories.achievement(world.game, key)
    factories.achievement(world.game, "all", type="meta", requires=["a", "b"])
    kills(world)
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "a"}
    world.api().post("/achievements/unlock", body)
    change(world, "slayer", target=30)
    change(world, "all", requires_count=1)
    Backfill.objects.update(started_at=timezone.now())
    with ThreadPoolExecutor(2) as pool:
        with held("stats_statvalue"):
            counting = pool.submit(closing, backfills._run_batch)
            assert ids_of_who_waits("stats_statvalue") == [None]
            assert pool.submit(closing, backfills._run_batch).result(LONG_S) == 1
            assert holders("all") == 1
        assert counting.result(LONG_S) == 3
    assert list(Backfill.objects.order_by("id").values_list("state", "total")) == [("done", 5), ("done", 1)]


def closing(work: Callable[[], int | None]) -> int | None:
    try:
        return work()
    finally:
        connection.close()


def test_who_was_counted_for_another_definition_is_counted_anew(world: World) -> None:
    kills(world)
    change(world, "slayer", target=30)
    Backfill.objects.update(total=77, started_at=timezone.now())
    change(world, "slayer", target=20)
    assert run() == 4
    assert Backfill.objects.get().total == 5


def test_a_report_that_was_checked_before_the_change_is_waited_for(world: World) -> None:
    kills(world)
    sent, go_on = Event(), Event()

    def report_slowly() -> None:
        with transaction.atomic():
            world.report("late", kills={"add": 50})
            sent.set()
            go_on.wait(LONG_S)
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(report_slowly)
        assert sent.wait(LONG_S)
        change(world, "slayer", target=50)
        assert run() == 0
        go_on.set()
        slow.result(LONG_S)
    assert run() == 2
    assert holders("slayer") == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "values", "status"),
    [
        ("nobody", {"target": 1}, 404),
        ("slayer", {"target": 0}, 422),
        ("slayer", {"rank": 1}, 400),
        ("slayer", [], 400),
    ],
)
def test_a_preview_of_what_can_t_be_is_refused(world: World, key: str, values: Any, status: int) -> None:
    kills(world)
    assert world.api().post(path(world, f"{key}/preview"), values).status_code == status
    stranger = factories.api(factories.server_key(factories.studio("Other")))
    assert stranger.post(path(world, "slayer/preview"), {"target": 1}).status_code == 404
    assert stranger.get(f"/games/{world.game.uuid}/backfills").status_code == 404
    assert Achievement.objects.get().target == 100
