"""Players are told who asks them and who accepted: in the inbox and on the open page, nobody else."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Player
from core import followers
from social import befriending
from social.facts import FriendAccepted, FriendRequested
from social.models import FriendRequest
from tests import factories
from tests.social.clients import Socket
from tests.social.conftest import LiveServer
from tests.social.world import World


def ask(world: World, sender: str, receiver: str) -> befriending.Asked:
    sender_id, receiver_id = world.player(sender).id, world.player(receiver).id
    return befriending.ask(sender_id=sender_id, receiver_id=receiver_id, at=timezone.now())


def accept(world: World, name: str, asked: befriending.Asked) -> None:
    befriending.accept(player_id=world.player(name).id, request=asked.uuid, at=timezone.now())


def told(world: World, name: str) -> list[str]:
    world.tell()
    return [row.kind for row in world.inbox(name)]


def facts(world: World) -> list[str]:
    """Return the kinds of what was published about this world's players, in order."""
    ids = [world.player(name).id for name in ("anna", "ben", "cleo")]
    kinds = [FriendRequested.kind, FriendAccepted.kind]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind FROM core_fact WHERE kind = ANY(%s) AND (payload ->> 'sender')::bigint = ANY(%s) ORDER BY id",
            [kinds, ids],
        )
        return [row[0] for row in cursor.fetchall()]


def shown(player: Any) -> dict[str, str]:
    return {"id": str(player.uuid), "display_name": player.display_name, "region": "", "avatar_url": ""}


@pytest.mark.slow
def test_who_is_asked_and_who_is_accepted_hear_of_it_on_their_open_pages(
    world: World, live: LiveServer
) -> None:
    with Socket(live.socket) as anna, Socket(live.socket) as ben, Socket(live.socket) as cleo:
        for name, socket in (("anna", anna), ("ben", ben), ("cleo", cleo)):
            socket.authenticate(world.token(name))
        asked = ask(world, "anna", "ben")
        world.tell()
        event = ben.hear()
        assert event["type"] == "friend.request"
        assert event["data"] == {"request_id": str(asked.uuid), "player": shown(world.player("anna"))}
        assert anna.hears_nothing()
        accept(world, "ben", asked)
        world.tell()
        event = anna.hear()
        assert event["type"] == "friend.accepted"
        assert event["data"] == {"request_id": str(asked.uuid), "player": shown(world.player("ben"))}
        assert ben.hears_nothing()
        assert cleo.hears_nothing()


def test_an_inbox_shows_friends_beside_unlocks_and_never_a_studios_id(world: World) -> None:
    ask(world, "anna", "ben")
    world.unlock("ben", "a1")
    anna = Player.objects.get(pk=world.player("anna").id)
    token = factories.api(world.token("ben"))
    rows = token.get("/players/me/notifications").json()["results"]
    assert {row["type"] for row in rows} == {"friend.request", "achievement.unlocked"}
    (row,) = [row for row in rows if row["type"] == "friend.request"]
    assert set(row["data"]["player"]) == {"id", "display_name", "region", "avatar_url"}
    assert row["data"]["player"]["id"] == str(anna.uuid)


def test_a_request_that_crosses_another_tells_who_asked_first(world: World) -> None:
    ask(world, "anna", "ben")
    assert told(world, "ben") == ["friend.request"]
    ask(world, "ben", "anna")
    assert told(world, "anna") == ["friend.accepted"]
    assert told(world, "ben") == ["friend.request"]


def test_repeating_and_refusals_announce_nothing(world: World) -> None:
    asked = ask(world, "anna", "ben")
    ask(world, "anna", "ben")
    assert facts(world) == ["friend_requested"]
    befriending.decline(player_id=world.player("ben").id, request=asked.uuid)
    assert facts(world) == ["friend_requested"]


def test_who_is_blocked_is_heard_by_nobody(world: World) -> None:
    anna, ben = world.player("anna").id, world.player("ben").id
    befriending.block(player_id=anna, blocked_id=ben, at=timezone.now())
    ask(world, "ben", "anna")
    assert facts(world) == []
    assert told(world, "anna") == told(world, "ben") == []


@pytest.mark.parametrize("answer", ["block", "decline"])
def test_what_waits_no_more_when_the_log_is_read_is_not_told(world: World, answer: str) -> None:
    asked = ask(world, "anna", "ben")
    anna, ben = world.player("anna").id, world.player("ben").id
    if answer == "block":
        befriending.block(player_id=ben, blocked_id=anna, at=timezone.now())
        ask(world, "anna", "ben")
    else:
        befriending.decline(player_id=ben, request=asked.uuid)
    assert told(world, "ben") == told(world, "anna") == []


def test_facts_that_are_told_again_add_nothing(world: World) -> None:
    accept(world, "ben", ask(world, "anna", "ben"))
    ask(world, "cleo", "ben")
    world.tell()
    before = [(world.ids(name)) for name in ("anna", "ben", "cleo")]
    followers.rewind("social", fact_id=0)
    world.tell()
    assert [world.ids(name) for name in ("anna", "ben", "cleo")] == before
    assert [len(ids) for ids in before] == [1, 1, 0]
    assert FriendRequest.objects.count() == 1
