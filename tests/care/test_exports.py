"""A person's data as a file: whole, of one studio and one person, by the portal and by the API."""

import csv
import io
import json
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from achievements.services import revokes
from care import exporting
from tests import factories
from tests.accounts import joins
from tests.care.world import Desk
from tests.factories import Api

pytestmark = pytest.mark.django_db
WHY = "The player asked for it."


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def full(desk: Desk) -> Desk:
    """Let the player have something in every list."""
    desk.unlock("a0", "a1", "a2")
    joins.advance(desk.game, "p-1", 3)
    joins.report(desk.game, "p-1", total=100, max=60)
    joins.submit(desk.game, "p-1", best=500)
    joins.play(desk.game, "p-1")
    revokes.revoke(
        game=desk.game,
        player_id=desk.player.pk,
        key="a2",
        reason="=1+1",
        actor="user:ada@example.com",
        at=timezone.now(),
    )
    return desk


def api(desk: Desk, **about: Any) -> Api:
    return factories.api(factories.server_key(desk.house.studio, **about))


def by_portal(desk: Desk, *, by: str = "support") -> Any:
    return desk.house.post(desk.path("/export"), {"reason": WHY}, by=by)


def opened(answer: Any) -> zipfile.ZipFile:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    body = answer.getvalue()
    assert int(answer["Content-Length"]) == len(body)
    return zipfile.ZipFile(io.BytesIO(body))


def listed(file: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    """Return a list of the file, which must be the same in both forms."""
    rows: list[dict[str, Any]] = json.loads(file.read(f"{name}.json"))
    lines = list(csv.DictReader(io.StringIO(file.read(f"{name}.csv").decode())))
    assert len(lines) == len(rows)
    if rows:
        assert list(lines[0]) == list(rows[0])
    return rows


def test_the_file_holds_everything_in_both_forms(full: Desk) -> None:
    file = opened(by_portal(full))
    names = {section.name for section in exporting.SECTIONS}
    assert set(file.namelist()) == {"player.json"} | {
        f"{one}.{kind}" for one in names for kind in ("csv", "json")
    }
    about = json.loads(file.read("player.json"))
    assert about["schema"] == "laurel.player-export/1"
    assert about["player"]["display_name"] == "marenok"
    assert about["studio"]["id"] == str(full.house.studio.uuid)
    assert [row["external_id"] for row in listed(file, "ids")] == ["p-1"]
    assert {row["achievement"] for row in listed(file, "unlocks")} == {"a0", "a1", "both", "hundred"}
    assert [(row["achievement"], row["reason"]) for row in listed(file, "revoked")] == [("a2", "=1+1")]
    assert [(row["achievement"], row["steps"]) for row in listed(file, "progress")] == [("steps", 3)]
    assert {row["achievement"] for row in listed(file, "conditions")} == {"hundred", "goal"}
    assert {row["stat"]: row["value"] for row in listed(file, "stats")} == {"total": 100, "max": 60}
    assert {row["leaderboard"] for row in listed(file, "scores")} == {"best"}
    assert [row["sessions"] for row in listed(file, "games")] == [1]
    assert [row["action"] for row in listed(file, "acts")] == ["achievements.revoke"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)  # days are added up by a listener, which hears what is committed
def test_days_and_months_are_in_it(full: Desk) -> None:
    joins.drain()
    file = opened(by_portal(full))
    for name in ("days", "months"):
        assert sum(row["unlocks"] for row in listed(file, name)) == 4


def test_no_cell_is_a_formula(full: Desk) -> None:
    file = opened(by_portal(full))
    assert "'=1+1" in file.read("revoked.csv").decode()


def test_nothing_of_another_studio_or_person_is_in_it(full: Desk) -> None:
    elsewhere = joins.declare(full.house.elsewhere)
    joins.join(full.house.studio, "p-1", full.house.elsewhere, "their-secret-id")
    joins.unlock(elsewhere, "their-secret-id", "a5")
    joins.report(elsewhere, "their-secret-id", total=77)
    joins.submit(elsewhere, "their-secret-id", best=770_077_700_777)
    full.unlock("a1", player="somebody-else")
    file = opened(by_portal(full))
    everything = b"".join(file.read(name) for name in file.namelist()).decode()
    for secret in (
        "their-secret-id",
        str(elsewhere.uuid),
        "770077700777",
        "somebody-else",
        "ada@example.com",
    ):
        assert secret not in everything, secret


def test_long_lists_are_whole(full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "READ_AT_ONCE", 1)
    file = opened(by_portal(full))
    keys = [row["achievement"] for row in listed(file, "unlocks")]
    assert sorted(keys) == ["a0", "a1", "both", "hundred"]
    assert len(listed(file, "stats")) == 2
    assert len(listed(file, "scores")) == 2


def test_each_export_is_noted(full: Desk) -> None:
    opened(by_portal(full))
    key = factories.server_key(full.house.studio)
    opened(factories.api(key).get("/players/p-1/export"))
    noted = [one for one in full.audited() if one[0] == "player.export"]
    assert noted[0] == ("player.export", "user:support@example.com", WHY)
    assert noted[1][1].startswith("key:")
    assert len(noted) == 2


def test_it_is_for_who_looks_after_players_and_takes_a_reason(desk: Desk) -> None:
    cares = {"owner": 200, "admin": 200, "developer": 200, "support": 200, "analyst": 403}
    expected = {**cares, "outsider": 404, "signed out": 302}
    assert desk.house.statuses("get", desk.path("/export")) == expected
    for who, status in expected.items():
        answer = by_portal(desk, by=who)
        assert answer.status_code == status, who
        answer.getvalue()  # which closes it
    assert desk.house.post(desk.path("/export"), {"reason": " "}).status_code == 422
    theirs = factories.player(desk.house.elsewhere, "theirs")
    for player in (theirs.uuid, uuid4()):
        assert desk.house.post(f"players/{player}/export", {"reason": WHY}).status_code == 404


def test_the_api_answers_the_same_file_by_any_name(full: Desk) -> None:
    for name in ("p-1", f"id:{full.player.uuid}"):
        file = opened(api(full).get(f"/players/{name}/export"))
        assert len(listed(file, "unlocks")) == 4


def test_the_api_refuses_who_may_not_and_what_is_not_there(desk: Desk) -> None:
    theirs = factories.player(desk.house.elsewhere, "theirs")
    for name in ("nobody", "theirs", f"id:{theirs.uuid}", f"id:{uuid4()}", "me", "a%00b"):
        assert api(desk).get(f"/players/{name}/export").status_code == 404, name
    assert api(desk, scopes=["unlocks:write"]).get("/players/p-1/export").status_code == 403
    assert api(desk, game=desk.house.game).get("/players/p-1/export").status_code == 403
    token = factories.player_token(desk.house.game, desk.player)
    assert factories.api(token).get("/players/me/export").status_code == 403
    assert factories.api(None).get("/players/p-1/export").status_code == 401
    assert api(desk).get("/players/p-1/export?format=csv").status_code == 400
    assert not desk.audited()


def test_who_was_erased_has_no_file(desk: Desk) -> None:
    type(desk.player).objects.update(erased_at=timezone.now())
    assert api(desk).get("/players/p-1/export").status_code == 410
    assert by_portal(desk).status_code == 404


def test_a_player_who_did_nothing_has_a_file(desk: Desk) -> None:
    file = opened(by_portal(desk))
    assert listed(file, "unlocks") == []
    assert [row["external_id"] for row in listed(file, "ids")] == ["p-1"]


def test_no_game_is_left_out_of_it_however_many_there_are(
    full: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = joins.declare(full.house.studio)
    joins.unlock(second, "p-1", "a5")
    monkeypatch.setattr("accounts.selectors.games.MOST_GAMES", 1)
    for answer in (by_portal(full), api(full).get("/players/p-1/export")):
        games = {row["game_id"] for row in listed(opened(answer), "unlocks")}
        assert games == {str(full.game.uuid), str(second.uuid)}
