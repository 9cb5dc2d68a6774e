"""What somebody takes along: everything over all studios, and nothing of anybody else."""

import io
import json
import zipfile
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import PlayerIdentity, User
from social import befriending
from tests import factories
from tests.accounts.entrance import PASSWORD, browser, sign_in
from tests.accounts.players import Somebody, nobody, somebody
from tests.accounts.test_player_settings import profile
from tests.social.people import befriend

pytestmark = pytest.mark.django_db
PAGE = "/me/settings/export"


@pytest.fixture
def anna() -> Somebody:
    return somebody()


def taken(who: Somebody) -> dict[str, Any]:
    who.page()
    answer: Any = who.client.post(PAGE)
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.slow
def test_the_file_holds_the_account_and_what_each_studio_has(anna: Somebody) -> None:
    games = [factories.game(), factories.game()]
    for game in games:
        factories.achievement(game)
        factories.player(game.studio, "ben")
        PlayerIdentity.objects.create(studio=game.studio, external_id="anna-1", player=anna.player)
        api = factories.api(factories.server_key(game.studio))
        for player in ("anna-1", "ben"):
            unlock = {"game_id": str(game.uuid), "player": player, "achievement": "first-blood"}
            assert api.post("/achievements/unlock", unlock).status_code == 202
    anna.send("", **profile(display_name="=Anna()"))
    files = taken(anna)
    told = json.loads(files["account.json"])
    assert (told["account"]["email"], told["player"]["display_name"]) == (anna.email, "=Anna()")
    assert "password" not in files["account.json"].decode()
    for game in games:
        held = json.loads(files[f"studios/{game.studio.uuid}/unlocks.json"])
        assert [one["achievement"] for one in held] == ["first-blood"]
    assert len(json.loads(files["devices.json"])) == 1
    whole = b"".join(files.values())
    assert b"ben" not in whole
    assert anna.client.cookies["sessionid"].value.encode() not in whole


def test_who_hides_is_named_in_no_file_of_whom_he_did_not_tell_who_he_is(anna: Somebody) -> None:
    studio, at = factories.studio(), timezone.now()
    asked, asks, blocked, friend = (
        factories.player(studio, name, display_name=name.title(), visibility="private")
        for name in ("asked", "asks", "blocked", "friend")
    )
    me = anna.player.pk
    befriending.ask(sender_id=me, receiver_id=asked.pk, at=at)
    befriending.ask(sender_id=asks.pk, receiver_id=me, at=at)
    befriending.block(player_id=me, blocked_id=blocked.pk, at=at)
    befriend(anna.player, friend)
    files = taken(anna)
    told = {
        name: [one["display_name"] for one in json.loads(files[f"{name}.json"])]
        for name in ("friends", "blocks", "friend_requests")
    }
    assert told == {"friends": ["Friend"], "blocks": [""], "friend_requests": ["Asks", ""]}


def test_who_has_nothing_yet_gets_a_file_too_and_a_stranger_none(anna: Somebody) -> None:
    assert json.loads(taken(anna)["friends.json"]) == []
    assert "No studio knows you yet." in anna.client.get(PAGE).content.decode()
    assert nobody().get(PAGE)["Location"] == f"/account/login/?next={PAGE}"


def test_a_browser_that_was_left_open_gives_nothing_away(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    user = User.objects.create_user("anna@players.example", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client = browser()
    sign_in(client, user.email)
    for answer in (client.get(PAGE), client.post(PAGE)):
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/account/reauthenticate/")
    asked = client.get(f"/account/reauthenticate/?next={PAGE}").content.decode()
    assert ("Back to your settings" in asked, "Back to the portal" in asked) == (True, False)
    proved = client.post(f"/account/reauthenticate/?next={PAGE}", {"password": PASSWORD})
    assert proved["Location"] == PAGE
    assert "What is in the file" in client.get(PAGE).content.decode()
