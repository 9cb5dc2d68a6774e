"""POST /stats/reset: a player begins anew, and what is told of it is newer than what was told before."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts import models
from accounts import selectors as accounts
from accounts.models import PlayerIdentity
from core.models import AuditEntry
from stats.models import Report, StatValue
from stats.services import resets
from tests import factories
from tests.factories import Api
from tests.stats.world import World, heard

RESET = "/stats/reset"
WHY = "Ticket 4711"


@pytest.fixture
def world(db: None) -> World:
    made = World.create()
    factories.stat(made.game)
    factories.stat(made.game, "level", aggregation="max", default=1)
    factories.stat(made.game, "lap", aggregation="min")
    return made


def body(world: World, **more: Any) -> dict[str, Any]:
    return {"game_id": str(world.game.uuid), "player": "p-1", "reason": WHY, **more}


def reset(world: World, **more: Any) -> Any:
    answer = world.api().post(RESET, body(world, **more))
    assert answer.status_code == 202, answer.content
    return answer.json()


def rows() -> list[list[Any]]:
    """Return what was published of values, fact by fact."""
    return [list(fact.values) for fact in heard()]


def everything_stored() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_fact")
        count = cursor.fetchone()
    rows = [list(table.objects.order_by("pk").values()) for table in (StatValue, Report, PlayerIdentity)]
    return [*rows, count, AuditEntry.objects.count()]


def test_who_is_reset_holds_the_defaults_again(world: World) -> None:
    world.report(kills={"add": 5}, level={"set": 7}, lap={"set": 80.5})
    world.report("p-2", kills={"add": 3})
    assert reset(world) == {"reset": 3}
    assert world.held() == {"level": 1}
    assert world.held("p-2") == {"kills": 3, "level": 1}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("stats.reset", WHY)
    assert entry.details["values"] == {"kills": 5, "level": 7, "lap": 80.5}


def test_ids_are_taken_as_they_are_outer_spaces_included(world: World) -> None:
    world.report(kills={"add": 5})
    for named in ({"player": " p-1"}, {"player": "p-1 "}, {"stats": [" kills"]}):
        assert world.api().post(RESET, body(world, **named)).status_code == 404
    assert world.held()["kills"] == 5
    world.report(" p-1", kills={"add": 3})
    assert reset(world, player=" p-1") == {"reset": 1}
    assert world.held()["kills"] == 5


@pytest.mark.django_db(transaction=True)
def test_it_is_told_with_the_default_or_0_and_a_higher_version(world: World) -> None:
    world.report(kills={"add": 5}, level={"set": 7})
    (before,) = rows()
    versions = {row[1]: row[4] for row in before}
    reset(world)
    names: dict[Any, Any] = {stat: key for stat, key, _ in heard()[-1].stats}
    told = rows()[-1]
    assert {names[row[1]]: (row[2], row[3]) for row in told} == {"kills": (0, 5), "level": (1, 7)}
    world.report(kills={"add": 2}, level={"set": 3})
    after = rows()[-1]
    assert {names[row[1]]: (row[2], row[3]) for row in after} == {"kills": (2, None), "level": (3, 1)}
    for row, later in zip(told, after, strict=True):
        assert versions[row[1]] < row[4] < later[4]


def test_named_stats_alone_are_reset(world: World) -> None:
    world.report(kills={"add": 5}, level={"set": 7})
    assert reset(world, stats=["kills", "kills", "lap"]) == {"reset": 1}
    assert world.held() == {"level": 7}
    before = everything_stored()
    assert reset(world, stats=["kills"]) == {"reset": 0}
    assert everything_stored() == before


@pytest.mark.django_db(transaction=True)
def test_a_value_that_is_the_default_is_taken_away_and_not_told(world: World) -> None:
    world.report(level={"set": 1})
    told = len(heard())
    assert reset(world) == {"reset": 1}
    assert not StatValue.objects.exists()
    assert len(heard()) == told


def test_what_was_counted_is_not_counted_again(world: World) -> None:
    sent = {"game_id": str(world.game.uuid), "player": "p-1", "stats": {"kills": {"add": 5}}}
    sent["event_id"] = str(uuid4())
    assert world.api().post("/stats/report", sent).status_code == 202
    reset(world)
    assert world.api().post("/stats/report", sent).status_code == 200
    assert "kills" not in world.held()


def test_everything_of_a_tester_is_reset_and_of_nobody_else(world: World) -> None:
    other = factories.game(world.studio)
    factories.stat(other, "gold")
    world.report(kills={"add": 5})
    gold = {"game_id": str(other.uuid), "player": "p-1", "stats": {"gold": {"add": 9}}}
    assert world.api().post("/stats/report", gold | {"event_id": str(uuid4())}).status_code == 202
    everything = {"player": "p-1", "everything": True, "reason": WHY}
    assert world.api().post(RESET, everything).status_code == 409
    models.Tester.objects.create(game=world.game, player=PlayerIdentity.objects.get().player)
    narrow = factories.api(factories.server_key(world.studio, game=world.game))
    assert narrow.post(RESET, everything).status_code == 403
    answer = world.api().post(RESET, everything)
    assert (answer.status_code, answer.json()) == (202, {"reset": 1})
    assert world.held() == {"level": 1}
    assert StatValue.objects.get().stat.key == "gold"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"stats": None}, 422),
        ({"stats": []}, 422),
        ({"stats": "kills"}, 422),
        ({"stats": {"kills": 1}}, 422),
        ({"stats": [5]}, 422),
        ({"stats": [["kills"]]}, 422),
        ({"stats": [""]}, 422),
        ({"stats": ["x" * 129]}, 422),
        ({"stats": ["kills"] * 501}, 422),
        ({"stats": ["kills", "unknown"]}, 404),
        ({"reason": None}, 422),
        ({"reason": " "}, 422),
        ({"reason": "x" * 501}, 422),
        ({"player": None}, 422),
        ({"player": "nobody"}, 404),
        ({"player": "me"}, 404),
        ({"player": f"id:{uuid4()}"}, 404),
        ({"game_id": "nothing"}, 404),
        ({"game_id": str(uuid4())}, 404),
        ({"game_id": None}, 422),
        ({"everything": True}, 400),
        ({"everything": "yes"}, 422),
    ],
)
def test_what_can_t_be_is_refused_and_changes_nothing(
    world: World, wrong: dict[str, Any], status: int
) -> None:
    world.report(kills={"add": 5})
    before = everything_stored()
    answer = world.api().post(RESET, body(world, **wrong))
    assert answer.status_code == status, answer.content
    assert everything_stored() == before


def test_who_may_not_is_refused_and_changes_nothing(world: World) -> None:
    world.report(kills={"add": 5})
    player = PlayerIdentity.objects.get().player
    stranger = factories.studio()
    factories.player(stranger)
    elsewhere = factories.game(stranger)
    token = factories.api(factories.player_token(world.game, player))
    outsider = factories.api(factories.server_key(stranger))
    narrow = factories.api(factories.server_key(world.studio, scopes=["unlocks:write"]))
    there = {"game_id": str(elsewhere.uuid)}
    before = everything_stored()
    callers: list[tuple[Api, dict[str, Any], int]] = [
        (token, body(world), 403),
        (token, body(world, player="me"), 403),
        (narrow, body(world), 403),
        (factories.api(), body(world), 401),
        (outsider, body(world), 404),
        (outsider, body(world, player=f"id:{player.uuid}", **there), 404),
        (world.api(), body(world, **there), 404),
    ]
    for caller, sent, status in callers:
        assert caller.post(RESET, sent).status_code == status
    assert everything_stored() == before


@pytest.mark.django_db(transaction=True)
def test_reports_that_meet_resets_are_told_in_the_order_in_which_they_count(world: World) -> None:
    world.report(kills={"add": 1})
    info = accounts.player_of_studio(world.studio.pk, "p-1")
    game = accounts.game(world.game.uuid)
    assert info is not None
    assert game is not None

    def work(number: int) -> None:
        try:
            for _ in range(12):
                if number == 0:
                    resets.reset(
                        game=game, player=info, keys=None, reason="test", by="key:test", at=timezone.now()
                    )
                else:
                    assert world.report(kills={"add": 1}).status_code == 202
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    told = sorted((row[4], row[2], row[3] or 0) for values in rows() for row in values)
    assert len({version for version, _, _ in told}) == len(told)
    value = 0
    for _, after, previous in told:
        assert previous == value
        value = after or 0
    assert world.held().get("kills", 0) == value
