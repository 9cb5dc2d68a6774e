"""The `leaderboards` of a game's file: imported with its achievements, all or nothing, and exported again."""

import json
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Game
from achievements.models import Achievement
from leaderboards.models import Leaderboard, Period
from tests import factories
from tests.leaderboards.test_definitions_api import FULL, boards
from tests.leaderboards.world import World

KILLS = {"key": "kills", "name": "Kills"}


@pytest.fixture
def game(world: World) -> Game:
    return Game.objects.create(studio_id=world.game.studio_id, title="Hollow Orchard")


def path(game: Game) -> str:
    return f"/games/{game.uuid}/achievements"


def send(world: World, game: Game, file: object, *, dry_run: bool = False, **headers: str) -> Any:
    body = file if isinstance(file, bytes) else json.dumps(file).encode()
    query = "&dry_run=true" if dry_run else ""
    return world.api().post(
        f"{path(game)}/import?format=laurel{query}",
        body,
        content_type="application/octet-stream",
        **headers,
    )


def export(world: World, game: Game) -> bytes:
    answer = world.api().get(f"{path(game)}/export?format=laurel")
    assert answer.status_code == 200
    whole: bytes = answer.content
    return whole


def listed(world: World, game: Game) -> list[dict[str, Any]]:
    """Return a game's own boards without what differs from game to game."""
    rows = world.api().get(boards(game)).json()["results"][1:]
    return [{name: row[name] for name in row if name not in ("created_at", "updated_at")} for row in rows]


def score(world: World, game: Game, key: str, number: float) -> None:
    answer = world.api().post(f"/leaderboards/{game.uuid}/{key}/scores", {"player": "p", "score": number})
    assert answer.status_code == 202, answer.content


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


def test_boards_and_achievements_come_in_one_file(world: World, game: Game) -> None:
    file = {"achievements": [{"key": "a", "name": "A"}], "stats": [], "leaderboards": [FULL, KILLS]}
    preview = send(world, game, file, dry_run=True).json()
    assert (preview["created"], preview["errors"]) == (3, [])
    assert [(one["section"], one["key"], one["change"]) for one in preview["changes"]] == [
        ("achievements", "a", "created"),
        ("leaderboards", "best-lap", "created"),
        ("leaderboards", "kills", "created"),
    ]
    assert preview["changes"][1]["fields"]["min_score"] == {"old": None, "new": 20.5}
    assert preview["changes"][1]["fields"]["starts_at"]["new"] == FULL["starts_at"]
    assert set(preview["changes"][2]["fields"]) == {"name"}
    assert not Leaderboard.objects.filter(game=game).exists()
    assert not Achievement.objects.filter(game=game).exists()
    assert send(world, game, file).json() == {"created": 3, "updated": 0, "unchanged": 0, "errors": []}
    assert send(world, game, file).json() == {"created": 0, "updated": 0, "unchanged": 3, "errors": []}
    shown = world.api().get(boards(game, "best-lap")).json()
    assert {name: shown[name] for name in FULL} == FULL


def test_boards_come_without_achievements_too(world: World, game: Game) -> None:
    assert send(world, game, {"leaderboards": [KILLS]}).json()["created"] == 1
    assert [row["key"] for row in listed(world, game)] == ["kills"]


@pytest.mark.parametrize(
    "declared",
    [
        FULL,
        {**FULL, "archived": True},
        {**KILLS, "decimals": 6, "min_score": -0.000001, "max_score": 9007199254.740991},
        {**KILLS, "min_score": -(2**53), "max_score": 2**53, "spans": ["day", "month"], "operator": "sum"},
        {
            **KILLS,
            "key": "纵横 a?%",
            "name": "<b>",
            "metadata": {"深": [{"x": 1e-9, "y": "\U0001f6f6\\u0000"}]},
        },
        {**KILLS, "starts_at": "2026-11-01T00:00:00.123456Z", "metadata": {"n": 2**63}},
    ],
    ids=["full", "archived", "six decimals", "largest", "any text", "microseconds"],
)
def test_an_export_imports_again_unchanged_here_and_elsewhere(
    world: World, game: Game, declared: dict[str, Any]
) -> None:
    other = Game.objects.create(studio_id=world.game.studio_id, title="Elsewhere")
    assert world.api().post(boards(game), declared).status_code == 201
    exported = export(world, game)
    assert send(world, game, exported).json() == {"created": 0, "updated": 0, "unchanged": 1, "errors": []}
    assert send(world, other, exported).json()["created"] == 1
    assert export(world, other) == exported
    assert listed(world, other) == listed(world, game)


def test_every_digit_of_a_bound_goes_out_and_comes_in(world: World, game: Game) -> None:
    file = b'{"leaderboards": [{"key": "k", "name": "K", "decimals": 1, "max_score": 900719925474099.1}]}'
    assert send(world, game, file).status_code == 200
    assert Leaderboard.objects.get(game=game).max_units == 9007199254740991
    read = json.loads(export(world, game), parse_float=Decimal)
    assert read["leaderboards"][0]["max_score"] == Decimal("900719925474099.1")


def test_an_export_holds_what_can_be_set_and_no_points(world: World, game: Game) -> None:
    world.api().post(boards(game), KILLS)
    (row,) = json.loads(export(world, game))["leaderboards"]
    assert set(row) == set(FULL)
    assert row["cron"] is None
    spreadsheet = world.api().get(f"{path(game)}/export?format=csv")
    assert b"kills" not in spreadsheet.content


def test_what_a_file_leaves_unsaid_stays(world: World, game: Game) -> None:
    world.api().post(boards(game), FULL)
    world.api().post(boards(game), KILLS)
    change = {"leaderboards": [{"key": "best-lap", "max_score": 99.125, "spans": ["week", "all"]}]}
    preview = send(world, game, change, dry_run=True).json()
    assert [one["fields"] for one in preview["changes"]] == [{"max_score": {"old": 600, "new": 99.125}}]
    assert send(world, game, change).json()["updated"] == 1
    shown = world.api().get(boards(game, "best-lap")).json()
    assert {name: shown[name] for name in FULL} == {**FULL, "max_score": 99.125}
    assert len(listed(world, game)) == 2


@pytest.mark.parametrize(
    ("row", "pointer", "said"),
    [
        (7, "", "not an object"),
        ({"name": "A"}, "/key", "key"),
        ({**KILLS, "key": "a/b"}, "/key", "address"),
        ({**KILLS, "key": "points"}, "/key", "platform's own"),
        ({**KILLS, "key": "Global"}, "/key", "platform's own"),
        ({**KILLS, "key": "FIRST"}, "/key", '"first"'),
        ({**KILLS, "key": "first"}, "/key", "row 1 too"),
        ({"key": "kills"}, "/name", "needs a name"),
        ({**KILLS, "sort": "up"}, "/sort", "desc, asc"),
        ({**KILLS, "reset": "cron"}, "/cron", "cron"),
        ({**KILLS, "cron": "* * * * *", "reset": "cron"}, "/cron", "once an hour"),
        ({**KILLS, "min_score": 0.5}, "/min_score", "whole numbers"),
        ({**KILLS, "max_score": "5"}, "/max_score", "number"),
        ({**KILLS, "metadata": {"x": "\0"}}, "/metadata", "NUL"),
        ({**KILLS, "metadata": {"\ud800": 1}}, "/metadata", "half a character"),
        ({**KILLS, "metadata": {"x": 1e300}}, "/metadata", "64 bits"),
        ({**KILLS, "next_reset_at": None}, "/next_reset_at", "told, not set"),
        ({**KILLS, "colour/~": 1}, "/colour~1~0", "not known"),
        ({**KILLS, "\ud800": 1}, "", "not known"),
    ],
)
def test_a_wrong_row_is_named_where_it_is_wrong_and_nothing_is_stored(
    world: World, game: Game, row: object, pointer: str, said: str
) -> None:
    file = {
        "achievements": [{"key": "a", "name": "A"}],
        "leaderboards": [{"key": "first", "name": "First"}, row],
    }
    preview = send(world, game, file, dry_run=True)
    assert preview.status_code == 200, preview.content
    (error,) = preview.json()["errors"]
    assert (error["row"], error["pointer"]) == (2, f"/leaderboards/1{pointer}")
    assert said in error["detail"]
    answer = send(world, game, file)
    assert answer.status_code == 422
    assert pointers(answer) == [f"/leaderboards/1{pointer}"]
    assert [error["row"] for error in answer.json()["errors"]] == [2]
    assert not Leaderboard.objects.filter(game=game).exists()
    assert not Achievement.objects.filter(game=game).exists()


JUNK = [True, [], {}, "", "\ud800", "\0", -1, 10**40, 1.5, 1e300, [[]], [{}], "x" * 5000]


@pytest.mark.slow
def test_no_value_breaks_the_import(world: World, game: Game) -> None:
    for value in JUNK:
        rows = [{**FULL, "key": f"b-{name}", name: value} for name in FULL]
        preview = send(world, game, {"leaderboards": rows}, dry_run=True)
        assert preview.status_code == 200
        wrong = {error["row"] for error in preview.json()["errors"]}
        assert wrong
        assert preview.json()["created"] + len(wrong) == len(FULL)
    assert listed(world, game) == []


def test_metadata_that_is_too_deep_is_refused(world: World, game: Game) -> None:
    nested: Any = 1
    for _ in range(40):
        nested = [nested]
    answer = send(world, game, {"leaderboards": [{**KILLS, "metadata": {"x": nested}}]})
    assert pointers(answer) == ["/leaderboards/0/metadata"]


def test_every_mistake_of_the_file_is_told_at_once(world: World, game: Game) -> None:
    file = {
        "achievements": [{"key": "a", "name": "A", "points": -1}],
        "leaderboards": [{**KILLS, "sort": "up", "decimals": 9}, {"key": "laps", "name": ""}],
    }
    assert pointers(send(world, game, file)) == [
        "/1",
        "/leaderboards/0/sort",
        "/leaderboards/0/decimals",
        "/leaderboards/1/name",
    ]


def test_an_error_among_achievements_keeps_boards_out(world: World, game: Game) -> None:
    world.api().post(boards(game), KILLS)
    before = listed(world, game)
    file = {"achievements": [{"key": "a"}], "leaderboards": [{"key": "kills", "name": "Other"}, FULL]}
    assert send(world, game, file).status_code == 422
    assert listed(world, game) == before


def test_what_scores_were_weighed_by_stays_and_the_rest_changes(world: World, game: Game) -> None:
    world.api().post(boards(game), {**KILLS, "decimals": 2})
    score(world, game, "kills", 1.25)
    before = listed(world, game)
    file = {"leaderboards": [{**KILLS, "name": "All", "sort": "asc", "spans": ["day"]}]}
    preview = send(world, game, file, dry_run=True).json()
    assert [error["pointer"] for error in preview["errors"]] == [
        "/leaderboards/0/sort",
        "/leaderboards/0/spans",
    ]
    assert "There are scores on this leaderboard" in preview["errors"][0]["detail"]
    assert send(world, game, file).status_code == 422
    assert listed(world, game) == before
    assert send(world, game, export(world, game)).json()["unchanged"] == 1
    allowed = {"leaderboards": [{**KILLS, "name": "All", "max_score": 10, "archived": True}]}
    assert send(world, game, allowed).json()["updated"] == 1
    assert world.api().get(boards(game, "kills")).json()["archived"] is True


def test_a_dry_run_leaves_an_empty_board_and_its_periods_as_they_are(world: World, game: Game) -> None:
    world.api().post(boards(game), KILLS)
    row = Leaderboard.objects.get(game=game)
    Period.objects.create(leaderboard=row, studio_id=row.studio_id, span="all", name="all", epoch=row.epoch)
    change = {"leaderboards": [{"key": "kills", "sort": "asc"}]}
    assert send(world, game, change, dry_run=True).json()["updated"] == 1
    assert Period.objects.get(leaderboard=row).state == "open"
    assert Leaderboard.objects.get(pk=row.pk).version == row.version
    assert send(world, game, change).json()["updated"] == 1
    assert Period.objects.get(leaderboard=row).state == "discarded"
    score(world, game, "kills", 5)
    page = world.api().get(f"/leaderboards/{game.uuid}/kills").json()
    assert page["total_count"] == 1


@pytest.mark.parametrize("part", ["x", 7, {"kills": {}}, True])
def test_a_part_that_is_no_list_is_refused(world: World, game: Game, part: object) -> None:
    for file in ({"achievements": [{"key": "a", "name": "A"}], "leaderboards": part}, {"leaderboards": part}):
        assert pointers(send(world, game, file)) == ["/0"]
    assert not Achievement.objects.filter(game=game).exists()


@pytest.mark.parametrize("file", [{}, {"leaderboards": []}, {"leaderboards": [], "achievements": []}])
def test_a_file_of_nothing_is_refused(world: World, game: Game, file: object) -> None:
    assert send(world, game, file).status_code == 422


@pytest.mark.slow
def test_a_game_gets_at_most_200_boards(world: World, game: Game) -> None:
    many = [{"key": f"b{number}", "name": "B"} for number in range(201)]
    assert pointers(send(world, game, {"leaderboards": many})) == ["/leaderboards"]
    assert send(world, game, {"leaderboards": many[:200]}).json()["created"] == 200
    assert pointers(send(world, game, {"leaderboards": many[200:]})) == ["/leaderboards/0/key"]
    assert Leaderboard.objects.filter(game=game).count() == 200


def test_a_hundred_errors_are_enough(world: World, game: Game) -> None:
    file = {"leaderboards": [{**KILLS, **{f"x{number}": 1 for number in range(300)}}]}
    errors = send(world, game, file).json()["errors"]
    assert len(errors) == 101
    assert "more errors" in errors[-1]["detail"]


def test_an_import_is_repeated_under_its_key(world: World, game: Game) -> None:
    file = {"leaderboards": [KILLS]}
    first = send(world, game, file, Idempotency_Key="i-1")
    again = send(world, game, file, Idempotency_Key="i-1")
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"


def test_only_the_studio_and_only_with_the_scope(world: World, game: Game) -> None:
    world.api().post(boards(game), KILLS)
    body = json.dumps({"leaderboards": [{"key": "kills", "name": "Mine"}]}).encode()
    reader = factories.api(factories.server_key(game.studio, scopes=["definitions:read", "scores:write"]))
    stranger = factories.api(factories.server_key(factories.studio()))
    for api, status in ((reader, 403), (stranger, 404), (factories.api(), 401)):
        sent = api.post(f"{path(game)}/import?format=laurel", body, content_type="application/octet-stream")
        assert sent.status_code == status
    assert stranger.get(f"{path(game)}/export?format=laurel").status_code == 404
    assert Leaderboard.objects.get(game=game).name == "Kills"
