"""What a studio declares of its stats, over HTTP."""

from typing import Any
from urllib.parse import quote

import pytest

from stats.models import Stat
from stats.selectors import definitions
from tests import factories
from tests.held import waits_for
from tests.stats.world import World

FULL = {
    "key": "best-lap",
    "name": "Best lap",
    "aggregation": "min",
    "min": 20.5,
    "max": 600,
    "max_delta": 100.25,
    "increment_only": False,
    "authority": "client",
    "default": 599.999999,
    "archived": False,
}


def stats(world: World, key: str = "") -> str:
    return f"/games/{world.game.uuid}/stats{key and f'/{quote(key)}'}"


def refuses(answer: Any, status: int, slug: str, pointer: str | None = None) -> None:
    assert answer.status_code == status, answer.content
    assert answer.json()["type"].endswith(f"/problems/{slug}")
    if pointer is not None:
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_a_stat_is_read_as_it_was_declared(world: World) -> None:
    made = world.api().post(stats(world), FULL)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert {name: shown[name] for name in FULL} == FULL
    assert set(shown) == {*FULL, "created_at", "updated_at"}
    assert world.api().get(stats(world, "best-lap")).json() == shown
    assert world.api().get(stats(world)).json()["results"] == [shown]


def test_a_key_and_a_name_are_enough(world: World) -> None:
    shown = world.api().post(stats(world), {"key": "kills", "name": " Kills "}).json()
    assert (shown["name"], shown["aggregation"], shown["authority"]) == ("Kills", "sum", "server")
    assert [shown[name] for name in ("min", "max", "max_delta", "default")] == [None] * 4
    assert (shown["increment_only"], shown["archived"]) == (False, False)


def test_pages_go_on(world: World) -> None:
    for number in range(3):
        factories.stat(world.game, f"s{number}")
    first = world.api().get(f"{stats(world)}?limit=2").json()
    assert ([row["key"] for row in first["results"]], first["total_count"]) == (["s0", "s1"], 3)
    second = world.api().get(f"{stats(world)}?cursor={first['next_cursor']}").json()
    assert ([row["key"] for row in second["results"]], second["next_cursor"]) == (["s2"], None)
    assert world.api().get(f"{stats(world)}?cursor=forged.one").status_code == 400
    assert world.api().get(f"{stats(world)}?order=key").status_code == 400


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"key": ""}, "/key"),
        ({"key": " x"}, "/key"),
        ({"key": "x" * 129}, "/key"),
        ({"key": 5}, "/key"),
        ({"key": ".."}, "/key"),
        ({"name": "  "}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"aggregation": "avg"}, "/aggregation"),
        ({"aggregation": None}, "/aggregation"),
        ({"authority": "anybody"}, "/authority"),
        ({"min": 601}, "/min"),
        ({"min": "5"}, "/min"),
        ({"min": True}, "/min"),
        ({"max": 2**53 + 1}, "/max"),
        ({"max": 10**30}, "/max"),
        ({"max": 1e-7}, "/max"),
        ({"max_delta": 0}, "/max_delta"),
        ({"max_delta": -1}, "/max_delta"),
        ({"default": 601}, "/default"),
        ({"default": 20}, "/default"),
        ({"increment_only": True}, "/increment_only"),
        ({"increment_only": 1}, "/increment_only"),
        ({"archived": "no"}, "/archived"),
    ],
)
def test_a_value_that_cannot_be_is_refused_where_it_stands(
    world: World, change: dict[str, Any], pointer: str
) -> None:
    refuses(world.api().post(stats(world), {**FULL, **change}), 422, "validation-failed", pointer)
    assert not Stat.objects.exists()
    if "key" not in change:
        world.api().post(stats(world), FULL)
        before = world.api().get(stats(world, "best-lap")).json()
        refuses(world.api().patch(stats(world, "best-lap"), change), 422, "validation-failed", pointer)
        assert world.api().get(stats(world, "best-lap")).json() == before


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"{", b'{"key": "a", "key": "b"}'])
def test_another_shape_is_malformed(world: World, body: bytes) -> None:
    refuses(world.api().post(stats(world), body), 400, "malformed-request")
    assert not Stat.objects.exists()


def test_what_is_unknown_or_told_is_refused(world: World) -> None:
    for name in ("colour", "created_at", "version"):
        refuses(world.api().post(stats(world), {**FULL, name: 1}), 400, "malformed-request", f"/{name}")
    world.api().post(stats(world), FULL)
    refuses(world.api().patch(stats(world, "best-lap"), {"key": "x"}), 400, "malformed-request", "/key")


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e400"])
def test_what_is_no_number_is_refused(world: World, number: bytes) -> None:
    body = b'{"key": "k", "name": "K", "max": ' + number + b"}"
    refuses(world.api().post(stats(world), body), 422, "validation-failed")


@pytest.mark.parametrize(("key", "clash"), [("kills", "kills"), ("kills", "KILLS"), ("A", "\uff21")])
def test_a_key_that_is_taken_or_looks_so_is_refused(world: World, key: str, clash: str) -> None:
    assert world.api().post(stats(world), {"key": key, "name": "A"}).status_code == 201
    refuses(world.api().post(stats(world), {"key": clash, "name": "B"}), 409, "conflict")
    assert Stat.objects.count() == 1


def test_a_game_has_at_most_500_stats(world: World) -> None:
    Stat.objects.bulk_create(
        Stat(studio_id=world.studio.pk, game=world.game, key=f"s{number}", name="S") for number in range(500)
    )
    refuses(world.api().post(stats(world), {"key": "one-more", "name": "S"}), 409, "conflict")
    assert Stat.objects.count() == 500


@pytest.mark.parametrize("key", ["minecraft:walk_one_cm", "纵横 a?%", "a/b", "e\u0301"])
def test_a_key_of_any_script_stands_in_an_address(world: World, key: str) -> None:
    assert world.api().post(stats(world), {"key": key, "name": "A"}).status_code == 201
    assert world.api().get(stats(world, key)).status_code == 200
    assert world.api().patch(stats(world, key), {"name": "B"}).json()["name"] == "B"
    assert world.api().delete(stats(world, key)).status_code == 204


def test_a_stat_is_changed_in_what_is_said(world: World) -> None:
    world.api().post(stats(world), FULL)
    shown = world.api().patch(stats(world, "best-lap"), {"max": None, "archived": True}).json()
    assert {name: shown[name] for name in FULL} == {**FULL, "max": None, "archived": True}
    assert world.api().patch(stats(world, "best-lap"), {"archived": False}).json()["archived"] is False


def test_how_values_are_made_stays_while_there_are_any(world: World) -> None:
    factories.stat(world.game)
    assert world.api().patch(stats(world, "kills"), {"aggregation": "max"}).status_code == 200
    world.report(kills={"set": 5})
    refuses(world.api().patch(stats(world, "kills"), {"aggregation": "sum"}), 409, "conflict", "/aggregation")
    same = world.api().patch(stats(world, "kills"), {"aggregation": "max", "max": 4})
    assert same.status_code == 200
    assert world.held() == {"kills": 5}


def test_a_stat_is_deleted_only_while_nobody_has_a_value(world: World) -> None:
    factories.stat(world.game)
    world.report(kills={"add": 0})
    refuses(world.api().delete(stats(world, "kills")), 409, "conflict")
    assert world.api().get(stats(world, "kills")).status_code == 200
    factories.stat(world.game, "deaths")
    assert world.api().delete(stats(world, "deaths")).status_code == 204
    assert world.api().get(stats(world, "deaths")).status_code == 404
    refuses(world.api().delete(stats(world, "deaths")), 404, "not-found")


@pytest.mark.slow
def test_another_studio_sees_nothing(world: World) -> None:
    factories.stat(world.game)
    other = factories.api(factories.server_key(factories.studio()))
    for answer in (
        other.get(stats(world)),
        other.post(stats(world), FULL),
        other.get(stats(world, "kills")),
        other.patch(stats(world, "kills"), {"name": "Mine"}),
        other.delete(stats(world, "kills")),
        world.api().get(stats(world, "unknown")),
        world.api().patch(stats(world, "unknown"), {"name": "Mine"}),
        world.api().get("/games/nothing/stats"),
        world.api().get(f"{stats(world)}/%00"),
        world.api().delete(f"{stats(world)}/%00"),
    ):
        refuses(answer, 404, "not-found")
    assert Stat.objects.get().name == "Kills"


@pytest.mark.slow
def test_a_key_without_the_scope_and_a_player_may_not(world: World) -> None:
    factories.stat(world.game)
    reads = factories.api(factories.server_key(world.studio, scopes=["definitions:read"]))
    assert reads.get(stats(world)).status_code == 200
    player = factories.api(factories.player_token(world.game, factories.player(world.studio)))
    writes = factories.api(factories.server_key(world.studio, scopes=["stats:write"]))
    for by in (reads, player, writes):
        refuses(by.post(stats(world), FULL), 403, "forbidden")
        refuses(by.patch(stats(world, "kills"), {"name": "X"}), 403, "forbidden")
        refuses(by.delete(stats(world, "kills")), 403, "forbidden")
    refuses(writes.get(stats(world)), 403, "forbidden")
    refuses(factories.api(None).get(stats(world)), 401, "unauthenticated")
    assert Stat.objects.get().name == "Kills"


def test_nobody_forgets_stats_while_a_games_are_kept() -> None:
    assert waits_for(definitions._lock, definitions.forget)
