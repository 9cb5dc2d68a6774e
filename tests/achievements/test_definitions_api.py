"""/games/{game_id}/achievements, its import and its export, at the HTTP border."""

import io
import json
import zipfile
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.models import Game, Studio
from achievements.models import (
    Achievement,
    AchievementCount,
    AchievementTranslation,
    Catalogue,
    GamePlayers,
)
from tests import factories
from tests.achievements import samples
from tests.factories import Api

pytestmark = pytest.mark.django_db

SENT = {"key": "first-blood", "name": "First blood"}


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> Game:
    return factories.game(studio)


@pytest.fixture
def path(game: Game) -> str:
    return f"/games/{game.uuid}/achievements"


@pytest.fixture
def server(studio: Studio) -> Api:
    return factories.api(factories.server_key(studio))


def send(server: Api, path: str, file: str | bytes, *, format: str = "laurel", more: str = "") -> Any:
    body = file.encode() if isinstance(file, str) else file
    return server.post(f"{path}/import?format={format}{more}", body, content_type="application/octet-stream")


def test_a_definition_has_defaults_and_comes_back_whole(server: Api, path: str) -> None:
    made = server.post(path, SENT)
    assert made.status_code == 201
    assert made.json() == {
        **SENT,
        "description": "",
        "points": 0,
        "type": "standard",
        "target": None,
        "stat": None,
        "goal": None,
        "requires_count": None,
        "requires": [],
        "hidden": False,
        "authority": "server",
        "state": "published",
        "group": "base",
        "sort_order": 0,
        "icon_url": "",
        "icon_locked_url": "",
        "available_from": None,
        "available_until": None,
        "translations": {},
        "rarity": {"unlocked_percent": None, "unlocked": 0, "players": 0, "tier": None},
    }
    assert server.get(f"{path}/first-blood").json() == made.json()
    assert server.get(path).json()["results"] == [made.json()]


def test_every_field_is_kept_as_it_was_given(server: Api, path: str) -> None:
    server.post(path, SENT)
    whole = {
        "key": "the-end",
        "name": "The end",
        "description": "See <b>all</b> of it. {{ 7*7 }}",
        "points": 100_000,
        "type": "meta",
        "target": None,
        "stat": None,
        "goal": None,
        "requires_count": None,
        "requires": ["first-blood"],
        "hidden": True,
        "authority": "client",
        "state": "draft",
        "group": "The Long Night",
        "sort_order": -3,
        "icon_url": "https://cdn.example.com/a.png",
        "icon_locked_url": "https://cdn.example.com/b.png",
        "available_from": "2026-12-01T00:00:00.000Z",
        "available_until": "2026-12-31T00:00:00.000Z",
        "translations": {"fr": {"name": "La fin", "description": "Tout voir."}},
    }
    made = server.post(path, whole)
    assert made.status_code == 201, made.json()
    kept = made.json()
    del kept["rarity"]
    assert kept == whole


@pytest.mark.parametrize("key", ["a/b", "träumer", "成就", "100%", "a b", "..", "<x>", "A", "a"])
def test_a_key_is_any_printable_text_and_lives_percent_encoded_in_paths(
    server: Api, path: str, key: str
) -> None:
    assert server.post(path, {"key": key, "name": "x"}).json()["key"] == key
    at = f"{path}/{quote(key, safe='')}"
    assert server.get(at).json()["key"] == key
    assert server.patch(at, {"points": 7}).json()["points"] == 7


def test_keys_are_compared_in_nfc_and_case_counts(server: Api, path: str) -> None:
    assert server.post(path, {"key": "cafe\u0301", "name": "x"}).json()["key"] == "caf\u00e9"
    assert server.post(path, {"key": "caf\u00e9", "name": "x"}).status_code == 409
    assert server.get(f"{path}/{quote('cafe' + chr(0x301))}").status_code == 200
    assert server.post(path, {"key": "Caf\u00e9", "name": "x"}).status_code == 201


@pytest.mark.parametrize(
    ("more", "status", "pointer"),
    [
        ({"key": ""}, 422, "/key"),
        ({"key": " a"}, 422, "/key"),
        ({"key": "x" * 129}, 422, "/key"),
        ({"key": "a\tb"}, 422, "/key"),
        ({"key": 7}, 422, "/key"),
        ({"name": ""}, 422, "/name"),
        ({"name": "x" * 201}, 422, "/name"),
        ({"description": "x" * 2001}, 422, "/description"),
        ({"points": -1}, 422, "/points"),
        ({"points": 100_001}, 422, "/points"),
        ({"points": 1.0}, 422, "/points"),
        ({"points": "10"}, 422, "/points"),
        ({"points": True}, 422, "/points"),
        ({"points": 2**63}, 422, "/points"),
        ({"hidden": "yes"}, 422, "/hidden"),
        ({"type": "rare"}, 422, "/type"),
        ({"state": "gone"}, 422, "/state"),
        ({"authority": "me"}, 422, "/authority"),
        ({"icon_url": "javascript:alert(1)"}, 422, "/icon_url"),
        ({"available_from": "tomorrow"}, 422, "/available_from"),
        ({"available_from": "2026-12-01T00:00:00"}, 422, "/available_from"),
        ({"translations": {"fr": "x"}}, 422, "/translations"),
        ({"translations": {"fr": {"name": "x", "nom": "x"}}}, 400, "/translations/fr/nom"),
        ({"translations": {"nonsense": {"name": "x"}}}, 422, "/translations"),
        ({"target": 5}, 422, None),
        ({"type": "incremental"}, 422, None),
        ({"type": "meta"}, 422, None),
        ({"type": "meta", "requires": ["nothing"]}, 422, None),
        ({"available_from": "2026-12-02T00:00:00Z", "available_until": "2026-12-01T00:00:00Z"}, 422, None),
        ({"rarity": None}, 400, "/rarity"),
        ({"Name": "x"}, 400, "/Name"),
        ({"id": 1}, 400, "/id"),
    ],
)
def test_a_definition_that_cannot_be_is_refused_at_its_place(
    server: Api, path: str, more: dict[str, Any], status: int, pointer: str | None
) -> None:
    answer = server.post(path, {**SENT, **more})
    assert answer.status_code == status, answer.json()
    pointers = [each["pointer"] for each in answer.json()["errors"]]
    assert len(pointers) == 1
    assert pointer is None or pointers == [pointer]
    assert not Achievement.objects.exists()


def test_a_taken_key_is_a_conflict_and_changes_nothing(server: Api, path: str) -> None:
    server.post(path, SENT)
    assert server.post(path, {**SENT, "name": "Other"}).status_code == 409
    assert Achievement.objects.get().name == "First blood"


def test_a_change_keeps_the_rest_and_raises_the_catalogue_s_version(server: Api, path: str) -> None:
    server.post(path, {**SENT, "points": 5, "translations": {"fr": {"name": "Premier sang"}}})
    before = Catalogue.objects.get().version
    changed = server.patch(f"{path}/first-blood", {"points": 10}).json()
    assert (changed["points"], changed["name"]) == (10, "First blood")
    assert changed["translations"] == {"fr": {"name": "Premier sang", "description": ""}}
    assert Catalogue.objects.get().version > before
    replaced = server.patch(f"{path}/first-blood", {"translations": {"de": {"name": "Erstes Blut"}}}).json()
    assert list(replaced["translations"]) == ["de"]
    assert AchievementTranslation.objects.count() == 1


@pytest.mark.parametrize(
    "change", [{"points": -1}, {"name": "x", "type": "meta"}, {"name": "x", "requires": ["first-blood"]}]
)
def test_a_change_that_cannot_be_changes_nothing(server: Api, path: str, change: dict[str, Any]) -> None:
    before = server.post(path, SENT).json()
    assert server.patch(f"{path}/first-blood", change).status_code == 422
    assert server.get(f"{path}/first-blood").json() == before


def test_a_key_never_changes(server: Api, path: str) -> None:
    server.post(path, SENT)
    assert server.patch(f"{path}/first-blood", {"key": "other"}).status_code == 400


def test_drafts_are_deleted_and_published_ones_archived(server: Api, path: str, game: Game) -> None:
    server.post(path, {**SENT, "state": "draft", "translations": {"fr": {"name": "Premier sang"}}})
    assert server.delete(f"{path}/first-blood").status_code == 204
    assert server.get(f"{path}/first-blood").status_code == 404
    assert server.delete(f"{path}/first-blood").status_code == 404
    server.post(path, SENT)
    answer = server.delete(f"{path}/first-blood")
    assert answer.status_code == 409
    assert "archived" in answer.json()["detail"]
    assert server.patch(f"{path}/first-blood", {"state": "archived"}).json()["state"] == "archived"


def test_a_draft_that_a_tester_holds_stays(server: Api, path: str, studio: Studio, game: Game) -> None:
    server.post(path, {**SENT, "state": "draft"})
    game.testers.create(player=factories.player(studio, "p-1"))
    unlock = {"game_id": str(game.uuid), "player": "p-1", "achievement": "first-blood"}
    assert server.post("/achievements/unlock", unlock).status_code == 202
    assert server.delete(f"{path}/first-blood").status_code == 409
    assert Achievement.objects.count() == 1


def test_pages_follow_the_sort_order(server: Api, path: str, game: Game) -> None:
    for number in range(5):
        factories.achievement(game, f"a{number}", sort_order=5 - number)
    first = server.get(f"{path}?limit=2").json()
    second = server.get(f"{path}?limit=3&cursor={quote(first['next_cursor'])}").json()
    assert [one["key"] for one in first["results"] + second["results"]] == ["a4", "a3", "a2", "a1", "a0"]
    assert (first["total_count"], second["has_next_page"]) == (5, False)


def test_a_cursor_is_for_its_own_list_only(server: Api, path: str, studio: Studio, game: Game) -> None:
    other = factories.game(studio)
    for number in range(3):
        factories.achievement(game, f"a{number}")
        factories.achievement(other, f"a{number}")
    cursor = server.get(f"{path}?limit=1").json()["next_cursor"]
    for at in (f"/games/{other.uuid}/achievements?cursor={cursor}", f"/games?cursor={cursor}"):
        assert server.get(at).status_code == 400
    forged = cursor[:-1] + ("a" if cursor[-1] != "a" else "b")
    assert server.get(f"{path}?cursor={forged}").status_code == 400


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=ten", "limit=1&limit=2", "page=2"])
def test_unknown_and_wrong_parameters_are_refused(server: Api, path: str, query: str) -> None:
    assert server.get(f"{path}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("format", "file", "keys"),
    [
        ("laurel", samples.LAUREL, ["first-light", "hundred-doors", "keeper"]),
        ("steam", samples.STEAM_SCHEMA, ["LIT_ONE", "LIT_ALL"]),
        ("steam-vdf", samples.STEAM_VDF, ["BRIDGE", "TOWER"]),
    ],
)
def test_a_file_is_imported_and_a_second_time_changes_nothing(
    server: Api, path: str, format: str, file: str, keys: list[str]
) -> None:
    preview = send(server, path, file, format=format, more="&dry_run=true").json()
    assert [one["key"] for one in preview["changes"]] == keys
    assert {one["change"] for one in preview["changes"]} == {"created"}
    assert not Achievement.objects.exists()
    done = send(server, path, file, format=format)
    assert done.status_code == 200
    assert done.json() == {"created": len(keys), "updated": 0, "unchanged": 0, "errors": []}
    assert [one["key"] for one in server.get(path).json()["results"]] == keys
    version = Catalogue.objects.get().version
    again = send(server, path, file, format=format).json()
    assert again == {"created": 0, "updated": 0, "unchanged": len(keys), "errors": []}
    assert Catalogue.objects.get().version == version


def test_a_dry_run_shows_what_would_change(server: Api, path: str) -> None:
    server.post(path, {"key": "first-light", "name": "First light", "points": 5})
    said = send(server, path, samples.LAUREL, more="&dry_run=true").json()
    assert (said["created"], said["updated"], said["unchanged"]) == (2, 1, 0)
    (changed,) = [one for one in said["changes"] if one["change"] == "updated"]
    assert changed["fields"]["points"] == {"old": 5, "new": 10}
    assert server.get(f"{path}/first-light").json()["points"] == 5


def test_one_bad_row_refuses_the_whole_file(server: Api, path: str) -> None:
    rows = [{"key": f"a{n}", "name": "x", "points": 10} for n in range(20)]
    rows[7]["points"] = -1
    rows[9]["key"] = "a8"
    file = json.dumps({"achievements": rows})
    preview = send(server, path, file, more="&dry_run=true")
    assert preview.status_code == 200
    assert [error["row"] for error in preview.json()["errors"]] == [8, 10]
    answer = send(server, path, file)
    assert answer.status_code == 422
    named = [(error["row"], error["pointer"]) for error in answer.json()["errors"]]
    assert named == [(8, "/8"), (10, "/10")]
    assert not Achievement.objects.exists()


def test_one_wrong_value_in_a_file_is_one_error(server: Api, path: str) -> None:
    rows = [{"key": "a", "name": "", "points": 5}, {"key": "b", "name": "B", "points": 5}]
    answer = send(server, path, json.dumps({"achievements": rows}))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/1"]
    assert server.get(path).json()["results"] == []


@pytest.mark.parametrize("file", ["", "{", "[]", '{"achievements": {}}', "\x00\x01", "PK\x03\x04"])
@pytest.mark.parametrize("format", ["laurel", "steam", "steam-vdf", "eos", "google-play", "xbox"])
def test_a_file_that_cannot_be_read_is_refused(server: Api, path: str, format: str, file: str) -> None:
    answer = send(server, path, file, format=format)
    assert answer.status_code in (200, 422), answer.json()
    assert not Achievement.objects.exists()
    if answer.status_code == 200:
        assert answer.json()["created"] == 0


@pytest.mark.parametrize("query", ["", "format=xml", "format=laurel&dry_run=1", "format=laurel&dryrun=true"])
def test_unknown_formats_and_flags_are_refused(server: Api, path: str, query: str) -> None:
    answer = server.post(
        f"{path}/import?{query}", samples.LAUREL.encode(), content_type="application/octet-stream"
    )
    assert answer.status_code == 400
    assert not Achievement.objects.exists()


@pytest.mark.parametrize(("format", "status"), [("eos", 400), ("laurel", 200)])
def test_lines_in_chunks_are_refused_since_half_of_them_would_pass_for_all(
    studio: Studio, path: str, format: str, status: int
) -> None:
    files = {"laurel": samples.LAUREL.encode(), "eos": b"name,hidden\r\nA,false\r\nB,fal"}
    chunked: dict[str, Any] = {"CONTENT_LENGTH": "", "wsgi.input": io.BytesIO(files[format])}
    answer = Client().generic(
        "POST",
        f"/api/v1{path}/import?format={format}&dry_run=true",
        headers={"Authorization": f"Bearer {factories.server_key(studio)}", "Transfer-Encoding": "chunked"},
        **chunked,
    )
    assert answer.status_code == status, answer.content


def test_a_file_over_ten_mebibytes_is_refused(server: Api, path: str) -> None:
    file = samples.LAUREL + " " * (10 * 1024 * 1024)
    assert send(server, path, file).status_code == 413
    assert not Achievement.objects.exists()


@pytest.mark.slow
def test_a_zip_bomb_is_refused(server: Api, path: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("achievements.json", b" " * (200 * 1024 * 1024))
    answer = send(server, path, archive.getvalue())
    assert answer.status_code == 422
    assert not Achievement.objects.exists()


def test_an_export_imports_again_unchanged_elsewhere(server: Api, path: str, studio: Studio) -> None:
    send(server, path, samples.LAUREL)
    exported = server.get(f"{path}/export")
    assert exported.status_code == 200
    assert exported["Content-Disposition"].startswith("attachment; ")
    other = f"/games/{factories.game(studio).uuid}/achievements"
    assert send(server, other, exported.content).json()["created"] == 3
    assert send(server, path, exported.content).json()["unchanged"] == 3

    def listed(at: str) -> list[Any]:
        return [{**one, "rarity": None} for one in server.get(at).json()["results"]]

    assert listed(path) == listed(other)


def test_a_csv_export_disarms_formulas(server: Api, path: str) -> None:
    server.post(path, {"key": "=1+1", "name": "@cmd|' /C calc'!A0", "description": "-2+3"})
    exported = server.get(f"{path}/export?format=csv")
    assert exported["Content-Type"].startswith("text/csv")
    cells = exported.content.decode("utf-8-sig").splitlines()[1].split(",")
    assert not any(cell.strip('"').startswith(("=", "@", "+", "-")) for cell in cells)
    assert server.get(f"{path}/export?format=xml").status_code == 400


def test_rarity_is_told_from_twenty_players_on(server: Api, path: str, game: Game, studio: Studio) -> None:
    made = factories.achievement(game, "first-blood")
    AchievementCount.objects.update_or_create(achievement_id=made.pk, defaults={"unlocked": 3})
    GamePlayers.objects.update_or_create(game_id=game.pk, defaults={"players": 19})
    assert server.get(f"{path}/first-blood").json()["rarity"]["unlocked_percent"] is None
    GamePlayers.objects.update(players=24)
    assert server.get(f"{path}/first-blood").json()["rarity"] == {
        "unlocked_percent": 12.5,
        "unlocked": 3,
        "players": 24,
        "tier": "rare",
    }
