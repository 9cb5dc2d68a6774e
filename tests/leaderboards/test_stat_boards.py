"""Boards that a stat feeds: what is reported comes to them, once, whatever is repeated."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from core import followers
from leaderboards.models import Leaderboard, Score
from tests import factories
from tests.stats.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    made = World.create()
    factories.stat(made.game, "kills")
    factories.stat(made.game, "lap", aggregation="min")
    factories.stat(made.game, "mood", aggregation="last")
    yield made
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def define(world: World, key: str = "board", **fields: Any) -> Any:
    return world.api().post(f"/games/{world.game.uuid}/leaderboards", {"key": key, "name": key, **fields})


def board(world: World, key: str = "board", **fields: Any) -> None:
    assert define(world, key, **fields).status_code == 201


def report(world: World, player: str = "p-1", /, **stats: Any) -> None:
    assert world.report(player, **stats).status_code == 202


def follow() -> None:
    followers.drain("feeding")
    followers.drain("leaderboards")


def rows(world: World, key: str = "board", query: str = "") -> list[tuple[int, str, float]]:
    answer = world.api().get(f"/leaderboards/{world.game.uuid}/{key}{query}")
    assert answer.status_code == 200, answer.content
    return [(row["rank"], row["player"]["external_id"], row["score"]) for row in answer.json()["results"]]


def test_the_best_value_is_the_score(world: World) -> None:
    board(world, stat="lap", sort="asc", decimals=1)
    report(world, lap={"set": 81.25})
    report(world, lap={"set": 80.5})
    report(world, "p-2", lap={"set": 79.0})
    follow()
    assert rows(world) == [(1, "p-2", 79.0), (2, "p-1", 80.5)]


def test_a_sum_holds_in_each_period_what_was_added_in_it(world: World) -> None:
    board(world, stat="kills", operator="sum", reset="weekly", spans=["all"])
    last_week = (timezone.now() - timedelta(days=8)).isoformat()
    body = {"game_id": str(world.game.uuid), "player": "p-1", "stats": {"kills": {"add": 40}}}
    report(world, kills={"add": 5})
    report(world, kills={"add": 7})
    world.api().post("/stats/report", {**body, "reported_at": last_week, "event_id": str(world.game.uuid)})
    report(world, kills={"add": -2})
    follow()
    assert rows(world)[0][2] in (10, 50)  # a key without offline:write is heard when it is heard
    assert rows(world, query="?span=all") == [(1, "p-1", 50)]


def test_rounded_values_add_up_to_the_rounded_sum(world: World) -> None:
    board(world, stat="kills", operator="sum")
    for _ in range(7):
        report(world, kills={"add": 0.3})
    follow()
    assert rows(world) == [(1, "p-1", 2)]


def test_a_last_value_comes_and_goes(world: World) -> None:
    board(world, stat="mood", operator="last")
    report(world, mood={"set": 9})
    report(world, mood={"set": -3})
    follow()
    assert rows(world) == [(1, "p-1", -3)]


def test_what_is_heard_again_counts_once(world: World) -> None:
    board(world, stat="kills", operator="sum")
    report(world, kills={"add": 5})
    follow()
    followers.rewind("feeding", fact_id=0)
    report(world, kills={"add": 1})
    follow()
    assert rows(world) == [(1, "p-1", 6)]


def test_a_reset_takes_from_a_sum_what_it_had(world: World) -> None:
    board(world, stat="kills", operator="sum")
    report(world, kills={"add": 5})
    body = {"game_id": str(world.game.uuid), "player": "p-1", "reason": "why"}
    assert world.api().post("/stats/reset", body).status_code == 202
    report(world, kills={"add": 2})
    follow()
    assert rows(world) == [(1, "p-1", 2)]


def test_one_stat_feeds_several_boards_and_no_other(world: World) -> None:
    board(world, "total", stat="kills", operator="sum")
    board(world, "best", stat="kills")
    board(world, "laps", stat="lap", sort="asc")
    board(world, "own")
    report(world, kills={"add": 5})
    follow()
    assert (rows(world, "total"), rows(world, "best")) == ([(1, "p-1", 5)], [(1, "p-1", 5)])
    assert (rows(world, "laps"), rows(world, "own")) == ([], [])


@pytest.mark.parametrize("why", ["bounds", "banned", "archived", "not begun"])
def test_what_a_board_refuses_is_passed_by_and_the_rest_is_taken(world: World, why: str) -> None:
    more: dict[str, Any] = {}
    if why == "bounds":
        more = {"max_score": 4}
    elif why == "not begun":
        more = {"starts_at": (timezone.now() + timedelta(days=1)).isoformat()}
    board(world, stat="kills", **more)
    report(world, kills={"add": 5})
    report(world, "p-2", kills={"add": 3})
    if why == "banned":
        factories.ban(world.studio, "p-1")
    elif why == "archived":
        Leaderboard.objects.update(archived_at=timezone.now())
    follow()
    taken = {"bounds": {3}, "banned": {3}}.get(why, set())
    assert set(Score.objects.values_list("sort_value", flat=True)) == {-value for value in taken}


def test_submissions_to_it_are_refused(world: World) -> None:
    board(world, stat="kills")
    path = f"/leaderboards/{world.game.uuid}/board/scores"
    assert world.api().post(path, {"player": "p-1", "score": 5}).status_code == 409


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"stat": "unknown"}, "/stat"),
        ({"stat": "retired"}, "/stat"),
        ({"stat": ""}, "/stat"),
        ({"stat": "lap", "operator": "sum"}, "/operator"),
        ({"stat": "kills", "attempts_limit": 3}, "/attempts_limit"),
    ],
)
def test_a_stat_that_can_t_feed_it_is_refused(world: World, fields: dict[str, Any], pointer: str) -> None:
    factories.stat(world.game, "retired", archived_at=timezone.now())
    answer = define(world, **fields)
    assert answer.status_code == 422, answer.content
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Leaderboard.objects.exists()
    board(world)
    path = f"/games/{world.game.uuid}/leaderboards/board"
    assert world.api().patch(path, fields).status_code == 422


def test_the_stat_does_not_change_under_scores(world: World) -> None:
    board(world, stat="kills")
    report(world, kills={"add": 5})
    follow()
    path = f"/games/{world.game.uuid}/leaderboards/board"
    for stat in (None, "mood"):
        assert world.api().patch(path, {"stat": stat}).status_code == 409


@pytest.mark.slow
def test_a_file_brings_a_board_and_its_stat_together(world: World) -> None:
    board(world, stat="kills", operator="sum")
    path = f"/games/{world.game.uuid}/achievements/export?format=laurel"
    file = world.api().get(path).content
    other = factories.game(world.studio)
    target = f"/games/{other.uuid}/achievements/import?format=laurel"
    answer = world.api().post(target, file, content_type="application/octet-stream")
    assert (answer.status_code, answer.json()["errors"]) == (200, [])
    assert Leaderboard.objects.get(game=other).stat == "kills"
    unknown = {"leaderboards": [{"key": "x", "name": "X", "stat": "unknown"}]}
    answer = world.api().post(target, json.dumps(unknown).encode(), content_type="application/octet-stream")
    assert "The game has no stat" in answer.json()["errors"][0]["detail"]
    assert not Leaderboard.objects.filter(key="x").exists()
