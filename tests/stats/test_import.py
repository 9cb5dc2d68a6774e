"""The `stats` of a game's file: imported with its achievements and boards, all or nothing, and exported again."""

import json
from typing import Any

import pytest

from accounts.models import Game
from stats.models import Stat
from tests import factories
from tests.stats.test_definitions_api import FULL, stats
from tests.stats.world import World

KILLS = {"key": "kills", "name": "Kills"}


def send(world: World, file: object, *, game: Game | None = None, dry_run: bool = False) -> Any:
    body = file if isinstance(file, bytes) else json.dumps(file).encode()
    query = "&dry_run=true" if dry_run else ""
    return world.api().post(
        f"/games/{(game or world.game).uuid}/achievements/import?format=laurel{query}",
        body,
        content_type="application/octet-stream",
    )


def export(world: World, game: Game | None = None) -> bytes:
    answer = world.api().get(f"/games/{(game or world.game).uuid}/achievements/export?format=laurel")
    assert answer.status_code == 200
    whole: bytes = answer.content
    return whole


def test_stats_come_with_the_rest_of_the_file(world: World) -> None:
    file = {
        "achievements": [{"key": "a", "name": "A"}],
        "stats": [FULL, KILLS],
        "leaderboards": [{"key": "b", "name": "B", "stat": "kills"}],
    }
    preview = send(world, file, dry_run=True).json()
    assert (preview["created"], preview["errors"]) == (4, [])
    assert ("stats", "best-lap", "created") in [
        (one["section"], one["key"], one["change"]) for one in preview["changes"]
    ]
    assert not Stat.objects.exists()
    assert send(world, file).json() == {"created": 4, "updated": 0, "unchanged": 0, "errors": []}
    assert send(world, file).json() == {"created": 0, "updated": 0, "unchanged": 4, "errors": []}
    shown = world.api().get(stats(world, "best-lap")).json()
    assert {name: shown[name] for name in FULL} == FULL


@pytest.mark.parametrize(
    "declared",
    [
        FULL,
        {**FULL, "archived": True},
        {**KILLS, "min": -0.000001, "max": 2**53, "increment_only": True},
        {**KILLS, "aggregation": "last", "default": 123456789.123456},
        {**KILLS, "key": "纵横 a/?%", "name": "<b>"},
    ],
)
def test_what_is_exported_imports_again_unchanged(world: World, declared: dict[str, Any]) -> None:
    assert send(world, {"stats": [declared]}).json()["created"] == 1
    whole = export(world)
    assert send(world, whole).json() == {"created": 0, "updated": 0, "unchanged": 1, "errors": []}
    other = factories.game(world.studio)
    assert send(world, whole, game=other).json()["created"] == 1
    assert export(world, other) == whole


def test_what_is_wrong_is_named_and_nothing_is_stored(world: World) -> None:
    rows = [
        {"key": "a", "name": "A", "aggregation": "avg"},
        {"key": "b"},
        7,
        {"key": "c", "name": "C", "colour": "red"},
        {"key": "c", "name": "C"},
        {"key": "d", "name": "D", "min": 5, "max": 4},
        KILLS,
    ]
    answer = send(world, {"achievements": [{"key": "x", "name": "X"}], "stats": rows})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/stats/0/aggregation",
        "/stats/1/name",
        "/stats/2",
        "/stats/3/colour",
        "/stats/4/key",
        "/stats/5/min",
    ]
    assert not Stat.objects.exists()


def test_too_many_and_another_shape_are_refused(world: World) -> None:
    rows = [{"key": f"s{number}", "name": "S"} for number in range(501)]
    assert send(world, {"stats": rows}).status_code == 422
    assert send(world, {"achievements": [], "stats": {"key": "s"}}).status_code == 422
    assert not Stat.objects.exists()


def test_how_values_are_made_stays_while_there_are_any(world: World) -> None:
    send(world, {"stats": [KILLS]})
    world.report(kills={"add": 3})
    answer = send(world, {"stats": [{**KILLS, "aggregation": "max"}]})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/stats/0/aggregation"]
    assert send(world, {"stats": [{**KILLS, "max": 2}]}).json()["updated"] == 1
    assert world.held() == {"kills": 3}
