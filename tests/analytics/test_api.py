"""GET /games/{game_id}/analytics/…: figures of a small game."""

from typing import Any

import pytest

from analytics.rules import choosing
from core.ids import new_id
from tests import factories
from tests.analytics.world import World

pytestmark = pytest.mark.django_db(transaction=True)
WEEK = "?window=7d&until=2026-03-08"


@pytest.fixture
def world() -> World:
    return World.create()


def ask(world: World, path: str, api: factories.Api | None = None) -> Any:
    answer = (api or world.api()).get(world.path(path))
    assert answer.status_code == 200, answer.content
    return answer.json()


def lines(world: World, path: str) -> list[str]:
    answer = world.api().get(world.path(path))
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer["X-As-Of"].endswith("Z")
    assert answer["Content-Disposition"].startswith('attachment; filename="')
    text: str = answer.content.decode()
    return text.split("\r\n")[:-1]


def test_an_overview_tells_who_played_day_by_day(world: World) -> None:
    said = ask(world, f"overview{WEEK}")
    assert (said["window"], said["since"], said["until"], said["bucket"]) == (
        "7d",
        "2026-03-02",
        "2026-03-08",
        "day",
    )
    assert said["totals"] == {
        "active_players_average": 0.71,
        "wau": 4,
        "mau": 4,
        "new_players": 4,
        "unlocks": 6,
        "points": 90,
        "playtime_s": 0,
    }
    assert [one["active_players"] for one in said["buckets"]] == [2, 2, 1, 0, 0, 0, 0]
    assert said["buckets"][1] == {
        "at": "2026-03-03",
        "active_players": 2,
        "wau": 3,
        "mau": 3,
        "new_players": 1,
        "returning_players": 1,
        "unlocks": 3,
        "points": 50,
        "playtime_s": 0,
    }
    assert said["before"] is None
    assert said["as_of"].startswith("20")


def test_an_overview_is_compared_with_the_span_before(world: World) -> None:
    said = ask(world, "overview?window=7d&until=2026-03-13&compare=true")
    assert (said["since"], said["before"]["since"], said["before"]["until"]) == (
        "2026-03-07",
        "2026-02-28",
        "2026-03-06",
    )
    assert [one["active_players"] for one in said["buckets"]] == [0, 0, 0, 0, 0, 1, 0]
    assert [one["active_players"] for one in said["before"]["buckets"]] == [0, 0, 2, 2, 1, 0, 0]
    head, *rest = lines(world, "overview?window=7d&until=2026-03-13&compare=true&format=csv")
    assert head.startswith(
        "at,active_players,new_players,returning_players,wau,mau,unlocks,points,playtime_s,before_at"
    )
    assert rest[2].split(",")[0::9] == ["2026-03-09", "2026-03-02"]
    assert len(rest) == 7
    assert ask(world, "overview?window=all&compare=true")["before"] is None


def test_a_year_comes_by_weeks_and_all_of_time_by_months(world: World) -> None:
    year = ask(world, "overview?window=365d&until=2026-04-02")
    assert (year["bucket"], len(year["buckets"])) == ("week", 52)
    assert [one["active_players"] for one in year["buckets"]][-5:] == [4, 1, 0, 0, 1]
    ever = ask(world, "overview?window=all&until=2026-04-02")
    assert [(one["at"], one["active_players"]) for one in ever["buckets"]] == [
        ("2026-03-01", 4),
        ("2026-04-01", 1),
    ]


def test_achievements_tell_who_has_them_and_how_long_that_took(world: World) -> None:
    said = ask(world, f"achievements{WEEK}")
    assert [(one["key"], one["unlocked"], one["players"]) for one in said["results"]] == [
        ("a", 4, 4),
        ("b", 3, 4),
        ("c", 1, 4),
    ]
    assert said["results"][1] == {
        "key": "b",
        "name": "B",
        "unlocked": 3,
        "players": 4,
        "unlocked_percent": 75.0,
        "tier": None,
        "unlocks": 3,
        "unlocks_before": 0,
        "sample": 3,
        "median_time_s": 100,
        "p90_time_s": 86_400,
        "usual_order": 2,
        "first_unlock_at": "2026-03-02T12:00:00.000Z",
        "last_unlock_at": "2026-03-03T12:01:40.000Z",
    }
    assert said["times_as_of"]


def test_achievements_are_walked_by_a_cursor(world: World) -> None:
    first = ask(world, "achievements?limit=2")
    assert (first["has_next_page"], [one["key"] for one in first["results"]]) == (True, ["a", "b"])
    rest = ask(world, f"achievements?limit=2&cursor={first['next_cursor']}")
    assert (rest["has_next_page"], [one["key"] for one in rest["results"]]) == (False, ["c"])
    assert len(lines(world, "achievements?limit=2&format=csv")) == 4


def test_retention_tells_who_came_back(world: World) -> None:
    said = ask(world, f"retention{WEEK}")
    assert [one["players"] for one in said["cohorts"]] == [2, 1, 1, 0, 0, 0, 0]
    assert [age for age, there in enumerate(said["cohorts"][0]["retained"]) if there] == [0, 1, 10]
    assert said["average_percent"][:2] == [100, 25]
    weeks = ask(world, "retention?window=365d&until=2026-03-08")["cohorts"]
    assert (weeks[-1]["first_at"], weeks[-1]["players"], weeks[-1]["retained"][1]) == ("2026-03-02", 4, 1)
    head, first, *_ = lines(world, f"retention{WEEK}&format=csv")
    assert head.startswith("first_at,players,day_0,day_1,")
    assert first.startswith("2026-03-02,2,2,1,0,")


def test_a_funnel_tells_where_players_stop(world: World) -> None:
    said = ask(world, "funnel?achievements=a,b,c")
    assert [(one["key"], one["players"], one["lost"]) for one in said["steps"]] == [
        ("a", 4, 0),
        ("b", 2, 2),
        ("c", 1, 1),
    ]
    assert [one["percent"] for one in said["steps"]] == [100, 50, 25]
    assert [one["percent_of_previous"] for one in said["steps"]] == [100, 50, 50]
    assert [one["key"] for one in ask(world, "funnel")["steps"]] == ["a", "b", "c"]  # in their usual order
    assert lines(world, "funnel?achievements=a,b&format=csv")[2] == "2,b,B,2,50.0,50.0,2"


def test_a_key_may_hold_commas_and_percent_signs(world: World) -> None:
    for key in ("x,y", "50%", "%2C"):
        factories.achievement(world.game, key)
    factories.forget()
    said = ask(world, "funnel?achievements=x%252Cy%2C50%2525%2C%25252C%2Ca")
    assert [one["key"] for one in said["steps"]] == ["x,y", "50%", "%2C", "a"]
    keys = ["x,y", "50%", "%2C", "a"]
    assert choosing.split_steps(choosing.join_steps(keys)) == keys


def test_regions_share_the_players(world: World) -> None:
    said = ask(world, f"regions{WEEK}")["results"]
    assert [(one["region"], one["new_players"], one["unlocks"], one["points"]) for one in said] == [
        ("EU", 2, 4, 60),
        (None, 1, 1, 10),
        ("NA", 1, 1, 20),
    ]
    assert said[0]["active_players_average"] == 0.43


def test_boards_tell_how_many_scores_changed(world: World) -> None:
    board = factories.leaderboard(world.game, "dash")
    path = f"/leaderboards/{world.game.uuid}/dash/scores"
    for player, score in (("p-1", 5), ("p-2", 7), ("p-1", 9)):
        assert world.api().post(path, {"player": player, "score": score}).status_code == 202
    world.count()
    said = ask(world, "leaderboards?window=7d")["results"]
    assert said == [{"key": "dash", "name": board.name, "scores": 3, "scores_before": 0}]
    assert ask(world, "leaderboards?window=all")["results"][0]["scores_before"] is None


def test_distributions_tell_how_completion_is_spread(world: World) -> None:
    said = ask(world, "distributions")
    assert said["completion"] == [
        {"achievements": 0, "players": 0, "players_at_least": 4},
        {"achievements": 1, "players": 1, "players_at_least": 4},
        {"achievements": 2, "players": 2, "players_at_least": 3},
        {"achievements": 3, "players": 1, "players_at_least": 1},
    ]
    assert (said["playtime_s"], said["stats"]) == (None, [])
    assert lines(world, "distributions?format=csv&table=completion")[1:] == [
        "0,0,4",
        "1,1,4",
        "2,2,3",
        "3,1,1",
    ]


def test_playtime_and_stats_have_quantiles(world: World) -> None:
    factories.stat(world.game, "kills")
    for player, kills in (("p-1", 3), ("p-2", 5), ("p-3", 9)):
        body = {
            "game_id": str(world.game.uuid),
            "player": player,
            "stats": {"kills": {"add": kills}},
            "event_id": str(new_id()),
        }
        assert world.api().post("/stats/report", body).status_code == 202
    world.count()
    stat = ask(world, "distributions")["stats"][0]
    assert (stat["key"], stat["players"], stat["p10"], stat["p50"], stat["p90"]) == ("kills", 3, 3, 5, 9)
    assert sum(bar["players"] for bar in stat["bars"]) == 3
    assert lines(world, "distributions?format=csv")[1] == "stat,kills,Kills,3,3.0,5.0,9.0"


def test_a_file_runs_no_formula(world: World) -> None:
    factories.achievement(world.game, "=cmd()", name='=HYPERLINK("http://x")')
    factories.forget()
    assert any(
        line.startswith("""'=cmd(),"'=HYPERLINK""") for line in lines(world, "achievements?format=csv")
    )


def test_figures_are_asked_for_again_only_when_they_changed(world: World) -> None:
    for path in (f"overview{WEEK}", f"overview{WEEK}&format=csv", "funnel", "distributions"):
        answer = world.api().get(world.path(path))
        assert answer["Cache-Control"].startswith("private")
        again = world.api().get(world.path(path), if_none_match=answer["ETag"])
        assert (again.status_code, again.content) == (304, b"")
    tag = world.api().get(world.path("distributions"))["ETag"]
    world.unlock("p-9", "a", world.game.created_at)
    world.count()
    assert world.api().get(world.path("distributions"), if_none_match=tag).status_code == 200
