"""Somebody erases himself: the player everywhere, and the account unless he makes games with it."""

from typing import Any

import pytest
from django.core.mail import send_mail
from post_office.models import Email

from accounts.erasure.models import Erasure
from accounts.models import Player, PlayerAccount, PlayerIdentity, PlayerSession, User
from achievements.models import Unlock
from core.models import AuditEntry
from tests import factories
from tests.accounts.players import Somebody, nobody, somebody
from tests.accounts.test_player_settings import profile

pytestmark = pytest.mark.django_db
PAGE = "/me/settings/erase"


@pytest.fixture
def anna() -> Somebody:
    return somebody()


def erase(who: Somebody, word: str = "erase") -> Any:
    return who.client.post(PAGE, {"confirm": word})


def test_who_erases_himself_is_gone_everywhere_and_signed_out(anna: Somebody) -> None:
    games = [factories.game(), factories.game()]
    for game in games:
        factories.achievement(game)
        PlayerIdentity.objects.create(studio=game.studio, external_id="p-1", player=anna.player)
        factories.player(game.studio, "ben")
        api = factories.api(factories.server_key(game.studio))
        for name in ("p-1", "ben"):
            unlock = {"game_id": str(game.uuid), "player": name, "achievement": "first-blood"}
            assert api.post("/achievements/unlock", unlock).status_code == 202
    anna.send("", **profile(display_name="Anna"))
    text = " ".join(anna.client.get(PAGE).content.decode().split())
    assert "2 unlocks</b> in 2 games, worth <b>20 points" in text
    assert erase(anna, "no").status_code == 422
    assert Unlock.objects.count() == 4, "nothing was erased"
    phone = Somebody(anna.user)
    phone.client.get("/me/settings")
    assert "The player and the account are gone." in erase(anna).content.decode()
    assert Unlock.objects.count() == 2
    assert not User.objects.filter(pk=anna.user.pk).exists()
    assert not PlayerSession.objects.filter(ended_at=None).exists()
    assert not PlayerAccount.objects.exists()
    for client in (anna.client, phone.client):
        assert client.get("/me/settings").status_code == 302
    assert not Player.objects.filter(display_name="Anna").exists()
    told = AuditEntry.objects.filter(action="player.erase")
    assert {(one.studio_id, one.actor) for one in told} == {(game.studio_id, "player") for game in games}
    for game in games:
        refused = factories.api(factories.server_key(game.studio)).put("/players/p-1", {})
        assert refused.status_code == 410


def test_mail_to_who_erased_himself_goes_with_the_account(anna: Somebody, settings: Any) -> None:
    settings.EMAIL_BACKEND = "core.mail.Queue"
    for address in (anna.user.email, "ben@players.example"):
        send_mail("A new device", "Was that you?", None, [address])
    erase(anna)
    assert [mail.to for mail in Email.objects.all()] == [["ben@players.example"]]


def test_who_makes_games_keeps_the_account_and_begins_as_a_new_player(anna: Somebody) -> None:
    factories.studio().members.create(user=anna.user, role="support")
    anna.send("", **profile(display_name="Anna"))
    before = anna.player.pk
    assert "Your account stays" in anna.client.get(PAGE).content.decode()
    assert "Your account stays" in erase(anna).content.decode()
    assert Player.objects.get(pk=before).erased_at is not None
    assert Erasure.objects.get().is_whole
    assert (anna.player.pk != before, anna.player.display_name) == (True, "")
    assert anna.client.get("/me/settings").status_code == 200


def test_a_studio_that_erases_its_person_leaves_the_account(anna: Somebody) -> None:
    studio = factories.studio()
    PlayerIdentity.objects.create(studio=studio, external_id="p-1", player=anna.player)
    anna.send("", **profile(display_name="Anna"))
    assert factories.api(factories.server_key(studio)).delete("/players/p-1").status_code == 202
    assert anna.player.display_name == "Anna"
    assert not PlayerIdentity.objects.exists()


def test_a_stranger_erases_nobody(anna: Somebody) -> None:
    assert nobody().post(PAGE, {"confirm": "erase"})["Location"].startswith("/account/login/")
    assert User.objects.filter(pk=anna.user.pk).exists()
