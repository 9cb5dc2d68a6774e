"""What a studio declares of its boards, over HTTP."""

from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import Game
from leaderboards.models import Leaderboard
from leaderboards.selectors import definitions
from tests import factories
from tests.held import waits_for
from tests.leaderboards.world import World

FULL = {
    "key": "best-lap",
    "name": "Best lap",
    "sort": "asc",
    "operator": "best",
    "tie_break": "earliest",
    "decimals": 3,
    "format": "time_s",
    "authority": "client",
    "stat": None,
    "reset": "cron",
    "cron": "0 18 * * 5",
    "time_zone": "Europe/Berlin",
    "spans": ["all", "week"],
    "attempts_limit": 10,
    "min_score": 20.5,
    "max_score": 600.0,
    "starts_at": "2026-11-01T00:00:00.000Z",
    "ends_at": "2030-01-01T00:00:00.000Z",
    "metadata": {"track": "Squall Run", "laps": 3, "length": 4.5},
    "archived": False,
}


@pytest.fixture
def game(world: World) -> Game:
    return Game.objects.get(pk=world.game.id)


def boards(game: Game, key: str = "") -> str:
    return f"/games/{game.uuid}/leaderboards{key and f'/{key}'}"


def refuses(answer: Any, status: int, slug: str, pointer: str | None = None) -> None:
    assert answer.status_code == status, answer.content
    assert answer.json()["type"].endswith(f"/problems/{slug}")
    if pointer is not None:
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_a_board_is_read_as_it_was_declared(world: World, game: Game) -> None:
    made = world.api().post(boards(game), FULL)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert {name: shown[name] for name in FULL} == FULL
    assert shown["builtin"] is False
    assert shown["next_reset_at"] > shown["created_at"]
    assert world.api().get(boards(game, "best-lap")).json() == shown


def test_a_board_that_ends_before_it_would_reset_has_no_next_reset(world: World, game: Game) -> None:
    for key, ends_at in (("over", "2026-01-01T00:00:00Z"), ("running", "2999-01-01T00:00:00Z")):
        body = {"key": key, "name": "B", "reset": "weekly", "ends_at": ends_at}
        shown = world.api().post(boards(game), body).json()
        assert (shown["next_reset_at"] is None) == (key == "over")


def test_a_key_and_a_name_are_enough(world: World, game: Game) -> None:
    shown = world.api().post(boards(game), {"key": "kills", "name": " Kills "}).json()
    assert (shown["name"], shown["sort"], shown["operator"], shown["tie_break"]) == (
        "Kills",
        "desc",
        "best",
        "shared",
    )
    assert (shown["reset"], shown["spans"], shown["next_reset_at"], shown["cron"]) == (
        "never",
        [],
        None,
        None,
    )


def test_the_points_board_comes_first_and_pages_go_on(world: World, game: Game) -> None:
    for number in range(3):
        world.api().post(boards(game), {"key": f"b{number}", "name": "B"})
    first = world.api().get(f"{boards(game)}?limit=2").json()
    assert [row["key"] for row in first["results"]] == ["points", "b0"]
    assert (first["total_count"], first["results"][0]["builtin"]) == (4, True)
    second = world.api().get(f"{boards(game)}?cursor={first['next_cursor']}").json()
    assert [row["key"] for row in second["results"]] == ["b1", "b2"]
    assert second["next_cursor"] is None
    assert world.api().get(boards(game, "points")).json() == first["results"][0]
    assert set(first["results"][0]) == set(first["results"][1])
    assert world.api().get(f"{boards(game)}?cursor=forged.one").status_code == 400


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"key": ""}, "/key"),
        ({"key": " x"}, "/key"),
        ({"key": "x" * 129}, "/key"),
        ({"key": 5}, "/key"),
        ({"key": "laps/monza"}, "/key"),
        ({"key": "x/reset"}, "/key"),
        ({"key": "."}, "/key"),
        ({"key": ".."}, "/key"),
        ({"name": "  "}, "/name"),
        ({"sort": "up"}, "/sort"),
        ({"operator": "avg"}, "/operator"),
        ({"tie_break": "random"}, "/tie_break"),
        ({"decimals": 7}, "/decimals"),
        ({"decimals": 1.0}, "/decimals"),
        ({"format": "roman"}, "/format"),
        ({"reset": "hourly"}, "/reset"),
        ({"reset": "cron", "cron": None}, "/cron"),
        ({"reset": "daily", "cron": "0 18 * * 5"}, "/cron"),
        ({"cron": "* * * * *"}, "/cron"),
        ({"cron": "0 18 31 2 *"}, "/cron"),
        ({"cron": "99 * * * *"}, "/cron"),
        ({"time_zone": "Europe/Atlantis"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
        ({"time_zone": "localtime"}, "/time_zone"),
        ({"time_zone": "Factory"}, "/time_zone"),
        ({"spans": ["year"]}, "/spans"),
        ({"spans": ["all", "all"]}, "/spans"),
        ({"reset": "never", "cron": None, "spans": ["all"]}, "/spans"),
        ({"attempts_limit": 0}, "/attempts_limit"),
        ({"min_score": 700}, "/min_score"),
        ({"min_score": 1.2345}, "/min_score"),
        ({"max_score": 9007199254740993}, "/max_score"),
        ({"ends_at": "2026-01-01T00:00:00Z"}, "/ends_at"),
        ({"starts_at": "soon"}, "/starts_at"),
        ({"metadata": []}, "/metadata"),
        ({"metadata": {"x": "y" * 5000}}, "/metadata"),
        ({"metadata": {"x": 10**30}}, "/metadata"),
        ({"metadata": {"x": [1e30]}}, "/metadata"),
        ({"metadata": {"x": [2**64]}}, "/metadata"),
        ({"metadata": {"x": 1e22}}, "/metadata"),
        ({"metadata": {"x": -(2**63) - 1}}, "/metadata"),
        ({"archived": "no"}, "/archived"),
    ],
)
def test_a_value_that_cannot_be_is_refused_where_it_stands(
    world: World, game: Game, change: dict[str, Any], pointer: str
) -> None:
    refuses(world.api().post(boards(game), {**FULL, **change}), 422, "validation-failed", pointer)
    assert not Leaderboard.objects.exists()


def test_unknown_names_and_missing_ones_are_refused(world: World, game: Game) -> None:
    refuses(world.api().post(boards(game), {**FULL, "colour": "red"}), 400, "malformed-request")
    refuses(world.api().post(boards(game), [FULL]), 400, "malformed-request")
    refuses(world.api().post(boards(game), {}), 422, "validation-failed", "/name")
    refuses(world.api().patch(boards(game, "best-lap"), {"key": "other"}), 400, "malformed-request")
    assert not Leaderboard.objects.exists()


@pytest.mark.parametrize(
    "key",
    [
        "best-lap",
        "BEST-LAP",
        "\uff42\uff45\uff53\uff54-lap",
        "points",
        "global",
        "Points",
        "GLOBAL",
        "\uff50oints",
    ],
)
def test_a_key_that_is_taken_or_looks_like_one_is_a_conflict(world: World, game: Game, key: str) -> None:
    world.api().post(boards(game), FULL)
    refuses(world.api().post(boards(game), {**FULL, "key": key}), 409, "conflict")
    assert Leaderboard.objects.count() == 1


def test_the_points_board_is_only_read(world: World, game: Game) -> None:
    before = world.api().get(boards(game, "points")).json()
    refuses(world.api().patch(boards(game, "points"), {"name": "Score"}), 409, "conflict")
    refuses(world.api().delete(boards(game, "points")), 409, "conflict")
    assert world.api().get(boards(game, "points")).json() == before


def test_how_scores_are_weighed_stays_while_there_are_any(world: World, game: Game) -> None:
    world.api().post(boards(game), {"key": "kills", "name": "Kills"})
    assert world.api().patch(boards(game, "kills"), {"decimals": 2, "sort": "asc"}).status_code == 200
    world.api().post(f"/leaderboards/{game.uuid}/kills/scores", {"player": "a", "score": 1.25})
    for change in ({"decimals": 3}, {"sort": "desc"}, {"spans": ["day"]}, {"reset": "daily"}):
        refuses(world.api().patch(boards(game, "kills"), change), 409, "conflict")
    changed = world.api().patch(
        boards(game, "kills"), {"name": "All kills", "max_score": 10, "sort": "asc", "archived": True}
    )
    assert (changed.json()["name"], changed.json()["max_score"], changed.json()["decimals"]) == (
        "All kills",
        10.0,
        2,
    )
    refuses(
        world.api().post(f"/leaderboards/{game.uuid}/kills/scores", {"player": "a", "score": 2}),
        409,
        "conflict",
    )
    world.api().patch(boards(game, "kills"), {"archived": False})
    refuses(
        world.api().post(f"/leaderboards/{game.uuid}/kills/scores", {"player": "a", "score": 10.25}),
        422,
        "validation-failed",
        "/score",
    )


def test_a_board_without_scores_is_deleted_and_one_with_them_stays(world: World, game: Game) -> None:
    for key in ("empty", "played"):
        world.api().post(boards(game), {"key": key, "name": key})
    world.api().post(f"/leaderboards/{game.uuid}/played/scores", {"player": "a", "score": 1})
    assert world.api().delete(boards(game, "empty")).status_code == 204
    refuses(world.api().delete(boards(game, "played")), 409, "conflict")
    refuses(world.api().delete(boards(game, "empty")), 404, "not-found")
    assert [row.key for row in Leaderboard.objects.all()] == ["played"]


def test_only_the_studio_and_only_with_the_scope(world: World, game: Game) -> None:
    world.api().post(boards(game), FULL)
    reader = factories.api(factories.server_key(game.studio, scopes=["definitions:read"]))
    assert reader.get(boards(game, "best-lap")).status_code == 200
    stranger = factories.api(factories.server_key(factories.studio()))
    token = factories.api(factories.player_token(game, factories.player(game.studio)))
    for api, status in ((reader, 403), (stranger, 404), (token, 403), (factories.api(), 401)):
        assert api.post(boards(game), {**FULL, "key": "other"}).status_code == status
        assert api.patch(boards(game, "best-lap"), {"name": "Mine"}).status_code == status
        assert api.delete(boards(game, "best-lap")).status_code == status
        if status != 403:
            assert api.get(boards(game)).status_code == status
            assert api.get(boards(game, "best-lap")).status_code == status
    assert Leaderboard.objects.get().name == "Best lap"


def test_a_key_that_cannot_be_is_no_boards(world: World, game: Game) -> None:
    world.api().post(boards(game), FULL)
    rules = f"/leaderboards/{game.uuid}/%00/plausibility"
    for answer in (
        world.api().get(boards(game, "%00")),
        world.api().patch(boards(game, "%00"), {"name": "Mine"}),
        world.api().delete(boards(game, "%00")),
        world.api().get(rules),
        world.api().put(rules, {"bound": 5}),
    ):
        refuses(answer, 404, "not-found")


def test_a_board_is_changed_however_its_key_is_composed(world: World, game: Game) -> None:
    world.api().post(boards(game), {"key": "caf\u00e9", "name": "Caf\u00e9"})
    key = quote("cafe\u0301")
    rules = world.api().put(f"/leaderboards/{game.uuid}/{key}/plausibility", {"bound": 5})
    assert (rules.status_code, rules.json()["bound"]) == (200, 5)
    assert world.api().patch(boards(game, key), {"name": "Bar"}).json()["name"] == "Bar"
    assert world.api().delete(boards(game, key)).status_code == 204


def test_nobody_forgets_boards_while_a_games_are_kept() -> None:
    assert waits_for(definitions._lock, definitions.forget)


def test_a_game_has_at_most_200_boards(world: World, game: Game) -> None:
    Leaderboard.objects.bulk_create(
        Leaderboard(studio_id=game.studio_id, game=game, key=f"b{n}", name="B") for n in range(200)
    )
    refuses(world.api().post(boards(game), FULL), 409, "conflict")


@pytest.mark.parametrize("key", ["纵横捭阖", "a b c?", "50%", "rank", "reset", "...", "a\\b#c"])
def test_a_board_of_any_printable_key_is_scored_on_and_read(world: World, game: Game, key: str) -> None:
    part = quote(key, safe="")
    assert world.api().post(boards(game), {"key": key, "name": "B"}).status_code == 201
    assert world.api().get(boards(game, part)).json()["key"] == key
    scored = world.api().post(f"/leaderboards/{game.uuid}/{part}/scores", {"player": "a", "score": 1})
    assert scored.status_code == 202
    assert world.api().get(f"/leaderboards/{game.uuid}/{part}").json()["board"] == key
