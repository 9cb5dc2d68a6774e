"""Erasing by the API and in the portal: who may, what is answered, and what is told afterwards."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from accounts import selectors
from accounts.erasure.models import ErasedName, Erasure
from accounts.models import Player, PlayerIdentity, Studio
from achievements.models import Unlock
from core.models import AuditEntry
from tests import factories
from tests.accounts import calls, erasures, joins
from tests.accounts.erasures import erase, settle
from tests.accounts.joins import unlock
from tests.accounts.visitors import member

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Asked for by letter."


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


def id_of(owner: Studio, external_id: str) -> str:
    info = selectors.player_of_studio(owner.pk, external_id)
    assert info is not None
    return str(info.uuid)


@pytest.mark.slow
def test_erasing_is_answered_202_as_often_as_it_is_asked_for(studio: Studio) -> None:
    joins.begin()
    game = joins.declare(studio)
    unlock(game, "gone", "a1")
    api = factories.api(
        factories.server_key(studio, scopes=["players:write", "players:read", "unlocks:write"])
    )
    uuid = id_of(studio, "gone")
    wanted = {"game_id": str(game.uuid)}
    assert api.post("/players/gone/token", wanted, Idempotency_Key="k").status_code == 201
    first = api.delete("/players/gone")
    assert (first.status_code, first.json()["status"], first.json()["done_at"]) == (202, "erasing", None)
    for name in ("gone", f"id:{uuid}"):
        again = api.delete(f"/players/{name}")
        assert (again.status_code, again.json()) == (202, first.json())
        assert api.get(f"/players/{name}").json()["type"].endswith("/problems/gone")
    assert api.get(f"/players/id:{uuid.upper()}").status_code == 410
    body = {"game_id": str(game.uuid), "player": "gone", "achievement": "a2"}
    assert api.post("/achievements/unlock", body).status_code == 410
    assert api.put("/players/gone", {"region": "EU"}).status_code == 410
    assert api.post("/players/gone/token", wanted).status_code == 410
    assert api.post("/players/gone/token", wanted, Idempotency_Key="k").status_code == 410
    batch = {
        "game_id": str(game.uuid),
        "unlocks": [{"player": one, "achievement": "a2"} for one in ("gone", "p")],
    }
    told = api.post("/achievements/unlock/batch", batch).json()["results"]
    assert [row["status"] for row in told] == ["rejected", "unlocked"]
    assert told[0]["problem"]["status"] == 410
    assert api.post("/players/gone/link", {"code": "7k3m-q9tx"}).status_code == 410
    calls.write()
    settle()
    assert api.delete("/players/gone").json()["status"] == "erased"
    assert erasures.left_of(['"gone"', "/gone", uuid]) == []
    assert (Erasure.objects.count(), ErasedName.objects.count()) == (1, 2)
    assert set(Unlock.objects.values_list("player_id", flat=True)) == {
        PlayerIdentity.objects.get(external_id="p").player_id
    }


def test_who_may_not_erase_changes_nothing(studio: Studio) -> None:
    game = factories.game(studio)
    player = factories.player(studio, "p-1")
    other = factories.studio()
    assert factories.api(factories.server_key(other)).delete("/players/p-1").status_code == 404
    assert factories.api(factories.server_key(other)).delete(f"/players/id:{player.uuid}").status_code == 404
    assert (
        factories.api(factories.server_key(studio, scopes=["players:read"]))
        .delete("/players/p-1")
        .status_code
        == 403
    )
    assert factories.api(factories.player_token(game, player)).delete("/players/me").status_code == 403
    assert factories.api().delete("/players/p-1").status_code == 401
    assert factories.api(factories.server_key(studio)).delete("/players/nobody").status_code == 404
    assert not Erasure.objects.exists()
    assert PlayerIdentity.objects.count() == 1


def test_another_studio_that_names_the_same_id_means_somebody_else(studio: Studio) -> None:
    other = factories.studio()
    factories.player(studio, "p-1")
    theirs = factories.player(other, "p-1")
    erase(studio, "p-1")
    settle()
    api = factories.api(factories.server_key(other))
    assert api.get("/players/p-1").json()["id"] == str(theirs.uuid)
    assert api.put("/players/p-1", {"region": "EU"}).status_code == 200


def test_a_token_of_who_was_erased_is_refused(studio: Studio) -> None:
    game = factories.game(studio)
    player = factories.player(studio, "p-1")
    api = factories.api(factories.player_token(game, player))
    assert api.get("/players/me").status_code == 200
    erase(studio, "p-1")
    assert api.get("/players/me").status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize("role", ["owner", "admin"])
def test_a_page_says_what_goes_and_erases_once_the_id_is_typed(studio: Studio, role: str) -> None:
    joins.begin()
    game = joins.declare(studio)
    factories.player(studio, "p-1", display_name="Gonny McGone")
    unlock(game, "p-1", "a1")
    uuid = id_of(studio, "p-1")
    staff = member(studio, role)
    place = (studio.uuid, uuid)
    assert reverse("erase-player", args=place) in staff.get("portal-player", *place).content.decode()
    page = staff.get("erase-player", *place).content.decode()
    assert "1 unlock in 1 game" in page
    for typed, reason, wrong in (
        ("p-2", WHY, "Type the id"),
        ("p-1", "", "required"),
        ("p-1", "For Gonny McGone, who asked.", "names the person"),
    ):
        answer = staff.post("erase-player", *place, typed=typed, reason=reason)
        assert (answer.status_code, wrong in answer.content.decode()) == (422, True)
    assert not Erasure.objects.exists()
    answer = staff.post("erase-player", *place, typed="p-1", reason=WHY)
    assert answer.status_code == 302
    waiting = staff.get("erase-player", *place)
    assert (waiting.status_code, "is being erased" in waiting.content.decode()) == (404, True)
    polled = staff.client.get(answer["Location"])
    assert (polled.status_code, "data-poll" in polled.content.decode()) == (200, True)
    settle()
    assert "was erased" in staff.get("erase-player", *place).content.decode()
    assert staff.get("portal-player", *place).status_code == 404
    entry = AuditEntry.objects.get(action="player.erase")
    assert (entry.actor, entry.reason, entry.object_kind) == (staff.user.actor, WHY, "erasure")
    assert entry.object_id == str(Erasure.objects.get().uuid)
    log = staff.get("portal-audit", studio.uuid).content.decode()
    assert "Erased a player" in log
    assert uuid not in log


def test_roles_that_may_not_erase_see_no_way_to(studio: Studio) -> None:
    factories.player(studio, "p-1")
    place = (studio.uuid, id_of(studio, "p-1"))
    for role in ("developer", "support"):
        staff = member(studio, role)
        assert reverse("erase-player", args=place) not in staff.get("portal-player", *place).content.decode()
        assert staff.post("erase-player", *place, typed="p-1", reason=WHY).status_code == 403
    outsider = member(factories.studio(), "owner", "outsider@example.com")
    assert outsider.get("erase-player", *place).status_code == 404
    assert Player.objects.get().erased_at is None


@pytest.mark.slow
def test_a_restored_backup_brings_nobody_back(studio: Studio, tmp_path: Path) -> None:
    joins.begin()
    game = joins.declare(studio)
    unlock(game, "p-1", "a1")
    unlock(game, "never-backed-up", "a1")
    for name in ("p-1", "never-backed-up"):
        erase(studio, name)
    settle()
    file = tmp_path / "ledger.json"
    call_command("erasures", save=file, stdout=io.StringIO())
    assert "p-1" not in file.read_text()
    # A backup of before: it knows of no erasure, and one of both had not come yet.
    Erasure.objects.all().delete()
    unlock(game, "p-1", "a1")
    unlock(game, "stays", "a1")
    out = io.StringIO()
    call_command("erasures", apply=file, stdout=out)
    assert out.getvalue() == "1 players are being erased again.\n"
    settle()
    api = factories.api(factories.server_key(studio))
    assert [api.get(f"/players/{name}").status_code for name in ("p-1", "never-backed-up", "stays")] == [
        410,
        410,
        200,
    ]
    call_command("erasures", apply=file, stdout=out)
    assert out.getvalue().endswith("0 players are being erased again.\n")


def test_the_command_says_what_waits_and_finds_what_is_left(studio: Studio) -> None:
    joins.begin()
    game = joins.declare(studio)
    unlock(game, "p-1", "a1")
    info = selectors.player_of_studio(studio.pk, "p-1")
    assert info is not None
    made = erase(studio, "p-1")
    out = io.StringIO()
    call_command("erasures", stdout=out)
    assert str(made.uuid) in out.getvalue()
    settle()
    out = io.StringIO()
    call_command("erasures", check=True, stdout=out)
    assert out.getvalue() == "Nothing is left of anybody.\n"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO social_presence (player_id, seen_at, places) VALUES (%s, now(), '{}')", [info.id]
        )
    with pytest.raises(CommandError, match="Of 1 people"):
        call_command("erasures", check=True, stdout=io.StringIO())
