"""Who sees whom: every visibility, for everybody who may ask, by every operation that shows a player to others."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Player
from social import befriending
from tests.factories import Api
from tests.social.people import People, befriend

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
    assert asks.api.get(f"/players/{subject}").status_code == expected


@pytest.mark.parametrize("asker", ["stranger", "blocked", "blocker"])
def test_who_is_not_to_be_seen_answers_as_nobody_does(people: People, asker: str) -> None:
    people.set("subject", visibility="friends")
    api = people.api(asker)

    def told(path: str, uuid: str) -> Any:
        answer = api.get(path.format(f"id:{uuid}"))
        body = answer.json()
        body.pop("request_id")
        return answer.status_code, str(body).replace(uuid, "?")

    assert told("/players/{}", str(people["subject"].uuid)) == told("/players/{}", str(uuid4()))


def test_others_see_the_public_part_only(people: People) -> None:
    for api in (people.api("friend"), people.api("stranger"), People().server):
        assert set(api.get(f"/players/{people.id('subject')}").json()) == PUBLIC
    for api, name in ((people.api("subject"), "me"), (people.server, people.id("subject"))):
        assert set(api.get(f"/players/{name}").json()) == PUBLIC | {"external_id", "time_zone"}


def test_a_token_tries_no_ids_of_the_studio(people: People) -> None:
    api = people.api("friend")
    for path in ("/players/stranger", "/players/id:x"):
        assert api.get(path).status_code == 404


def test_an_erased_player_is_gone_for_others_and_his_studio(people: People) -> None:
    people.set("subject", erased_at=timezone.now())
    subject = people.id("subject")
    assert people.api("friend").get(f"/players/{subject}").status_code == 404
    assert people.server.get(f"/players/{subject}").status_code == 410


def test_a_player_s_page_is_there_for_anybody_if_he_is_public(people: People) -> None:
    for visibility, status in (("public", 200), ("friends", 404), ("private", 404)):
        people.set("subject", visibility=visibility)
        assert Client().get(f"/players/{people['subject'].uuid}").status_code == status
    assert Player.objects.filter(visibility="private").count() == 1
