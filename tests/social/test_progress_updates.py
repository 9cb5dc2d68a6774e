"""Players are told how far they are: at most once a second for an achievement, and always at each quarter."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Game, Player
from achievements.models import Achievement, AchievementTranslation
from achievements.services import revokes
from core.ids import new_id
from social import announcing, choosing, nearing, selectors, services
from social.choosing import Change
from social.models import Notification, ToldProgress
from social.selectors.inboxes import Inbox
from tests import factories
from tests.social.clients import Socket
from tests.social.conftest import LiveServer
from tests.social.world import World

SECOND = timedelta(minutes=5)  # stands for the one second, which a slow machine may take between two steps


@pytest.fixture(autouse=True)
def _a_second_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearing, "EVERY", SECOND - timedelta(minutes=1))


@pytest.fixture
def way(world: World) -> World:
    """Return a world with an achievement of 100 doors, driven by steps, and one of 100 kills, by a stat."""
    game = Game.objects.get(pk=world.game.id)
    factories.achievement(game, "doors", type="incremental", target=100)
    factories.stat(game, "kills")
    factories.achievement(game, "slayer", type="incremental", stat="kills", target=100)
    return world


def server(world: World) -> factories.Api:
    return factories.api(factories.server_key(Game.objects.get(pk=world.game.id).studio))


def step(world: World, *steps: int, player: str = "anna", tell: bool = True) -> None:
    """Report how far a player is, one report after the other, and let social hear of them together."""
    for current in steps:
        body = {"game_id": str(world.game.uuid), "player": player, "achievement": "doors", "steps": current}
        answer = server(world).post("/achievements/progress", body)
        assert answer.status_code == 202, answer.content
    if tell:
        world.tell()


def kill(world: World, *counts: int, stat: str = "kills") -> None:
    for count in counts:
        body = {"game_id": str(world.game.uuid), "player": "anna", "stats": {stat: {"add": count}}}
        answer = server(world).post("/stats/report", body | {"event_id": str(new_id())})
        assert answer.status_code == 202, answer.content
    world.tell()


def told(world: World, name: str = "anna") -> list[tuple[str, int]]:
    """Return what stands in an inbox of the way to achievements, oldest first."""
    rows = Notification.objects.filter(player_id=world.player(name).id, kind="achievement.progress")
    data = [json.loads(row.payload) for row in rows.order_by("seq")]
    return [(one["achievement"]["key"], one["progress"]["current"]) for one in data]


def later(*, after: timedelta = SECOND) -> int:
    """Let the job run some time from now."""
    return services.tell_due(now=timezone.now() + after)


def test_a_step_is_told_on_the_open_page_as_the_api_says(way: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna, Socket(live.socket) as cleo:
        anna.authenticate(way.token("anna"))
        cleo.authenticate(way.token("cleo"))
        step(way, 7)
        event = anna.hear()
        assert event["type"] == "achievement.progress"
        assert event["data"] == {
            "game_id": str(way.game.uuid),
            "game": {"title": "The Long Way Home"},
            "achievement": {
                "key": "doors",
                "name": "Doors",
                "description": "",
                "icon_url": "",
                "hidden": False,
                "rarity": event["data"]["achievement"]["rarity"],
            },
            "progress": {"current": 7, "target": 100},
        }
        assert anna.hears_nothing()
        assert cleo.hears_nothing()


@pytest.mark.slow
def test_a_second_step_waits_for_its_second_and_the_newest_is_told(way: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(way.token("anna"))
        step(way, 1)
        step(way, 2, 3)
        step(way, 4)
        assert later(after=timedelta()) == 0
        assert later() == 1
        assert later(after=2 * SECOND) == 0
        heard = [anna.hear()["data"]["progress"]["current"] for _ in range(2)]
        assert heard == [1, 4]
        assert anna.hears_nothing()
    assert told(way) == [("doors", 4)]


@pytest.mark.slow
def test_who_wants_to_hear_nothing_of_it_shifts_nobody_elses(way: World) -> None:
    only = Change(inbox={"achievement.progress": False})
    choosing.choose(player_id=way.player("anna").id, change=only)
    for current in (1, 30, 60):
        for name in ("anna", "ben"):
            step(way, current, player=name, tell=False)
    way.tell()
    assert (told(way), told(way, "ben")) == ([], [("doors", 60)])
    assert ToldProgress.objects.get(player_id=way.player("anna").id).told_seq == 0
    for name in ("anna", "ben"):
        step(way, 61, player=name)
    assert later() == 2
    assert (told(way), told(way, "ben")) == ([], [("doors", 61)])
    choosing.choose(player_id=way.player("anna").id, change=Change(inbox={"achievement.progress": True}))
    step(way, 80)
    assert told(way) == [("doors", 80)]
    way.unlock("anna", "a1")
    step(way, 100)
    assert (told(way), told(way, "ben")) == ([], [("doors", 61)])


@pytest.mark.slow
def test_a_way_is_told_in_its_players_language_at_once_and_later(way: World) -> None:
    doors = Achievement.objects.get(key="doors")
    AchievementTranslation.objects.create(achievement=doors, language="pt", name="Portas")
    Player.objects.filter(pk=way.player("anna").id).update(language="pt")
    step(way, 1)
    step(way, 2)
    assert later() == 1
    rows = Notification.objects.filter(player_id=way.player("anna").id)
    assert [json.loads(row.payload)["achievement"]["name"] for row in rows] == ["Portas"] * len(rows)


def test_every_quarter_is_told_even_within_a_second_and_a_batch(way: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(way.token("anna"))
        step(way, 10, 24, 25, 26, 49, 55, 60, 75, 99, 100)
        events = [anna.hear() for _ in range(5)]
        assert [event["type"] for event in events] == [*["achievement.progress"] * 4, "achievement.unlocked"]
        assert [event["data"]["progress"]["current"] for event in events[:4]] == [10, 25, 55, 75]
        assert anna.hears_nothing()


@pytest.mark.slow
def test_a_stat_that_drives_an_achievement_is_told_alike(way: World) -> None:
    kill(way, 10)
    kill(way, 5, 5)
    assert told(way) == [("slayer", 10)]
    kill(way, 5)
    assert told(way) == [("slayer", 25)]
    kill(way, 1)
    later()
    assert told(way) == [("slayer", 26)]
    kill(way, 100, 100)
    assert told(way) == []


@pytest.mark.slow
def test_of_a_goal_of_several_conditions_is_told_how_many_are_met(way: World) -> None:
    game = Game.objects.get(pk=way.game.id)
    factories.stat(game, "wins")
    conditions = [{"stat": "kills", "at_least": 500}, {"stat": "wins", "at_least": 1}]
    factories.achievement(game, "all-round", type="incremental", goal={"all": conditions})
    kill(way, 1, stat="wins")
    kill(way, 1, stat="wins")
    assert told(way) == [("all-round", 1)]


@pytest.mark.slow
def test_what_is_unlocked_leaves_nothing_of_its_way_unread(way: World) -> None:
    step(way, 30)
    step(way, 31)
    step(way, 100)
    assert told(way) == []
    assert later() == 0
    assert [row.kind for row in way.inbox("anna")] == ["achievement.unlocked"]


@pytest.mark.slow
def test_what_was_read_stays(way: World) -> None:
    step(way, 30)
    services.mark_read(Inbox(way.player("anna").id), uuids=None, at=timezone.now())
    step(way, 60)
    step(way, 100)
    assert told(way) == [("doors", 30)]


@pytest.mark.slow
def test_a_value_that_falls_after_the_unlock_is_not_told(way: World) -> None:
    game = Game.objects.get(pk=way.game.id)
    factories.stat(game, "streak", aggregation="last")
    factories.achievement(game, "streaky", type="incremental", stat="streak", target=10)
    for value in (5, 10, 3):
        body = {"game_id": str(game.uuid), "player": "anna", "stats": {"streak": {"set": value}}}
        assert server(way).post("/stats/report", body).status_code == 202
        way.tell()
    later()
    assert told(way) == []
    ToldProgress.objects.all().delete()
    body["stats"] = {"streak": {"set": 4}}
    server(way).post("/stats/report", body)
    way.tell()
    assert told(way) == []


@pytest.mark.slow
def test_after_a_revoke_the_way_is_told_anew(way: World) -> None:
    step(way, 50)
    step(way, 100)
    revokes.revoke(
        game=way.game,
        player_id=way.player("anna").id,
        key="doors",
        reason="a mistake",
        actor="key",
        at=timezone.now(),
    )
    step(way, 20)
    assert told(way) == [("doors", 20)]


@pytest.mark.slow
@pytest.mark.parametrize("fields", [{"hidden": True}, {"state": "archived"}])
def test_the_way_to_what_may_not_be_named_is_not_told(way: World, fields: dict[str, Any]) -> None:
    step(way, 1)
    Notification.objects.all().delete()
    Achievement.objects.filter(key="doors").update(**fields)
    announcing.forget()
    ToldProgress.objects.update(current=2)
    assert later() == 0
    progress_fact = {"game": way.game.id, "seed": "x"}
    pk = Achievement.objects.get(key="doors").pk
    change = [way.player("anna").id, pk, 1, 50, 100, 10**17]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_fact (kind, studio_id, size, payload) VALUES ('progress_changed', %s, 1, %s)",
            [way.game.studio_id, json.dumps(progress_fact | {"changes": [change]})],
        )
    way.tell()
    assert told(way) == []


@pytest.mark.slow
def test_a_replay_of_the_log_tells_nothing_again(way: World) -> None:
    step(way, 10, 25)
    kill(way, 30)
    before = [(row.seq, row.payload) for row in way.inbox("anna")]
    way.replay()
    later()
    assert [(row.seq, row.payload) for row in way.inbox("anna")] == before


def test_an_older_fact_that_comes_later_changes_nothing(way: World) -> None:
    step(way, 40)
    state = ToldProgress.objects.get()
    older = nearing.State(
        state.player_id,
        state.achievement_id,
        state.game_id,
        state.studio_id,
        60,
        100,
        state.version - 1,
        60,
        0,
        0,
    )
    batch = nearing.Batch(timezone.now() + SECOND, nearing._hold({older.pair}))
    batch.take(older, announcing.told_of({state.achievement_id: state.game_id})[state.achievement_id])
    assert batch.notices == []
    assert batch.states[older.pair].current == 40


def test_what_was_told_long_ago_is_forgotten(way: World) -> None:
    step(way, 40)
    services.keep_inbox(now=timezone.now() + services.KEPT + SECOND)
    assert not ToldProgress.objects.exists()
    assert told(way) == []


@pytest.mark.slow
def test_many_players_cost_as_many_queries_as_one(way: World) -> None:
    def queries(count: int) -> int:
        for n in range(count):
            step(way, 30, player=f"p{count}-{n}", tell=False)
        announcing.forget()  # or what is kept for seconds might end in one of both
        with CaptureQueriesContext(connection) as captured:
            way.tell()
        return len(captured)

    assert queries(2) == queries(12)
    assert Notification.objects.filter(kind="achievement.progress").count() == 14


def test_who_saw_what_was_replaced_meanwhile_goes_on_from_there(way: World, live: LiveServer) -> None:
    way.unlock("anna", "a1")
    Notification.objects.update(created_at=timezone.now() - timedelta(hours=1))
    with Socket(live.socket) as anna:
        anna.authenticate(way.token("anna"))
        step(way, 7)
        last = anna.hear()["id"]
    step(way, 30)
    assert told(way) == [("doors", 30)]
    with Socket(live.socket) as anna:
        anna.authenticate(way.token("anna"), after=last)
        assert anna.hear()["data"]["progress"]["current"] == 30
        assert anna.hears_nothing()


@pytest.mark.parametrize(
    "forged", ["ffffffff-ffff-7fff-bfff-ffffffffffff", "00000000-0000-7000-8000-000000000000"]
)
def test_an_id_of_any_time_is_taken(way: World, forged: str) -> None:
    step(way, 7)
    anna = way.player("anna").id
    expected = 1 if forged.startswith("f") else 0
    assert selectors.positions([(anna, UUID(forged))]) == [(expected, 1)]
