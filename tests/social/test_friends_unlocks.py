"""Friends who are about are told of an unlock: at once, then once a minute, and nothing that is not theirs to know."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Player, Studio
from achievements.models import Achievement, AchievementTranslation
from core import followers
from core.facts import head
from core.models import Follower
from social import announcing, befriending, choosing, fanning, presence
from social.choosing import Change
from social.models import FriendNews
from stats.services import sessions
from tests import factories
from tests.social.clients import Socket
from tests.social.conftest import LiveServer
from tests.social.world import World

KIND = "friend.unlocked"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _caught_up(world: World) -> None:
    tx, fact_id = head()
    Follower.objects.filter(name=fanning.FOLLOWER).update(tx=tx, fact_id=fact_id)


def befriend(world: World, one: str, other: str) -> None:
    one_id, other_id = world.player(one).id, world.player(other).id
    asked = befriending.ask(sender_id=one_id, receiver_id=other_id, at=timezone.now())
    befriending.accept(player_id=other_id, request=asked.uuid, at=timezone.now())


def be_about(world: World, *names: str, ago: timedelta = timedelta()) -> None:
    at = timezone.now() - ago
    presence.attend({world.player(name).id: True for name in names}, place=1, at=at)


@pytest.fixture
def friends(world: World) -> World:
    """Anna and Ben are friends, and Ben is about."""
    befriend(world, "anna", "ben")
    be_about(world, "ben")
    return world


def unlock(world: World, name: str, *keys: str) -> None:
    world.unlock_silently(name, *keys)
    followers.drain(fanning.FOLLOWER)


def told(world: World, name: str) -> list[dict[str, Any]]:
    return [orjson.loads(row.payload) for row in world.inbox(name) if row.kind == KIND]


def keys_told(world: World, name: str) -> list[tuple[str, int]]:
    return [(data["achievement"]["key"], data["count"]) for data in told(world, name)]


def change(world: World, key: str, **values: Any) -> None:
    Achievement.objects.filter(game_id=world.game.id, key=key).update(**values)
    announcing.forget()


def test_a_friend_hears_of_an_unlock_on_his_open_page(world: World, live: LiveServer) -> None:
    befriend(world, "anna", "ben")
    with Socket(live.socket) as ben, Socket(live.socket) as cleo:
        ben.authenticate(world.token("ben"))
        cleo.authenticate(world.token("cleo"))
        be_about(world, "ben", "cleo")
        unlock(world, "anna", "a7")
        event = ben.hear()
        assert cleo.hears_nothing()
    assert event["type"] == KIND
    data, anna = event["data"], world.player("anna")
    assert data.keys() == {"player", "game_id", "game", "achievement", "points", "unlocked_at", "count"}
    assert data["player"] == {"id": str(anna.uuid), "display_name": "", "region": "", "avatar_url": ""}
    assert (data["game_id"], data["game"]) == (str(world.game.uuid), {"title": world.game.title})
    assert (data["achievement"]["key"], data["points"], data["count"]) == ("a7", 7, 1)
    assert told(world, "anna") == told(world, "cleo") == []
    assert world.ids("ben") == [event["id"]]


def test_what_follows_within_a_minute_is_told_as_one_when_it_is_over(friends: World) -> None:
    now = timezone.now()
    unlock(friends, "anna", "a1")
    unlock(friends, "anna", "a2")
    unlock(friends, "anna", "a3", "a4")
    assert keys_told(friends, "ben") == [("a1", 1)]
    assert fanning.tell_friends(now=now + 0.5 * MINUTE) == 0
    assert fanning.tell_friends(now=now + 2 * MINUTE) == 1
    assert fanning.tell_friends(now=now + 5 * MINUTE) == 0
    assert keys_told(friends, "ben") == [("a1", 1), ("a4", 3)]


def test_another_game_and_another_friend_are_told_for_themselves(friends: World) -> None:
    befriend(friends, "cleo", "ben")
    unlock(friends, "anna", "a1")
    unlock(friends, "cleo", "a2")
    assert keys_told(friends, "ben") == [("a1", 1), ("a2", 1)]


def test_each_friend_is_told_in_his_own_language(friends: World) -> None:
    befriend(friends, "anna", "cleo")
    be_about(friends, "cleo")
    AchievementTranslation.objects.create(
        achievement=Achievement.objects.get(key="a5"), language="pt", name="Primeiro passo"
    )
    Player.objects.filter(pk=friends.player("cleo").id).update(language="pt-BR")
    unlock(friends, "anna", "a5")
    names = [told(friends, name)[0]["achievement"]["name"] for name in ("ben", "cleo")]
    assert names == ["Achievement 5", "Primeiro passo"]


def test_the_same_facts_again_tell_nothing(friends: World) -> None:
    now = timezone.now()
    unlock(friends, "anna", "a1")
    unlock(friends, "anna", "a2")
    for _ in range(2):
        followers.rewind(fanning.FOLLOWER, fact_id=0)
        followers.drain(fanning.FOLLOWER)
    assert [FriendNews.objects.get().waiting, *keys_told(friends, "ben")] == [1, ("a1", 1)]
    fanning.tell_friends(now=now + 2 * MINUTE)
    before = friends.ids("ben")
    followers.rewind(fanning.FOLLOWER, fact_id=0)
    followers.drain(fanning.FOLLOWER)
    fanning.tell_friends(now=now + 5 * MINUTE)
    assert friends.ids("ben") == before
    assert keys_told(friends, "ben") == [("a1", 1), ("a2", 1)]


def test_who_was_not_seen_for_an_hour_is_not_told(world: World) -> None:
    befriend(world, "anna", "ben")
    befriend(world, "anna", "cleo")
    be_about(world, "ben", ago=timedelta(minutes=61))
    unlock(world, "anna", "a1")
    assert told(world, "ben") == told(world, "cleo") == []
    assert not FriendNews.objects.exists()
    be_about(world, "cleo", ago=timedelta(minutes=59))
    unlock(world, "anna", "a2")
    assert (keys_told(world, "ben"), keys_told(world, "cleo")) == ([], [("a2", 1)])


def test_a_sign_of_life_of_a_game_makes_somebody_be_about(world: World) -> None:

    befriend(world, "anna", "ben")
    sessions.heard_of(game=world.game, player="ben", event="start", at=timezone.now())
    followers.drain(fanning.FOLLOWER)
    unlock(world, "anna", "a1")
    assert keys_told(world, "ben") == [("a1", 1)]


def test_a_hidden_achievement_has_no_name_for_who_has_not_unlocked_it(friends: World) -> None:
    befriend(friends, "anna", "cleo")
    be_about(friends, "cleo")
    change(friends, "a9", hidden=True)
    friends.unlock_silently("cleo", "a9")
    unlock(friends, "anna", "a9")
    (knows,), (wonders,) = told(friends, "cleo"), told(friends, "ben")
    assert (knows["achievement"]["key"], knows["points"]) == ("a9", 9)
    assert wonders["points"] is None
    assert wonders["achievement"] == {
        "key": None,
        "name": None,
        "description": None,
        "icon_url": "",
        "hidden": True,
        "rarity": None,
    }
    (row,) = [row for row in friends.inbox("ben") if row.kind == KIND]
    assert not any(said in row.payload for said in ('"a9"', "Achievement 9", "Do it."))


def _private(world: World) -> None:
    accounts.update_player(
        studio_id=world.game.studio_id, external_id="anna", changes={"visibility": "private"}
    )


def _erased(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_player SET erased_at = now() WHERE id = %s", [world.player("anna").id]
        )


def _banned(world: World) -> None:
    factories.ban(Studio.objects.get(pk=world.game.studio_id), "anna")


def _blocked(world: World) -> None:
    befriending.block(player_id=world.player("ben").id, blocked_id=world.player("anna").id, at=timezone.now())


def _parted(world: World) -> None:
    befriending.remove(player_id=world.player("anna").id, friend_id=world.player("ben").id)


def _archived(world: World) -> None:
    change(world, "a2", state="archived")


def _unwanted(world: World) -> None:
    choosing.choose(player_id=world.player("ben").id, change=Change(inbox={KIND: False}))


def _revoked(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM achievements_unlock WHERE player_id = %s", [world.player("anna").id])


@pytest.mark.parametrize(
    "happens", [_private, _erased, _banned, _blocked, _parted, _archived, _unwanted, _revoked]
)
def test_what_is_no_friends_business_by_then_is_not_told(
    friends: World, happens: Callable[[World], None]
) -> None:
    now = timezone.now()
    unlock(friends, "anna", "a1")
    unlock(friends, "anna", "a2")
    happens(friends)
    assert fanning.tell_friends(now=now + 2 * MINUTE) == 0
    assert keys_told(friends, "ben") == [("a1", 1)]


def test_drafts_and_silent_backfills_are_not_told(friends: World) -> None:
    friends.unlock_silently("anna", "a1")
    change(friends, "a1", state="draft")
    followers.drain(fanning.FOLLOWER)
    friends.unlock_silently("anna", "a2")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_fact SET payload = (payload::jsonb || '{\"silent\": true}')::json"
            " WHERE kind = 'achievements_unlocked'"
        )
    followers.drain(fanning.FOLLOWER)
    assert told(friends, "ben") == []
    assert not FriendNews.objects.exists()


def test_what_is_read_late_is_no_news(friends: World) -> None:
    friends.unlock_silently("anna", "a1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_fact SET at = at - interval '11 minutes'")
    followers.drain(fanning.FOLLOWER)
    assert told(friends, "ben") == []


def test_who_chose_silence_finds_it_in_his_inbox(friends: World) -> None:
    choosing.choose(player_id=friends.player("ben").id, change=Change(push={KIND: False}))
    unlock(friends, "anna", "a1")
    assert [row.is_quiet for row in friends.inbox("ben")] == [True]


@pytest.mark.slow
def test_many_friends_take_as_many_queries_as_one(friends: World) -> None:
    def queries(key: str) -> int:
        FriendNews.objects.update(told_at=None)
        friends.unlock_silently("anna", key)
        with CaptureQueriesContext(connection) as captured:
            followers.drain(fanning.FOLLOWER)
        return len(captured)

    queries("a1")
    one = queries("a2")
    for n in range(8):
        befriend(friends, "anna", f"p{n}")
        be_about(friends, f"p{n}")
    assert queries("a3") == one


@pytest.mark.slow
def test_two_who_tell_at_once_tell_once(friends: World) -> None:
    later = timezone.now() + 2 * MINUTE
    names = [f"p{n}" for n in range(25)]
    for name in names:
        befriend(friends, name, "ben")
        unlock(friends, name, "a1")
        unlock(friends, name, "a2")

    def tell(_: int) -> int:
        try:
            return fanning.tell_friends(now=later)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(tell, range(4))) == 25
    assert sorted(keys_told(friends, "ben")) == [("a1", 1)] * 25 + [("a2", 1)] * 25


def test_what_was_told_long_ago_is_forgotten(friends: World) -> None:
    now = timezone.now()
    unlock(friends, "anna", "a1")
    assert fanning.forget_old(now=now + timedelta(minutes=30)) == 0
    assert fanning.forget_old(now=now + timedelta(minutes=62)) == 1
    assert not FriendNews.objects.exists()
