"""Games come to an account by a code, once and for all: with what both hold, and with what the person chose."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccountLinkFailure, Player, PlayerAccount, PlayerIdentity, User
from achievements.models import Unlock
from core.models import AuditEntry
from tests import factories
from tests.accounts.players import Somebody, code_for, names, somebody
from tests.accounts.test_player_settings import privacy, profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Somebody:
    return somebody()


def link(who: Somebody, code: str) -> tuple[int, str]:
    answer = who.send("link", True, **{"link-code": code})
    return answer.status_code, answer.content.decode()


def test_a_game_s_player_is_the_account_s_from_then_on(anna: Somebody) -> None:
    game = factories.game()
    factories.achievement(game)
    code = code_for(game.studio, "p-1")
    api = factories.api(factories.server_key(game.studio))
    api.put("/players/p-1", {"display_name": "xX_p1", "region": "EU", "time_zone": "Asia/Tokyo"})
    unlock = {"game_id": str(game.uuid), "player": "p-1", "achievement": "first-blood"}
    assert api.post("/achievements/unlock", unlock).status_code == 202
    anna.send("", **profile(display_name="Anna"))
    anna.send("privacy", **privacy(presence_visibility="private"))
    assert "The game is linked." in link(anna, code.lower().replace("-", " "))[1]
    player = anna.player
    assert names(player) == ["p-1"]
    assert (player.display_name, player.presence_visibility) == ("Anna", "private"), "what she chose"
    assert (player.region, player.time_zone) == ("EU", "Asia/Tokyo"), "what she did not"
    assert Unlock.objects.get().player_id == player.pk
    assert "p-1" in anna.page()
    heard = AuditEntry.objects.get(action="player.linked")
    assert (heard.studio_id, heard.actor) == (game.studio_id, f"player:{player.uuid}")
    assert link(anna, code)[1].count("linked already") == 1, "repeating it changes nothing"
    assert AuditEntry.objects.filter(action="player.linked").count() == 1


def test_a_second_game_that_both_hold_something_in_goes_to_the_account_s_player(anna: Somebody) -> None:
    first, second = factories.game(), factories.game()
    for game in (first, second):
        factories.achievement(game)
        api = factories.api(factories.server_key(game.studio))
        api.put("/players/p-1", {})
        api.post(
            "/achievements/unlock", {"game_id": str(game.uuid), "player": "p-1", "achievement": "first-blood"}
        )
    assert link(anna, code_for(first.studio, "p-1"))[0] == 200
    before = anna.player.pk
    assert link(anna, code_for(second.studio, "p-1"))[0] == 200
    assert anna.player.pk == before
    assert set(Unlock.objects.values_list("player_id", flat=True)) == {before}
    told = AuditEntry.objects.filter(action="player.linked").values_list("studio_id", flat=True)
    assert sorted(told) == sorted([first.studio_id, second.studio_id])


@pytest.mark.slow
def test_guessing_ends_after_ten_and_only_for_who_guesses(anna: Somebody) -> None:
    code = code_for(factories.studio(), "p-1")
    for _ in range(10):
        status, text = link(anna, "ZZZZ-ZZZZ")
        assert (status, "mistyped, expired or used" in text) == (422, True)
    answer = anna.send("link", **{"link-code": code})
    assert (answer.status_code, "Too many codes" in answer.content.decode()) == (429, True)
    assert 0 < int(answer["Retry-After"]) <= 15 * 60 + 1
    assert PlayerIdentity.objects.get().player_id != anna.player.pk
    assert "The game is linked." in link(somebody("ben@players.example"), code)[1]
    AccountLinkFailure.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert link(anna, code)[0] == 422, "it is used by now, which sounds like any other that is not valid"


def test_two_accounts_are_not_made_one(anna: Somebody) -> None:
    studio, other = factories.studio(), factories.studio()
    ben = somebody("ben@players.example")
    assert link(ben, code_for(studio, "p-1"))[0] == 200
    status, text = link(anna, code_for(studio, "p-1"))
    assert (status, "Both have an account on this site." in text) == (409, True)
    assert link(anna, code_for(other, "q-1"))[0] == 200
    api = factories.api(factories.server_key(other))
    by_studio = api.post("/players/q-1/link", {"code": code_for(studio, "p-1")})
    assert by_studio.status_code == 409
    assert PlayerAccount.objects.count() == 2
    assert (names(anna.player), names(ben.player)) == (["q-1"], ["p-1"])


def test_an_account_follows_where_a_studio_joins_its_player(anna: Somebody) -> None:
    studio, other = factories.studio(), factories.studio()
    link(anna, code_for(studio, "p-1"))
    anna.send("", **profile(display_name="Anna"))
    factories.player(other, "q-1")
    api = factories.api(factories.server_key(other))
    assert api.post("/players/q-1/link", {"code": code_for(studio, "p-1")}).status_code == 200
    assert names(anna.player) == ["p-1", "q-1"]
    assert anna.player.display_name == "Anna"


def test_who_is_banned_is_not_linked_and_an_account_s_end_leaves_the_game_s_player(anna: Somebody) -> None:
    studio = factories.studio()
    code = code_for(studio, "p-1")
    factories.ban(studio, "p-1")
    assert link(anna, code)[0] == 403
    factories.ban(studio, "p-1", banned=False)
    assert link(anna, code)[0] == 200
    User.objects.filter(pk=anna.user.pk).delete()
    assert Player.objects.get().erased_at is None
