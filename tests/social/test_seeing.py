"""Who sees whom: every visibility, for everybody who may ask, by every operation that shows a player to others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Player, PlayerIdentity
from core import public_pages
from social import befriending, presence
from tests import factories
from tests.factories import Api
from tests.social.people import People, befriend, names, rows

pytestmark = pytest.mark.django_db

VISIBILITIES = ("public", "friends", "private")
# Who asks, and which visibilities let him see the subject.
ASKERS = {
    "himself": VISIBILITIES,
    "friend": ("public", "friends"),
    "stranger": ("public",),
    "blocked": (),
    "blocker": (),
    "his studio": VISIBILITIES,
    "another studio": ("public",),
}
PUBLIC = {"id", "display_name", "region", "avatar_url", "visibility"}


@dataclass
class Case:
    """Somebody who asks: his calls, and the player as whom or about whom he asks."""

    api: Api
    me: str
    own_game: str | None


@pytest.fixture
def people() -> People:
    made = People()
    made.achievement("first")
    for name in ("subject", "friend", "stranger", "blocked", "blocker"):
        made.unlock(name, "first")
    made.befriend("friend", "subject")
    now = timezone.now()
    befriending.block(player_id=made["subject"].pk, blocked_id=made["blocked"].pk, at=now)
    befriending.block(player_id=made["blocker"].pk, blocked_id=made["subject"].pk, at=now)
    return made


def case(people: People, asker: str) -> Case:
    """Return somebody who asks; the other studio has a player of its own who is the subject's friend."""
    game = str(people.game.uuid)
    if asker == "another studio":
        other = People()
        befriend(other["guest"], people["subject"])
        return Case(other.server, "guest", str(other.game.uuid))
    if asker == "his studio":
        return Case(people.server, "friend", game)
    return Case(people.api("subject" if asker == "himself" else asker), "me", game)


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("asker", ASKERS)
def test_a_player_is_seen_by_whom_he_lets(people: People, asker: str, visibility: str) -> None:
    people.set("subject", visibility=visibility)
    asks, is_seen = case(people, asker), visibility in ASKERS[asker]
    expected = 200 if is_seen else 404
    subject = people.id("subject")
    compare = f"/players/{asks.me}/compare/{subject}"
    for path in (f"/players/{subject}", compare, f"{compare}?game_id={asks.own_game}"):
        assert asks.api.get(path).status_code == expected, path
    # Lists show friends only: nobody who is a stranger, or blocks, or is blocked.
    is_listed = is_seen and asker != "stranger"
    for path in ("friends/compare", f"friends/compare?game_id={asks.own_game}"):
        assert ("Subject" in names(asks.api.get(f"/players/{asks.me}/{path}"))) == is_listed, path
    is_in_feed = is_listed and asker not in ("himself", "another studio")  # whose games these are not
    assert ("Subject" in names(asks.api.get(f"/players/{asks.me}/feed"))) == is_in_feed


@pytest.mark.parametrize("asker", ["stranger", "blocked", "blocker"])
def test_who_is_not_to_be_seen_answers_as_nobody_does(people: People, asker: str) -> None:
    people.set("subject", visibility="friends")
    api = people.api(asker)

    def told(path: str, uuid: str) -> Any:
        answer = api.get(path.format(f"id:{uuid}"))
        body = answer.json()
        body.pop("request_id")
        return answer.status_code, str(body).replace(uuid, "?")

    for path in ("/players/{}", "/players/me/compare/{}"):
        assert told(path, str(people["subject"].uuid)) == told(path, str(uuid4()))


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_nobody_learns_who_hides_by_blocking_or_asking_him(people: People, visibility: str) -> None:
    people.set("subject", visibility=visibility, avatar_url="https://example.com/a.png", region="EU")
    api = people.api("stranger")
    is_seen = visibility == "public"
    if visibility != "private":
        assert api.post("/players/me/friend-requests", {"to": "subject"}).status_code == 202
        (asked,) = rows(api.get("/players/me/friend-requests?direction=out"))
        assert_named(asked["player"], people, is_seen=is_seen)
    assert api.put("/players/me/blocks/subject", {}).status_code == 204
    (blocked,) = rows(api.get("/players/me/blocks"))
    assert_named(blocked["player"], people, is_seen=is_seen)
    assert rows(people.server.get("/players/stranger/blocks"))[0]["player"]["display_name"] == "Subject"
    assert api.delete(f"/players/me/blocks/{people.id('subject')}").status_code == 204


def assert_named(player: dict[str, Any], people: People, *, is_seen: bool) -> None:
    assert player["id"] == str(people["subject"].uuid)
    shown = (player["display_name"], player["region"], player["avatar_url"])
    assert shown == (("Subject", "EU", "https://example.com/a.png") if is_seen else ("", "", ""))


def test_who_asks_says_who_he_is(people: People) -> None:
    people.set("stranger", visibility="private")
    assert people.api("stranger").post("/players/me/friend-requests", {"to": "subject"}).status_code == 202
    assert names(people.api("subject").get("/players/me/friend-requests")) == ["Stranger"]


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_a_studio_lists_those_friends_of_its_players_whom_it_sees(people: People, visibility: str) -> None:
    people.set("subject", visibility=visibility, presence_visibility="friends")
    other = People()
    befriend(other["guest"], people["subject"])
    presence.attend({people["subject"].pk: True}, place=1, at=timezone.now())
    listed = other.server.get("/players/guest/friends")
    is_seen = visibility == "public"
    assert (names(listed), listed.json()["total_count"]) == ((["Subject"], 1) if is_seen else ([], 0))
    assert not any(row["presence"]["online"] for row in rows(listed))
    own = people.server.get("/players/subject/friends")
    assert "Friend" in names(own)
    assert names(other.api("guest").get("/players/me/friends")) == ["Subject"]


def test_lists_of_friends_leave_out_whom_the_asking_studio_has_banned(people: People) -> None:
    assert names(people.api("friend").get("/players/me/friends")) == ["Subject"]
    PlayerIdentity.objects.filter(external_id="subject").update(banned_at=timezone.now())
    for api, me in ((people.api("friend"), "me"), (people.server, "friend")):
        assert names(api.get(f"/players/{me}/friends")) == []


def test_others_see_the_public_part_only(people: People) -> None:
    for api in (people.api("friend"), people.api("stranger"), People().server):
        assert set(api.get(f"/players/{people.id('subject')}").json()) == PUBLIC
    for api, name in ((people.api("subject"), "me"), (people.server, people.id("subject"))):
        assert set(api.get(f"/players/{name}").json()) == PUBLIC | {"external_id", "time_zone"}
    row = people.api("friend").get("/players/me/friends/compare").json()["results"][0]
    assert "external_id" not in row["player"]


def test_a_token_tries_no_ids_of_the_studio(people: People) -> None:
    api = people.api("friend")
    for path in ("/players/subject", "/players/me/compare/subject", "/players/me/compare/id:x"):
        assert api.get(path).status_code == 404
    assert people.server.get("/players/friend/compare/subject").status_code == 200
    assert people.server.get("/players/friend/compare/a%00b").status_code == 404


@pytest.mark.parametrize(
    "hide",
    [
        lambda people: people.set("subject", erased_at=timezone.now()),
        lambda people: people.server.delete("/players/friend/friends/subject"),
    ],
    ids=["erased", "no friend any more"],
)
def test_who_is_erased_or_no_friend_is_in_no_list(people: People, hide: Callable[[People], Any]) -> None:
    api = people.api("friend")
    assert names(api.get("/players/me/feed")) == ["Subject"]
    hide(people)
    assert names(api.get("/players/me/feed")) == []
    assert names(api.get("/players/me/friends/compare")) == ["Friend"]


def test_an_erased_player_is_gone_for_others_and_his_studio(people: People) -> None:
    people.set("subject", erased_at=timezone.now())
    subject = people.id("subject")
    assert people.api("friend").get(f"/players/{subject}").status_code == 404
    assert people.api("friend").get(f"/players/me/compare/{subject}").status_code == 404
    assert people.server.get(f"/players/{subject}").status_code == 410


def test_only_a_player_and_his_studio_ask_about_his_friends(people: People) -> None:
    reader = factories.api(factories.server_key(people.studio, scopes=["definitions:read"]))
    for path in ("friends/compare", "feed", f"compare/{people.id('friend')}"):
        assert factories.api().get(f"/players/subject/{path}").status_code == 401
        assert reader.get(f"/players/subject/{path}").status_code == 403
        assert People().server.get(f"/players/{people.id('subject')}/{path}").status_code == 404
        assert people.api("stranger").get(f"/players/{people.id('subject')}/{path}").status_code == 404
        assert people.server.get(f"/players/nobody/{path}").status_code == 404
        assert people.server.post(f"/players/subject/{path}", {}).status_code == 405


def test_a_player_s_page_is_there_for_anybody_if_he_is_public(people: People) -> None:
    for visibility, status in (("public", 200), ("friends", 404), ("private", 404)):
        people.set("subject", visibility=visibility)
        public_pages.forget()  # which holds it for a second
        assert Client().get(f"/players/{people['subject'].uuid}").status_code == status
    assert Player.objects.filter(visibility="private").count() == 1
