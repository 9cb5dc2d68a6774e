"""The portal's pages of games at the HTTP border: new ones, settings, testers, putting away and bringing back."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts import models, shelving
from accounts.models import Game, ServerKey, User
from achievements.models import PlayerGame
from core import once
from core.models import AuditEntry
from tests import factories
from tests.accounts.members import House, audited, hidden_value

pytestmark = pytest.mark.django_db

REFUSED = {"outsider": 404, "signed out": 302}
WRITES = {"owner": 200, "admin": 200, "developer": 200, "support": 403, "analyst": 403, **REFUSED}
MANAGES = {"owner": 200, "admin": 200, "developer": 403, "support": 403, "analyst": 403, **REFUSED}


@pytest.fixture
def house() -> House:
    return House()


def new_game(house: House, **changed: Any) -> dict[str, Any]:
    form = {
        "title": "Hollow Orchard",
        "regions": "eu, NA",
        "once": hidden_value(house.get("games/new"), "once"),
    }
    return form | changed


def test_a_game_is_made_and_audited(house: House) -> None:
    answer = house.post("games/new", new_game(house))
    game = Game.objects.get(title="Hollow Orchard")
    assert answer["Location"] == house.path(f"games/{game.uuid}/settings")
    assert (game.studio_id, game.regions, game.uuid.version) == (house.studio.pk, ["EU", "NA"], 7)
    assert audited(house.studio) == [("game.create", "user:owner@example.com")]
    api = factories.api(factories.server_key(house.studio))
    assert api.get(f"/games/{game.uuid}").json()["regions"] == ["EU", "NA"]


def test_from_the_first_game_the_checklist_leads_on(house: House) -> None:
    Game.objects.filter(studio=house.studio).update(archived_at=timezone.now())
    assert house.post("games/new", new_game(house))["Location"] == house.path("")


def test_a_form_that_is_sent_twice_makes_one_game(house: House) -> None:
    form = new_game(house)
    first, second = house.post("games/new", form), house.post("games/new", form)
    assert first["Location"] == second["Location"]
    assert Game.objects.filter(studio=house.studio).count() == 2
    assert len(audited(house.studio)) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"title": ""}, "required"),
        ({"title": "   "}, "required"),
        ({"title": "x" * 201}, "200 characters"),
        ({"title": "a\x00b"}, "Null characters"),
        ({"regions": "EU EU"}, "listed once"),
        ({"regions": "E!U"}, "letters, digits"),
        ({"regions": "x" * 17}, "letters, digits"),
        ({"regions": "a\x00b"}, "letters, digits"),
        ({"regions": " ".join(f"R{n}" for n in range(51))}, "at most 50"),
        ({"once": ""}, "open too long"),
        ({"once": "forged"}, "open too long"),
    ],
)
def test_a_game_that_can_t_be_is_refused_with_its_form(
    house: House, changed: dict[str, str], said: str
) -> None:
    answer = house.post("games/new", new_game(house, **changed))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Game.objects.filter(studio=house.studio).count() == 1
    assert audited(house.studio) == []


def test_a_form_that_was_open_too_long_can_be_sent_again(house: House) -> None:
    answer = house.post("games/new", new_game(house, once="old"))
    again = new_game(house, once=hidden_value(answer, "once"))
    assert house.post("games/new", again).status_code == 302


def test_an_id_that_somebody_else_got_makes_nothing(house: House) -> None:
    house.client("admin")
    others = once.mint(
        "new-game", user_id=User.objects.get(email="admin@example.com").pk, studio_id=house.studio.pk
    )
    assert house.post("games/new", new_game(house, once=others)).status_code == 422
    assert Game.objects.filter(studio=house.studio).count() == 1


def test_titles_are_shown_escaped(house: House) -> None:
    title = "<script>alert(1)</script> {{7*7}} \u202egnp"
    answer = house.client("owner").post(house.path("games/new"), new_game(house, title=title), follow=True)
    page = answer.content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}}" in page


@pytest.mark.slow
def test_who_may_open_and_send_which_page(house: House) -> None:
    assert house.statuses("get", "games/new") == MANAGES
    assert house.statuses("get", f"games/{house.game.uuid}/settings") == WRITES
    assert house.statuses("get", f"games/{house.game.uuid}/put-away") == MANAGES
    refused = {who: status for who, status in MANAGES.items() if status != 200}
    sent = {who: status if status != 200 else 422 for who, status in MANAGES.items()}
    assert house.statuses("post", "games/new", {"title": ""}) == sent
    assert house.statuses("post", f"games/{house.game.uuid}/put-away", {"title": "x"}) == sent
    posts = house.statuses("post", f"games/{house.game.uuid}/restore")
    assert {who: posts[who] for who in refused} == refused
    posts = house.statuses("post", f"games/{house.game.uuid}/testers/add", {"player": ""})
    assert posts == {who: status if status != 200 else 422 for who, status in WRITES.items()}
    assert audited(house.studio) == []


def test_settings_are_changed_and_audited_with_before_and_after(house: House) -> None:
    shown = house.get(f"games/{house.game.uuid}/settings")
    form = {
        "title": "Emberwake II",
        "regions": "asia",
        "initial-title": house.game.title,
        "initial-regions": "EU, NA",
    }
    assert 'name="initial-title"' in shown.content.decode()
    answer = house.post(f"games/{house.game.uuid}/settings", form)
    assert answer["Location"] == house.game_path("settings")
    house.game.refresh_from_db()
    assert (house.game.title, house.game.regions) == ("Emberwake II", ["ASIA"])
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("game.update", str(house.game.uuid))
    assert entry.details == {
        "title": {"before": "Emberwake", "after": "Emberwake II"},
        "regions": {"before": ["EU", "NA"], "after": ["ASIA"]},
    }
    house.post(f"games/{house.game.uuid}/settings", form)
    assert AuditEntry.objects.count() == 1


def test_what_somebody_did_not_touch_is_not_written_over(house: House) -> None:
    form = {"title": "Second", "regions": "EU, NA", "initial-title": "Emberwake", "initial-regions": "EU, NA"}
    Game.objects.filter(pk=house.game.pk).update(regions=["EU", "ASIA"])  # meanwhile
    house.post(f"games/{house.game.uuid}/settings", form)
    house.game.refresh_from_db()
    assert (house.game.title, house.game.regions) == ("Second", ["EU", "ASIA"])


def test_bad_settings_are_refused_and_change_nothing(house: House) -> None:
    for form in ({"title": ""}, {"title": "x" * 201, "regions": "EU"}, {"title": "Fine", "regions": "E U U"}):
        answer = house.post(f"games/{house.game.uuid}/settings", form)
        assert answer.status_code == 422
        assert "Nothing was saved." in answer.content.decode()
    house.game.refresh_from_db()
    assert (house.game.title, house.game.regions) == ("Emberwake", ["EU", "NA"])


def test_another_studio_s_game_is_not_there(house: House) -> None:
    theirs = factories.game(house.elsewhere, title="Tidewright")
    tester = factories.player(house.studio, "p-1")
    for uuid in (theirs.uuid, uuid4()):
        assert house.get(f"games/{uuid}/settings").status_code == 404
        assert house.get(f"games/{uuid}/put-away").status_code == 404
        assert house.get(f"games/{uuid}/").status_code == 404
        for page, form in {
            "settings": {"title": "Stolen"},
            "put-away": {"title": "Tidewright", "reason": "x"},
            "restore": {},
            "testers/add": {"player": "p-1"},
            "testers/remove": {"player": str(tester.uuid)},
        }.items():
            assert house.post(f"games/{uuid}/{page}", form).status_code == 404, page
    theirs.refresh_from_db()
    assert (theirs.title, theirs.archived_at) == ("Tidewright", None)
    assert not models.Tester.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_tester_unlocks_drafts_until_he_is_removed(house: House) -> None:
    factories.achievement(house.game, "draft", state="draft")
    factories.achievement(house.game, "draft-2", state="draft")
    player = factories.player(house.studio, "p-1", display_name="marenok")
    api = factories.api(factories.server_key(house.studio))

    def unlock(achievement: str) -> int:
        body = {"game_id": str(house.game.uuid), "player": "p-1", "achievement": achievement}
        status: int = api.post("/achievements/unlock", body).status_code
        return status

    assert unlock("draft") == 409
    added = house.post(f"games/{house.game.uuid}/testers/add", {"player": "p-1"}, by="developer")
    assert added["Location"] == house.game_path("settings")
    assert "marenok" in house.get(f"games/{house.game.uuid}/settings").content.decode()
    assert unlock("draft") == 202
    assert house.post(f"games/{house.game.uuid}/testers/add", {"player": "p-1"}).status_code == 302
    for _ in range(2):
        gone = house.post(f"games/{house.game.uuid}/testers/remove", {"player": str(player.uuid)})
        assert gone.status_code == 302
    assert unlock("draft-2") == 409
    assert audited(house.studio) == [
        ("tester.add", "user:developer@example.com"),
        ("tester.remove", "user:owner@example.com"),
    ]
    assert AuditEntry.objects.first().details == {"player": str(player.uuid), "external_id": "p-1"}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["", "p-9", "theirs", " p-1", "p\n1", "\x00", "x" * 200, "me"])
def test_whoever_the_studio_does_not_know_can_t_test(house: House, name: str) -> None:
    factories.player(house.studio, "p-1")
    factories.player(house.elsewhere, "theirs")
    answer = house.post(f"games/{house.game.uuid}/testers/add", {"player": name})
    assert answer.status_code == 422
    assert not models.Tester.objects.exists()
    assert audited(house.studio) == []


def test_the_settings_stay_as_they_are_where_no_tester_is_found(house: House) -> None:
    models.Game.objects.filter(pk=house.game.pk).update(signed_requests=True)
    answer = house.post(f"games/{house.game.uuid}/testers/add", {"player": "p-9"})
    assert answer.context["form"]["signed_requests"].value() is True


def test_another_studio_s_player_is_not_there_to_be_removed(house: House) -> None:
    theirs = factories.player(house.elsewhere, "theirs")
    their_game = factories.game(house.elsewhere)
    models.Tester.objects.create(game=their_game, player=theirs)
    for uuid in (theirs.uuid, uuid4(), "x", ""):
        answer = house.post(f"games/{house.game.uuid}/testers/remove", {"player": str(uuid)})
        assert answer.status_code == 404
    assert models.Tester.objects.count() == 1


def test_a_game_is_put_away_with_its_keys_and_brought_back_without(house: House) -> None:
    factories.achievement(house.game)
    own = factories.server_key(house.studio, game=house.game)
    whole = factories.api(factories.server_key(house.studio))
    unlock = {"game_id": str(house.game.uuid), "player": "p-1", "achievement": "first-blood"}
    assert whole.post("/achievements/unlock", unlock).status_code == 202
    assert factories.api(own).get("/games").status_code == 200
    asked = house.get(f"games/{house.game.uuid}/put-away").content.decode()
    assert "1 player holds unlocks in it" in asked
    assert "1 key that is for this game alone" in asked

    form = {"title": "Emberwake", "reason": "Servers were shut down."}
    assert house.post(f"games/{house.game.uuid}/put-away", form)["Location"] == house.game_path("settings")
    put_away_at = Game.objects.get(pk=house.game.pk).archived_at
    assert put_away_at is not None
    assert factories.api(own).get("/games").status_code == 401
    assert whole.get(f"/players/p-1/achievements?game_id={house.game.uuid}").status_code == 200
    entry = AuditEntry.objects.get()
    revoked = [str(ServerKey.objects.get(game=house.game).uuid)]
    assert (entry.action, entry.reason) == ("game.archive", "Servers were shut down.")
    assert entry.details == {"title": "Emberwake", "revoked_keys": revoked}
    assert house.post(f"games/{house.game.uuid}/put-away", form).status_code == 302
    assert Game.objects.get(pk=house.game.pk).archived_at == put_away_at

    page = house.get(f"games/{house.game.uuid}/settings").content.decode()
    assert "This game is put away." in page
    assert "Danger zone" not in page
    for _ in range(2):
        assert house.post(f"games/{house.game.uuid}/restore").status_code == 302
    assert Game.objects.get(pk=house.game.pk).archived_at is None
    assert factories.api(own).get("/games").status_code == 401
    assert [action for action, _ in audited(house.studio)] == ["game.archive", "game.restore"]


def test_everybody_who_holds_an_unlock_is_counted_as_far_as_it_is_quick(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (ranked, unlocked) in enumerate([(True, 2), (False, 1), (True, 0)]):
        player = factories.player(house.studio, f"p-{number}")
        PlayerGame.objects.create(
            player_id=player.pk,
            game_id=house.game.pk,
            studio_id=house.studio.pk,
            region="",
            points=10,
            unlocked=unlocked,
            points_reached_at=timezone.now(),
            first_unlock_at=timezone.now(),
            last_unlock_at=timezone.now(),
            ranked=ranked,
            version=1,
        )
    page = f"games/{house.game.uuid}/put-away"
    assert "2 players hold unlocks in it and keep them." in house.get(page).content.decode()
    monkeypatch.setattr(shelving, "_COUNTED", 1)
    assert "More than 1 players hold unlocks in it" in house.get(page).content.decode()


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"title": "Emberwake"},
        {"reason": "Over"},
        {"title": "emberwake", "reason": "Over"},
        {"title": "Emberwake", "reason": " "},
        {"title": "Emberwake", "reason": "x" * 501},
        {"title": "Emberwake", "reason": "a\x00b"},
    ],
)
def test_a_game_is_not_put_away_without_its_title_and_a_reason(house: House, form: dict[str, str]) -> None:
    assert house.post(f"games/{house.game.uuid}/put-away", form).status_code == 422
    house.game.refresh_from_db()
    assert house.game.archived_at is None


def test_the_switcher_keeps_games_apart_that_are_put_away(house: House) -> None:
    Game.objects.filter(pk=house.game.pk).update(archived_at=timezone.now())
    second = factories.game(house.studio, title="Copperline")
    for who, sees_it in {"owner": True, "analyst": False}.items():
        page = house.get("", by=who)
        assert page.context["visit"].game.uuid == second.uuid
        assert ("Emberwake" in page.content.decode()) is sees_it


def test_the_rail_shows_what_a_role_may_use(house: House) -> None:
    shown = {
        "owner": {"Game settings", "API keys", "New game"},
        "developer": {"Game settings", "API keys"},
        "support": set(),
        "analyst": set(),
    }
    for who, items in shown.items():
        page = house.get("", by=who).content.decode()
        assert {one for one in ("Game settings", "API keys", "New game") if one in page} == items, who


def test_a_game_that_is_chosen_stays_chosen(house: House) -> None:
    second = factories.game(house.studio, title="Copperline")
    for game in (second, house.game):
        there = house.path(f"games/{game.uuid}/achievements")
        assert house.get(f"games/{game.uuid}/", by="analyst")["Location"] == there
        assert house.get("", by="analyst").context["visit"].game.uuid == game.uuid


def test_changes_by_a_key_are_audited_too(house: House) -> None:
    api = factories.api(factories.server_key(house.studio))
    game = api.post("/games", {"title": "By a key"}).json()["id"]
    assert api.patch(f"/games/{game}", {"title": "By a key II"}).status_code == 200
    assert api.patch(f"/games/{game}", {"title": "By a key II"}).status_code == 200
    key = f"key:{ServerKey.objects.get().uuid}"
    assert audited(house.studio) == [("game.create", key), ("game.update", key)]


def test_a_game_without_a_reader_shows_the_way_to_the_first_one(house: House) -> None:
    Game.objects.all().delete()
    page = house.get("").content.decode()
    assert house.path("games/new") in page
    assert "Game settings" not in page


def test_a_game_may_want_its_devices_to_sign(house: House) -> None:
    form = {
        "title": "Emberwake",
        "initial-title": "Emberwake",
        "regions": "EU, NA",
        "initial-regions": "EU, NA",
    }
    for sent, wanted in (({"signed_requests": "on"}, True), ({"initial-signed_requests": "on"}, False)):
        assert house.post(f"games/{house.game.uuid}/settings", form | sent).status_code == 302
        house.game.refresh_from_db()
        assert house.game.signed_requests is wanted
    assert [action for action, _ in audited(house.studio)] == ["game.update"] * 2
