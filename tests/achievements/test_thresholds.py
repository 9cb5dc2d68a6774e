"""What reports of stats unlock: thresholds, goals of several, what latches, and who comes at the same moment."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some

from accounts import models as accounts
from achievements import goals
from achievements.models import Achievement, ConditionMet, PlayerGame, Unlock
from core.ids import new_id
from stats.models import StatValue
from tests import factories
from tests.achievements.samples import NO_REAL_DATA, REAL_DATA
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
    return factories.achievement(world.game, key, **{"type": "incremental", **fields})


def held(world: World) -> set[str]:
    return set(Unlock.objects.filter(game_id=world.game.pk).values_list("achievement__key", flat=True))


def shown(world: World, key: str) -> Any:
    answer = world.api().get(f"/players/p-1/achievements?game_id={world.game.uuid}").json()
    return next(one["progress"] for one in answer["results"] if one["key"] == key)


def _deep(levels: int) -> dict[str, Any]:
    return {"all": [_deep(levels - 1)]} if levels else {"stat": "kills", "at_least": 1}


def explained(world: World, key: str) -> Any:
    answer = world.api().get(f"/players/p-1/achievements/{key}/explain?game_id={world.game.uuid}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_stat_that_reaches_its_target_unlocks_once_in_the_same_answer(here: World) -> None:
    factories.stat(here.game, "kills")
    define(here, "slayer", stat="kills", target=10)
    here.report(kills={"add": 9})
    assert held(here) == set()
    assert shown(here, "slayer") == {"current": 9, "target": 10}
    here.report(kills={"add": 5})
    assert held(here) == {"slayer"}
    assert shown(here, "slayer") == {"current": 10, "target": 10}
    here.report(kills={"add": 5})
    assert PlayerGame.objects.get().unlocked == 1


def test_of_a_stat_that_keeps_the_smallest_value_the_target_is_reached_from_above(here: World) -> None:
    factories.stat(here.game, "lap", aggregation="min")
    define(here, "racer", stat="lap", target=80)
    here.report(lap={"set": 81.5})
    assert held(here) == set()
    here.report(lap={"set": 79.9})
    assert held(here) == {"racer"}


def test_all_of_several_thresholds_must_hold(here: World) -> None:
    factories.stat(here.game, "kills")
    factories.stat(here.game, "level", aggregation="max")
    define(here, "both", goal={"all": [{"stat": "kills", "at_least": 10}, {"stat": "level", "at_least": 5}]})
    here.report(kills={"add": 12})
    assert held(here) == set()
    assert shown(here, "both") == {"current": 1, "target": 2}
    here.report(level={"set": 5})
    assert held(here) == {"both"}
    assert shown(here, "both") == {"current": 2, "target": 2}


def test_a_last_value_latches_and_a_sum_must_still_hold(here: World) -> None:
    factories.stat(here.game, "streak", aggregation="last")
    factories.stat(here.game, "gold")
    factories.stat(here.game, "level", aggregation="max")
    level = {"stat": "level", "at_least": 5}
    define(here, "streaky", goal={"all": [{"stat": "streak", "at_least": 3}, level]})
    define(here, "rich", goal={"all": [{"stat": "gold", "at_least": 100}, level]})
    here.report(streak={"set": 4}, gold={"add": 120})
    here.report(streak={"set": 0}, gold={"add": -50})
    here.report(level={"set": 5})
    assert held(here) == {"streaky"}
    here.report(gold={"add": 30})
    assert held(here) == {"streaky", "rich"}


def test_a_last_value_that_came_and_went_in_one_batch_has_latched(here: World) -> None:
    factories.stat(here.game, "streak", aggregation="last")
    define(here, "streaky", stat="streak", target=3)
    reports = [
        {"game_id": str(here.game.uuid), "player": "p-1", "stats": {"streak": {"set": value}}}
        for value in (1, 3, 0)
    ]
    assert here.api().post("/stats/report/batch", {"reports": reports}).status_code == 202
    assert held(here) == {"streaky"}


def together(world: World, *reports: dict[str, Any]) -> None:
    told = [
        {"game_id": str(world.game.uuid), "player": "p-1", "event_id": str(new_id()), **report}
        for report in reports
    ]
    assert world.api().post("/stats/report/batch", {"reports": told}).status_code == 202


def test_a_goal_of_several_that_held_within_a_batch_was_reached(here: World) -> None:
    for key in ("gold", "debts"):
        factories.stat(here.game, key)
    factories.stat(here.game, "level", aggregation="max", default=Decimal(1))
    gold = {"stat": "gold", "at_least": 100}
    define(here, "rich", goal={"all": [gold, {"stat": "level", "at_least": 5}]})
    define(here, "ahead", goal={"sum": {"gold": 1, "debts": -1}, "at_least": 100})
    define(
        here, "thrifty", goal={"all": [{"stat": "gold", "at_most": -50}, {"stat": "debts", "at_least": 1}]}
    )
    together(
        here,
        {"stats": {"gold": {"add": 120}}},
        {"stats": {"level": {"set": 5}}},
        {"stats": {"gold": {"add": -200}}},
        {"stats": {"gold": {"add": 90}, "debts": {"add": 50}}},
    )
    assert held(here) == {"rich", "ahead"}


def test_in_a_batch_a_later_report_within_the_window_counts(here: World) -> None:
    factories.stat(here.game, "kills")
    now = timezone.now()
    define(here, "event", stat="kills", target=3, available_from=now - timedelta(hours=1))
    together(
        here,
        {"stats": {"kills": {"add": 5}}, "reported_at": (now - timedelta(hours=2)).isoformat()},
        {"stats": {"kills": {"add": 1}}},
    )
    assert held(here) == {"event"}


def test_a_sum_of_stats_and_any_of_several(here: World) -> None:
    for key in ("wins", "losses", "draws"):
        factories.stat(here.game, key)
    define(here, "ahead", goal={"sum": {"wins": 1, "losses": -1}, "at_least": 3})
    define(
        here, "either", goal={"any": [{"stat": "draws", "at_least": 2}, {"stat": "wins", "at_least": 100}]}
    )
    here.report(losses={"add": 2})
    here.report(wins={"add": 4})
    assert held(here) == set()
    here.report(wins={"add": 1}, draws={"add": 2})
    assert held(here) == {"ahead", "either"}


def test_a_default_is_held_before_the_first_report_but_unlocks_with_it(here: World) -> None:
    factories.stat(here.game, "level", aggregation="max", default=Decimal(5))
    define(here, "grown", stat="level", target=3)
    assert held(here) == set()
    here.report(level={"set": 6})
    assert held(here) == {"grown"}


def test_a_draft_unlocks_for_testers_only_and_nothing_outside_its_window(here: World) -> None:
    factories.stat(here.game, "kills")
    define(here, "draft", stat="kills", target=1, state="draft")
    define(here, "gone", stat="kills", target=1, state="archived")
    define(here, "late", stat="kills", target=1, available_from="2999-01-01T00:00:00Z")
    tester = factories.player(here.studio, "tester")
    accounts.Tester.objects.create(game=here.game, player=tester)
    here.report(kills={"add": 1})
    assert held(here) == set()
    here.report("tester", kills={"add": 1})
    assert [unlock.player_id for unlock in Unlock.objects.all()] == [tester.pk]
    assert held(here) == {"draft"}


def test_what_was_reached_before_a_window_opened_unlocks_with_the_next_report_in_it(here: World) -> None:
    factories.stat(here.game, "kills")
    one = define(here, "event", stat="kills", target=3, available_from="2999-01-01T00:00:00Z")
    here.report(kills={"add": 5})
    answer = here.api().patch(
        f"/games/{here.game.uuid}/achievements/{one.key}", {"available_from": "2020-01-01T00:00:00Z"}
    )
    assert answer.status_code == 200
    here.report(kills={"add": 1})
    assert held(here) == {"event"}


def test_it_is_explained_condition_by_condition(here: World) -> None:
    factories.stat(here.game, "kills")
    factories.stat(here.game, "lap", aggregation="min")
    define(here, "both", goal={"all": [{"stat": "kills", "at_least": 10}, {"stat": "lap", "at_most": 80}]})
    event_id = str(new_id())
    body = {"game_id": str(here.game.uuid), "player": "p-1", "stats": {"kills": {"add": 12}}}
    here.api().post("/stats/report", {**body, "event_id": event_id})
    said = explained(here, "both")
    assert said["unlocked"] is False
    assert said["why_locked"] == ["Not all of its conditions are met."]
    kills, lap = said["conditions"][0]["all"]
    assert (kills["met"], kills["current"], kills["decided_by"]["event_id"]) == (True, 12, event_id)
    assert (lap["met"], lap["current"], lap["decided_by"]) == (False, None, None)
    here.report(lap={"set": 75})
    said = explained(here, "both")
    assert (said["unlocked"], said["why_locked"], said["conditions"][0]["met"]) == (True, [], True)


WRONG: list[Any] = [
    {},
    [],
    "kills",
    {"stat": "kills"},
    {"stat": "kills", "at_least": "5"},
    {"stat": "kills", "at_least": True},
    {"stat": "kills", "at_least": 1e300},
    {"stat": "kills", "at_least": 0.0000001},
    {"stat": "kills", "at_least": 1, "at_most": 2},
    {"stat": 5, "at_least": 1},
    {"all": []},
    {"all": {}},
    {"all": [{"stat": "kills", "at_least": 1}], "any": []},
    {"sum": {}, "at_least": 1},
    {"sum": {"kills": 0}, "at_least": 1},
    {"sum": {"kills": 1.5}, "at_least": 1},
    {"sum": ["kills"], "at_least": 1},
    {"all": [{"stat": "kills", "at_least": n} for n in range(101)]},
    _deep(9),
]


@pytest.mark.parametrize(
    ("fields", "status", "pointer"),
    [
        ({"goal": {"stat": "foreign", "at_least": 1}}, 422, "/goal"),
        ({"stat": "foreign", "target": 3}, 422, "/stat"),
        ({"goal": {"stat": "gone", "at_least": 1}}, 409, None),
        ({"stat": "gone", "target": 3}, 409, None),
        ({"goal": {"stat": "kills", "at_least": 1}, "target": 3}, 422, ""),
        ({"goal": {"stat": "kills", "at_least": 1}, "type": "standard"}, 422, ""),
        *(({"goal": goal}, 422, "/goal") for goal in WRONG),
    ],
)
def test_a_goal_that_can_t_be_is_refused(
    here: World, fields: dict[str, Any], status: int, pointer: str | None
) -> None:
    factories.stat(here.game, "kills")
    factories.stat(here.game, "gone", archived_at="2026-01-01T00:00:00Z")
    factories.stat(factories.game(here.studio), "foreign")
    body = {"key": "a", "name": "A", "type": "incremental", **fields}
    answer = here.api().post(f"/games/{here.game.uuid}/achievements", body)
    assert answer.status_code == status, answer.content
    if pointer is not None:
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Achievement.objects.exists()


def test_it_can_t_be_unlocked_or_advanced_by_hand(here: World) -> None:
    factories.stat(here.game, "kills")
    define(here, "goal", goal={"stat": "kills", "at_least": 5})
    body = {"game_id": str(here.game.uuid), "player": "p-1", "achievement": "goal"}
    assert here.api().post("/achievements/unlock", body).status_code == 409
    assert here.api().post("/achievements/progress", {**body, "steps": 1}).status_code == 409
    assert not Unlock.objects.exists()


def test_a_goal_comes_back_as_it_was_sent(here: World) -> None:
    factories.stat(here.game, "kills")
    goal = {"any": [{"stat": "kills", "at_least": 2.5}, {"sum": {"kills": 2}, "at_most": -3}]}
    path = f"/games/{here.game.uuid}/achievements"
    made = here.api().post(path, {"key": "a", "name": "A", "type": "incremental", "goal": goal})
    assert made.status_code == 201, made.content
    assert made.json()["goal"] == goal
    exported = here.api().get(f"{path}/export?format=laurel").json()
    assert exported["achievements"][0]["goal"] == goal
    again = here.api().post(f"{path}/import?format=laurel", exported)
    assert again.json()["unchanged"] == 2, again.content


@pytest.mark.django_db(transaction=True)
def test_reports_that_each_bring_the_last_but_one_don_t_miss_each_other(world: World) -> None:
    keys = [f"s{number}" for number in range(4)]
    for key in keys:
        factories.stat(world.game, key)
    define(world, "all", goal={"all": [{"stat": key, "at_least": 1} for key in keys]})
    players = [f"p-{number}" for number in range(12)]

    def send(key: str) -> None:
        for player in players:
            assert world.report(player, **{key: {"add": 1}}).status_code == 202
        connections.close_all()

    with ThreadPoolExecutor(len(keys)) as pool:
        list(pool.map(send, keys))
    assert Unlock.objects.count() == len(players)
    assert set(PlayerGame.objects.values_list("unlocked", flat=True)) == {1}


def _goal(node: ET.Element) -> dict[str, Any]:
    """Return a goal of SuperTuxKart's as Laurel writes it."""
    parts, kind, value = list(node), node.get("type", ""), node.get("value")
    if kind in ("AND", "AND-AT-ONCE", "OR"):
        return {"any" if kind == "OR" else "all": [_goal(part) for part in parts]}
    if kind == "SUM":
        factors = {part.get("type"): -1 if part.get("operation") == "-" else 1 for part in parts}
        return {"sum": factors, "at_least": int(value or 0)}
    return {"stat": kind, "at_least": int(value or 0)}


@pytest.mark.slow
@pytest.mark.skipif(not REAL_DATA.exists(), reason=NO_REAL_DATA)
def test_supertuxkart_s_achievements_unlock_when_their_goals_are_reached(here: World) -> None:
    root = ET.parse(REAL_DATA / "formats/supertuxkart/achievements.xml").getroot()
    expected: dict[str, dict[str, int]] = {}
    for node in root.iter("achievement"):
        parts = [_goal(part) for part in node]
        if not parts:
            continue  # the secret one is unlocked by hand
        key = node.get("id", "")
        goal = parts[0] if len(parts) == 1 else {"all": parts}
        tree = goals.read(goal)
        expected[key] = {
            condition.factors[0][0]: int(condition.threshold) for condition in goals.conditions(tree)
        }
        for stat in expected[key]:
            if here.api().get(f"/games/{here.game.uuid}/stats/{stat}").status_code != 200:
                factories.stat(here.game, stat, aggregation="last")
        body = {"key": key, "name": node.get("name"), "type": "incremental", "goal": goal}
        made = here.api().post(f"/games/{here.game.uuid}/achievements", body)
        assert made.status_code == 201, made.content
    assert len(expected) == 11
    for key, wanted in expected.items():
        for place, (stat, value) in enumerate(wanted.items(), start=1):
            here.report(f"player of {key}", **{stat: {"set": value - 1}})
            here.report(f"player of {key}", **{stat: {"set": value}})
            here.report(f"player of {key}", **{stat: {"set": 0}})
            rows = Unlock.objects.filter(achievement__key=key)
            assert rows.count() == (1 if place == len(wanted) else 0)
    assert Unlock.objects.count() == 11


CONDITIONS = some.builds(
    goals.Condition,
    some.just((("a", 1),)) | some.just((("b", 1),)) | some.just((("a", 2), ("b", -3))),
    some.integers(-5, 5).map(Decimal),
    some.booleans(),
)
GOALS = some.recursive(
    CONDITIONS,
    lambda inner: some.builds(
        goals.Group, some.booleans(), some.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=6,
)


@pytest.mark.slow
@given(GOALS)
def test_a_goal_that_is_written_reads_as_itself(goal: goals.Goal) -> None:
    assert goals.to_json(goals.read(goals.to_json(goal))) == goals.to_json(goal)


@pytest.mark.slow
@given(GOALS, some.sets(some.sampled_from(["a", "b"])))
def test_progress_is_full_exactly_when_a_goal_is_reached(goal: goals.Goal, known: set[str]) -> None:
    values = {key: Decimal(1) for key in known}

    def holds(condition: goals.Condition) -> bool:
        return condition.holds(values, {})

    met, needed = goals.progress(goal, holds)
    assert (met == needed) == goals.reached(goal, holds)


def test_what_was_met_is_noted_once(here: World) -> None:
    factories.stat(here.game, "streak", aggregation="last")
    define(here, "streaky", stat="streak", target=3)
    for value in (5, 0, 7):
        here.report(streak={"set": value})
    row = ConditionMet.objects.get()
    assert (row.value, StatValue.objects.get().value) == (Decimal(5), Decimal(7))
