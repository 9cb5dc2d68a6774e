"""Meta achievements: unlocked with the last one that they need, once, whoever brings it and whenever."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from achievements.models import Achievement, Backfill, PlayerGame, PlayerTotal, Unlock
from achievements.services import backfills
from core import clock
from tests import factories
from tests.stats.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(db: None) -> World:
    return World.create()


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield World.create()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def define(world: World, key: str, **fields: Any) -> Achievement:
    return factories.achievement(world.game, key, **fields)


def meta(world: World, key: str, *requires: str, **fields: Any) -> Achievement:
    return define(world, key, type="meta", requires=list(requires), **fields)


def unlock(world: World, key: str, player: str = "p-1") -> Any:
    body = {"game_id": str(world.game.uuid), "player": player, "achievement": key}
    answer = world.api().post("/achievements/unlock", body)
    assert answer.status_code in (200, 202), answer.content
    return answer.json()


def held() -> set[str]:
    return set(Unlock.objects.values_list("achievement__key", flat=True))


def test_all_of_them_unlock_it_and_its_points_are_in_the_answer_s_totals(here: World) -> None:
    define(here, "a"), define(here, "b")
    meta(here, "both", "a", "b", points=50)
    assert unlock(here, "a")["totals"] == {"points": 10, "unlocked": 1, "available": 3}
    assert unlock(here, "b")["totals"] == {"points": 70, "unlocked": 3, "available": 3}
    assert held() == {"a", "b", "both"}
    assert (PlayerGame.objects.get().points, PlayerTotal.objects.get().points) == (70, 70)
    assert unlock(here, "b")["status"] == "already_unlocked"
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(size) FROM core_fact WHERE kind = 'achievements_unlocked'")
        assert cursor.fetchone() == (3,)


def test_any_n_of_them(here: World) -> None:
    for key in "abcd":
        define(here, key)
    meta(here, "two", *"abcd", requires_count=2)
    unlock(here, "d")
    assert "two" not in held()
    unlock(here, "b")
    assert "two" in held()


def test_metas_of_metas_unlock_together(here: World) -> None:
    define(here, "a")
    meta(here, "one", "a")
    meta(here, "two", "one")
    meta(here, "three", "two", "a")
    unlock(here, "a")
    assert held() == {"a", "one", "two", "three"}
    assert PlayerGame.objects.get().unlocked == 4


def test_progress_and_stats_complete_it_too(here: World) -> None:
    factories.stat(here.game, "kills")
    define(here, "steps", type="incremental", target=5)
    define(here, "slayer", type="incremental", stat="kills", target=5)
    meta(here, "both", "steps", "slayer")
    here.report(kills={"add": 5})
    body = {"game_id": str(here.game.uuid), "player": "p-1", "achievement": "steps", "steps": 5}
    assert here.api().post("/achievements/progress", body).json()["unlocked"] is True
    assert held() == {"steps", "slayer", "both"}


def test_a_batch_completes_it_once_for_each_player(here: World) -> None:
    define(here, "a"), define(here, "b")
    meta(here, "both", "a", "b")
    unlocks = [{"player": f"p-{n}", "achievement": key} for key in "ab" for n in range(20)]
    body = {"game_id": str(here.game.uuid), "unlocks": unlocks}
    said = here.api().post("/achievements/unlock/batch", body).json()
    assert said["unlocked"] == 40
    assert Unlock.objects.filter(achievement__key="both").count() == 20


def test_one_that_is_archived_or_a_draft_or_outside_its_window_stays_locked(here: World) -> None:
    define(here, "a")
    meta(here, "gone", "a", state="archived")
    meta(here, "draft", "a", state="draft")
    meta(here, "over", "a", available_until="2020-01-01T00:00:00Z")
    unlock(here, "a")
    assert held() == {"a"}


def test_one_whose_parts_were_held_before_it_opens_is_given_once_it_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    define(world, "a"), meta(world, "winter", "a", state="draft")
    unlock(world, "a")
    opens = timezone.now() + timedelta(days=7)
    path = f"/games/{world.game.uuid}/achievements/winter"
    values = {"state": "published", "available_from": opens.isoformat()}
    assert world.api().patch(path, values).status_code == 200
    assert backfills.run_some(now=timezone.now()) == 0
    assert Backfill.objects.get().state == "waiting"
    explained = f"/players/p-1/achievements/winter/explain?game_id={world.game.uuid}"
    assert world.api().get(explained).json()["why_locked"] == [
        "Its window has not begun yet.",
        "What it requires is held, but nothing has unlocked it since.",
    ]
    monkeypatch.setattr("core.clock._behind", timedelta(days=8))
    assert backfills.run_some(now=clock.now()) == 1
    assert held() == {"a", "winter"}
    assert Backfill.objects.get().state == "done"


def test_a_part_of_before_the_window_that_is_told_within_it_completes(world: World) -> None:
    opened = timezone.now() - timedelta(hours=1)
    define(world, "a"), meta(world, "winter", "a", available_from=opened)
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "a"}
    told = (opened - timedelta(minutes=1)).isoformat()
    assert world.api().post("/achievements/unlock", body | {"unlocked_at": told}).status_code == 202
    assert held() == {"a", "winter"}


def test_who_was_told_that_a_window_is_closed_is_waited_for_once_it_opens(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    define(world, "a"), meta(world, "winter", "a", state="draft")
    opens = timezone.now() + timedelta(days=7)
    path = f"/games/{world.game.uuid}/achievements/winter"
    values = {"state": "published", "available_from": opens.isoformat()}
    assert world.api().patch(path, values).status_code == 200
    Backfill.objects.update(started_at=timezone.now())  # as by a version that took it up before
    monkeypatch.setattr("core.clock._behind", timedelta(days=8))
    assert backfills.run_some(now=clock.now()) == 0
    assert Backfill.objects.filter(state="done", started_at__gt=opens).exists()


def test_one_whose_window_is_moved_is_given_to_who_holds_its_parts(world: World) -> None:
    define(world, "a"), meta(world, "over", "a", available_until="2020-01-01T00:00:00Z")
    unlock(world, "a")
    path = f"/games/{world.game.uuid}/achievements/over"
    assert world.api().patch(path, {"available_until": None}).status_code == 200
    assert backfills.run_some(now=timezone.now()) == 1
    assert held() == {"a", "over"}


def test_it_is_explained_by_what_it_requires(here: World) -> None:
    define(here, "a"), define(here, "b", hidden=True)
    meta(here, "both", "a", "b")
    event_id = unlock(here, "a")["event_id"]
    path = f"/players/p-1/achievements/both/explain?game_id={here.game.uuid}"
    said = here.api().get(path).json()
    assert [one["met"] for one in said["conditions"]] == [True, False]
    assert said["conditions"][0]["decided_by"]["event_id"] == event_id
    assert said["why_locked"] == ["Not all of its conditions are met."]
    player = factories.player(here.studio, "p-1")
    mine = factories.api(factories.player_token(here.game, player)).get(path.replace("p-1", "me")).json()
    assert [one["achievement"] for one in mine["conditions"]] == ["a", None]


def test_a_draft_that_is_required_is_not_shown_to_players(here: World) -> None:
    define(here, "a"), define(here, "next-season", state="draft")
    meta(here, "tous-les-étés", "a", "next-season")
    player = factories.player(here.studio, "p-1")
    mine = factories.api(factories.player_token(here.game, player))
    decomposed = "tous-les-e\u0301te\u0301s"
    said = mine.get(f"/players/me/achievements/{decomposed}/explain?game_id={here.game.uuid}").json()
    assert [one["achievement"] for one in said["conditions"]] == ["a", None]


def test_what_is_required_is_not_deleted(here: World) -> None:
    define(here, "a"), define(here, "b", state="draft")
    meta(here, "both", "a", "b")
    path = f"/games/{here.game.uuid}/achievements"
    answer = here.api().delete(f"{path}/b")
    assert answer.status_code == 409
    assert "both" in answer.json()["detail"]
    assert here.api().patch(f"{path}/both", {"requires": ["a"]}).status_code == 200
    assert here.api().delete(f"{path}/b").status_code == 204


@pytest.mark.parametrize("through", ["api", "import"])
def test_circles_are_refused(here: World, through: str) -> None:
    define(here, "a")
    meta(here, "one", "a")
    meta(here, "two", "one")
    path = f"/games/{here.game.uuid}/achievements"
    if through == "api":
        answer = here.api().patch(f"{path}/one", {"requires": ["a", "two"]})
        assert answer.status_code == 422
        assert "require each other" in answer.json()["errors"][0]["detail"]
    else:
        changed = [{"key": "one", "name": "One", "type": "meta", "requires": ["two"]}]
        said = here.api().post(f"{path}/import?format=laurel", {"achievements": changed}).json()
        assert "require each other" in str(said["errors"])
    assert Achievement.objects.get(key="one").requires == ["a"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"requires": ["a"], "requires_count": 2}, 422),
        ({"requires": ["a"], "requires_count": 0}, 422),
        ({"requires": ["a"], "requires_count": "1"}, 422),
        ({"requires": ["nobody"]}, 422),
        ({"requires": ["m"]}, 422),
        ({"requires": []}, 422),
        ({"requires": ["a"], "goal": {"stat": "kills", "at_least": 1}}, 422),
    ],
)
def test_what_can_t_be_is_refused(here: World, fields: dict[str, Any], status: int) -> None:
    define(here, "a")
    factories.stat(here.game, "kills")
    body = {"key": "m", "name": "M", "type": "meta", **fields}
    answer = here.api().post(f"/games/{here.game.uuid}/achievements", body)
    assert answer.status_code == status, answer.content
    assert Achievement.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_that_come_at_the_same_moment_don_t_miss_it(world: World) -> None:
    for key in "abcd":
        define(world, key)
    meta(world, "all", *"abcd")
    players = [f"p-{number}" for number in range(25)]

    def send(key: str) -> None:
        for player in players:
            unlock(world, key, player)
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, "abcd"))
    assert Unlock.objects.filter(achievement__key="all").count() == len(players)
    assert set(PlayerGame.objects.values_list("unlocked", flat=True)) == {5}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_list_that_changes_meanwhile_is_followed_as_a_whole(world: World) -> None:
    for key in "abc":
        define(world, key)
    meta(world, "m", "a", "b", "c")
    path = f"/games/{world.game.uuid}/achievements/m"

    def send(number: int) -> None:
        for key in "abc":
            body = {"game_id": str(world.game.uuid), "player": f"p-{number}", "achievement": key}
            # Definitions that keep changing are a reason to say 503, after some attempts.
            while world.api().post("/achievements/unlock", body).status_code == 503:
                pass
        connections.close_all()

    def change() -> None:
        for number in range(10):
            requires = ["a", "b", "c"] if number % 2 else ["b", "c"]
            assert world.api().patch(path, {"requires": requires}).status_code == 200
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        changing = pool.submit(change)
        list(pool.map(send, range(20)))
        changing.result()
    # Whoever holds all three has it under either list.
    assert Unlock.objects.filter(achievement__key="m").count() == 20
