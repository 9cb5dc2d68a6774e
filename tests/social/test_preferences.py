"""Players choose what they are told, and when; the inbox and the open page hold to it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Player
from social import choosing, preferences
from social.choosing import Change
from social.events import KINDS
from social.models import Notification, NotificationPreference
from tests import factories
from tests.factories import Api
from tests.social.clients import Socket, keys, stream
from tests.social.conftest import LiveServer
from tests.social.world import World

PATH = "/players/me/notification-preferences"
EVERYTHING = {"kinds": {kind: {"inbox": True, "push": True} for kind in KINDS}, "quiet_hours": None}
UNLOCKED = "achievement.unlocked"


@pytest.fixture
def anna(world: World) -> Api:
    return factories.api(world.token("anna"))


def choose(world: World, name: str, **change: Any) -> None:
    choosing.choose(player_id=world.player(name).id, change=Change(**change))


def hours_about(now: datetime) -> tuple[int, int]:
    """Return quiet hours around a moment, in UTC."""
    begins, ends = now - timedelta(hours=1), now + timedelta(hours=1)
    return begins.hour * 60 + begins.minute, ends.hour * 60 + ends.minute


def test_who_chose_nothing_is_told_everything(anna: Api) -> None:
    assert anna.get(PATH).json() == EVERYTHING
    assert not NotificationPreference.objects.exists()


def test_what_is_named_is_replaced_and_the_rest_stays(anna: Api) -> None:
    hours = {"from": "22:00", "to": "07:00"}
    answer = anna.put(PATH, {"kinds": {"friend.unlocked": {"push": False}}, "quiet_hours": hours})
    assert answer.status_code == 200
    assert answer.json()["kinds"]["friend.unlocked"] == {"inbox": True, "push": False}
    assert answer.json()["quiet_hours"] == hours
    answer = anna.put(PATH, {"kinds": {UNLOCKED: {"inbox": False}}})
    assert answer.json()["kinds"]["friend.unlocked"] == {"inbox": True, "push": False}
    assert answer.json()["kinds"][UNLOCKED] == {"inbox": False, "push": True}
    assert answer.json()["quiet_hours"] == hours
    assert anna.get(PATH).json() == answer.json()
    assert anna.put(PATH, {}).json() == answer.json()
    on = {"kinds": {"friend.unlocked": {"push": True}, UNLOCKED: {"inbox": True}}, "quiet_hours": None}
    assert anna.put(PATH, on).json() == EVERYTHING
    assert anna.put(PATH, anna.get(PATH).json()).json() == EVERYTHING


REFUSED: list[tuple[Any, int]] = [
    ([], 400),
    (None, 400),
    ({"kind": {}}, 400),
    ({"kinds": []}, 422),
    ({"kinds": None}, 422),
    ({"kinds": {"x": {"push": True}}}, 422),
    ({"kinds": {"a/b~": {}}}, 422),
    ({"kinds": {UNLOCKED: True}}, 422),
    ({"kinds": {UNLOCKED: {"mail": True}}}, 422),
    ({"kinds": {UNLOCKED: {"push": "no"}}}, 422),
    ({"kinds": {UNLOCKED: {"push": 0}}}, 422),
    ({"kinds": {UNLOCKED: {"push": None}}}, 422),
    ({"quiet_hours": {}}, 422),
    ({"quiet_hours": []}, 422),
    ({"quiet_hours": False}, 422),
    ({"quiet_hours": {"from": "22:00"}}, 422),
    ({"quiet_hours": {"from": "22:00", "to": "22:00"}}, 422),
    ({"quiet_hours": {"from": "22:00", "to": "24:00"}}, 422),
    ({"quiet_hours": {"from": 22, "to": 7}}, 422),
    ({"quiet_hours": {"from": "22:00", "to": "07:00", "zone": "UTC"}}, 422),
    ({"kinds": {UNLOCKED: {"push": False}}, "quiet_hours": {"from": "x", "to": "y"}}, 422),
]


def test_what_can_not_be_chosen_is_refused_and_changes_nothing(anna: Api) -> None:
    for body, status in REFUSED:
        assert anna.put(PATH, body).status_code == status, body
    assert not NotificationPreference.objects.exists()


def test_the_player_and_his_studio_choose_and_nobody_else(world: World, anna: Api) -> None:
    ben = factories.api(world.token("ben"))
    other = World.create()
    uuid = world.player("anna").uuid
    for path in ("/players/anna/notification-preferences", f"/players/id:{uuid}/notification-preferences"):
        assert anna.get(path).status_code == 200
        outsider = factories.api(
            accounts.issue_key(studio_id=other.game.studio_id, name="x", scopes=["players:read"])[1]
        )
        for nobody in (ben, outsider):
            assert nobody.get(path).status_code == 404
        assert ben.put(path, {"kinds": {UNLOCKED: {"inbox": False}}}).status_code == 404
    reader, writer = (
        factories.api(accounts.issue_key(studio_id=world.game.studio_id, name="x", scopes=[scope])[1])
        for scope in ("players:read", "players:write")
    )
    path = "/players/anna/notification-preferences"
    assert reader.put(path, {"quiet_hours": None}).status_code == 403
    assert writer.get(path).status_code == 403
    assert factories.api().get(path).status_code == 401
    assert reader.get("/players/nobody/notification-preferences").status_code == 404
    assert not NotificationPreference.objects.exists()
    assert writer.put(path, {"quiet_hours": None}).status_code == 200


def test_what_is_not_wanted_is_not_told_at_all(world: World, live: LiveServer) -> None:
    choose(world, "anna", inbox={UNLOCKED: False})
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        world.unlock("anna", "a1")
        world.unlock("ben", "a1")
        assert anna.hears_nothing()
    assert world.inbox("anna") == []
    assert len(world.inbox("ben")) == 1
    choose(world, "anna", inbox={UNLOCKED: True})
    world.unlock("anna", "a2")
    assert [row.seq for row in world.inbox("anna")] == [1]


def test_what_is_not_pushed_waits_in_the_inbox_and_the_next_one_comes_at_once(
    world: World, live: LiveServer
) -> None:
    world.unlock("anna", "a1")
    choose(world, "anna", push={UNLOCKED: False})
    token = world.token("anna")
    with Socket(live.socket) as anna, stream(live.events, token) as events:
        anna.authenticate(token)
        world.unlock("anna", "a2", "a3")
        assert anna.hears_nothing()
        choose(world, "anna", push={UNLOCKED: True})
        world.unlock("anna", "a4")
        assert keys(anna.events(1)) == keys(events.events(1)) == ["a4"]
        anna.say(type="resume", after=world.ids("anna")[0])
        assert keys(anna.events(1)) == ["a4"]
        anna.say(type="resume", after=world.ids("anna")[1])
        assert keys(anna.events(1)) == ["a4"]
        assert anna.hears_nothing()
    page = factories.api(token).get("/players/me/notifications").json()
    assert [row["data"]["achievement"]["key"] for row in page["results"]] == ["a4", "a3", "a2", "a1"]
    assert page["unread_count"] == 4


def test_a_page_of_what_is_not_pushed_hides_nothing_behind_it(world: World, live: LiveServer) -> None:
    choose(world, "anna", push={UNLOCKED: False})
    keys_of = world.add_achievements(250)
    world.unlock("anna", *keys_of)
    choose(world, "anna", push={UNLOCKED: True})
    world.unlock("anna", *(f"a{n}" for n in range(60)))
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"), after="01a20960-069b-7886-90e6-59da40d00000")
        assert keys(anna.events(60)) == [f"a{n}" for n in range(60)]
        assert anna.hears_nothing()


def test_nothing_is_pushed_in_quiet_hours_of_the_players_own_day(world: World, live: LiveServer) -> None:
    accounts.update_player(
        studio_id=world.game.studio_id, external_id="ben", changes={"time_zone": "Asia/Kathmandu"}
    )
    hours = hours_about(timezone.now().astimezone(UTC))
    for name in ("anna", "ben"):  # ben's clock shows another time by far
        choose(world, name, quiet=hours, sets_quiet=True)
    with Socket(live.socket) as anna, Socket(live.socket) as ben:
        anna.authenticate(world.token("anna"))
        ben.authenticate(world.token("ben"))
        world.unlock("anna", "a1")
        world.unlock("ben", "a1")
        assert keys(ben.events(1)) == ["a1"]
        assert anna.hears_nothing()
    assert [row.is_quiet for row in world.inbox("anna") + world.inbox("ben")] == [True, False]


def test_a_time_zone_that_is_no_more_holds_nobody_up(world: World) -> None:
    choose(world, "anna", quiet=(0, 1439), sets_quiet=True)
    Player.objects.filter(pk=world.player("anna").id).update(time_zone="Mars/Olympus")
    world.unlock("anna", "a1")
    world.unlock("ben", "a1")
    assert (len(world.inbox("anna")), len(world.inbox("ben"))) == (1, 1)


def test_the_same_facts_again_change_nothing_of_what_was_chosen(world: World) -> None:
    choose(world, "anna", push={UNLOCKED: False})
    world.unlock("anna", "a1")
    choose(world, "anna", push={UNLOCKED: True})
    before = [(row.uuid, row.seq, row.is_quiet) for row in world.inbox("anna")]
    world.replay()
    assert [(row.uuid, row.seq, row.is_quiet) for row in world.inbox("anna")] == before


@pytest.mark.slow
def test_a_batch_asks_once_for_what_its_players_chose(world: World) -> None:
    for n in range(20):
        choose(world, f"p{n}", quiet=(0, 1), sets_quiet=True)
        world.unlock_silently(f"p{n}", "a1")
    with CaptureQueriesContext(connection) as queries:
        world.tell()
    asked = [query for query in queries if "social_notificationpreference" in query["sql"]]
    assert len(asked) == 1
    zones = [query for query in queries if "SELECT id, time_zone" in query["sql"]]
    assert len(zones) == 1


def test_changes_at_the_same_time_lose_nothing(world: World) -> None:
    player_id = world.player("anna").id

    def switch_off(kind: str) -> None:
        try:
            choosing.choose(player_id=player_id, change=Change(push={kind: False}))
        finally:
            connection.close()

    with ThreadPoolExecutor(len(KINDS)) as threads:
        list(threads.map(switch_off, KINDS))
    assert preferences.preference(player_id).not_pushed == frozenset(KINDS)


@pytest.mark.slow
def test_a_deleted_notification_is_gone_and_stays_gone(world: World, live: LiveServer) -> None:
    world.unlock("anna", "a1", "a2", "a3")
    first, second, _ = world.ids("anna")
    anna, ben = factories.api(world.token("anna")), factories.api(world.token("ben"))
    path = f"/players/me/notifications/{second}"
    assert ben.delete(path).status_code == 404
    assert ben.delete(f"/players/anna/notifications/{second}").status_code == 404
    assert anna.delete(path).status_code == 204
    assert anna.delete(path).status_code == 404
    for nothing in ("x", "01a20960-069b-7886-90e6-59da40d00000"):
        assert anna.delete(f"/players/me/notifications/{nothing}").status_code == 404
    world.replay()
    page = anna.get("/players/me/notifications").json()
    assert [row["data"]["achievement"]["key"] for row in page["results"]] == ["a3", "a1"]
    assert page["unread_count"] == 2
    with Socket(live.socket) as socket:
        socket.authenticate(world.token("anna"), after=first)
        assert keys(socket.events(1)) == ["a3"]
        assert socket.hears_nothing()


def test_an_inbox_is_read_by_kind(world: World, anna: Api) -> None:
    world.unlock("anna", "a1")
    player = world.player("anna")
    Notification.objects.create(
        player_id=player.id,
        seq=9,
        uuid=player.uuid,
        kind="friend.request",
        payload="{}",
        created_at=timezone.now(),
    )
    page = anna.get(f"/players/me/notifications?kind={UNLOCKED}").json()
    assert [row["type"] for row in page["results"]] == [UNLOCKED]
    assert page["unread_count"] == 2
    assert anna.get("/players/me/notifications?kind=friend.accepted").json()["results"] == []
    for kind in ("", "x", "achievement.unlocked "):
        assert anna.get(f"/players/me/notifications?kind={kind}").status_code == 400
    cursor = anna.get("/players/me/notifications?limit=1").json()["next_cursor"]
    assert anna.get(f"/players/me/notifications?kind={UNLOCKED}&cursor={cursor}").status_code == 400
