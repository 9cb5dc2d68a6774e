"""The leaderboards' addresses."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import Redis

from accounts import selectors as accounts
from accounts.models import Game, Player
from core import memo
from core.redis import client
from leaderboards.api import boards
from tests import factories
from tests.leaderboards.world import World

PUBLIC = "public, s-maxage=30, stale-while-revalidate=60"


@pytest.fixture
def played(world: World) -> World:
    """Five players: p4 and p3 with 20 points in this order, p0, p1, p2 with 10; p1 in the EU, p2 without region."""
    world.players(5)
    world.move(("p0", "NA"), ("p1", "EU"), ("p3", "NA"), ("p4", "EU"))
    world.unlock(*((f"p{n}", "a0") for n in range(5)), ("p4", "a1"), ("p3", "a1"))
    world.follow()
    return world


def board(world: World) -> str:
    return f"/leaderboards/{world.game.uuid}"


def test_a_page_has_the_documented_shape(played: World) -> None:
    before = timezone.now()
    answer = played.api().get(f"{board(played)}?limit=1")
    page = answer.json()
    player = Player.objects.get(identities__external_id="p4")
    (row,) = page["results"]
    assert row["submitted_at"].endswith("Z")
    assert row == {
        "rank": 1,
        "player": {
            "id": str(player.uuid),
            "external_id": "p4",
            "display_name": "",
            "region": "EU",
            "avatar_url": "",
        },
        "score": 20,
        "submitted_at": row["submitted_at"],
        "metadata": None,
        "rank_delta": None,
    }
    assert page["board"] == "points"
    assert page["period"] == {
        "id": "all",
        "span": "all",
        "state": "open",
        "starts_at": None,
        "ends_at": None,
    }
    assert (page["total_count"], page["has_next_page"]) == (5, True)
    assert page["next_cursor"]
    assert page["as_of"] >= before.strftime("%Y-%m-%dT%H:%M:%S")


def test_cursors_lead_through_the_board_with_shared_ranks(played: World) -> None:
    api, walked = played.api(), []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"{board(played)}/points?limit=2{cursor and f'&cursor={cursor}'}").json()
        walked += [(row["rank"], row["player"]["external_id"], row["score"]) for row in page["results"]]
        assert page["has_next_page"] == (page["next_cursor"] is not None)
        cursor = page["next_cursor"]
    assert walked == [(1, "p4", 20), (1, "p3", 20), (3, "p0", 10), (3, "p1", 10), (3, "p2", 10)]


def test_an_offset_leaves_places_out_and_past_the_end_is_empty(played: World) -> None:
    page = played.api().get(f"{board(played)}?offset=3").json()
    assert [(row["rank"], row["player"]["external_id"]) for row in page["results"]] == [(3, "p1"), (3, "p2")]
    page = played.api().get(f"{board(played)}?offset=900").json()
    assert (page["results"], page["next_cursor"], page["total_count"]) == ([], None, 5)


def test_a_region_is_a_board_of_its_own(played: World) -> None:
    for region in ("EU", "eu"):
        page = played.api().get(f"{board(played)}?region={region}&period=current").json()
        assert [(row["rank"], row["player"]["external_id"]) for row in page["results"]] == [
            (1, "p4"),
            (2, "p1"),
        ]
    rank = played.api().get(f"{board(played)}/points/players/p1?region=EU").json()
    assert (rank["rank"], rank["total_count"]) == (2, 2)
    assert played.api().get(f"{board(played)}/points/players/p0?region=EU").status_code == 404


def test_a_region_declared_a_moment_ago_is_known(played: World) -> None:
    assert played.api().get(f"{board(played)}?region=AS").status_code == 422
    played_game = Game.objects.get(pk=played.game.id)
    played_game.regions = ["EU", "AS"]
    played_game.save()
    assert played.api().get(f"{board(played)}?region=AS").json()["results"] == []


def test_the_board_over_all_games_adds_them_up(played: World) -> None:
    other = factories.game(factories.studio())
    factories.achievement(other, "deed", points=500)
    key = factories.server_key(other.studio)
    factories.api(key).post(
        "/achievements/unlock", {"game_id": str(other.uuid), "player": "stranger", "achievement": "deed"}
    )
    played.follow()
    page = played.api().get("/leaderboards/global?limit=3").json()
    assert [(row["rank"], row["player"].get("external_id"), row["score"]) for row in page["results"]] == [
        (1, None, 500),
        (2, "p4", 20),
        (2, "p3", 20),
    ]
    assert "external_id" not in page["results"][0]["player"]
    assert played.api().get("/leaderboards/global/points/players/p3").json()["rank"] == 2
    assert played.api().get("/leaderboards/global?region=EU").json()["total_count"] == 2
    assert played.api().get("/leaderboards/global?region=MOON").json()["total_count"] == 0


def test_a_players_rank_is_told(played: World) -> None:
    rank = played.api().get(f"{board(played)}/points/players/p1").json()
    assert rank == {
        "rank": 3,
        "score": 10,
        "percentile": 60.0,
        "exact": True,
        "total_count": 5,
        "rank_delta": None,
    }


def test_a_players_id_may_hold_anything_printable(world: World) -> None:
    world.unlock(("epic:a/b c?é", "a0"))
    world.follow()
    answer = world.api().get(f"{board(world)}/points/players/epic:a%2Fb%20c%3F%C3%A9")
    assert answer.json()["rank"] == 1


@pytest.mark.slow
def test_the_page_around_a_player_has_him_as_me(played: World) -> None:
    page = played.api().get(f"{board(played)}/points/around/p0?limit=3").json()
    assert [row["player"]["external_id"] for row in page["results"]] == ["p3", "p0", "p1"]
    assert page["me"] == page["results"][1]
    assert page["total_count"] == 5
    page = played.api().get(f"{board(played)}/points/around/p4").json()
    assert len(page["results"]) == 5


@pytest.mark.slow
def test_around_a_player_who_is_not_on_the_board_is_its_end(played: World) -> None:
    played.players(6)
    page = played.api().get(f"{board(played)}/points/around/p5?limit=2").json()
    assert page["me"] is None
    assert [row["player"]["external_id"] for row in page["results"]] == ["p1", "p2"]


def test_around_who_is_not_on_the_board_by_the_platforms_id_is_its_end_for_his_own_only(
    played: World,
) -> None:
    played.players(6)
    game, newcomer = (
        Game.objects.get(pk=played.game.id),
        Player.objects.get(identities__external_id="p5"),
    )
    address = f"{board(played)}/points/around/id:{newcomer.uuid}?limit=2"
    himself = factories.api(factories.player_token(game, newcomer))
    for api in (played.api(), himself):
        page = api.get(address).json()
        assert page["me"] is None
        assert [row["rank"] for row in page["results"]] == [3, 3]
    other = factories.api(factories.player_token(game, Player.objects.get(identities__external_id="p1")))
    assert [api.get(address).status_code for api in (other, factories.api())] == [404, 404]
    stranger = factories.player(factories.studio(), "p5")
    foreign = f"{board(played)}/points/around/id:{stranger.uuid}"
    assert played.api().get(foreign).status_code == 404


@pytest.mark.slow
def test_a_player_may_ask_for_himself_and_for_anybody_by_the_platforms_id(played: World) -> None:
    game = Game.objects.get(pk=played.game.id)
    me = Player.objects.get(identities__external_id="p1")
    other = Player.objects.get(identities__external_id="p4")
    api = factories.api(factories.player_token(game, me))
    assert api.get(f"{board(played)}/points/players/me").json()["rank"] == 3
    assert api.get(f"{board(played)}/points/players/id:{other.uuid}").json()["rank"] == 1
    assert api.get(f"{board(played)}/points/players/p4").status_code == 404
    page = api.get(f"{board(played)}/points/around/me?limit=1").json()
    assert page["me"]["player"]["id"] == str(me.uuid)
    assert "external_id" not in page["me"]["player"]


@pytest.mark.slow
def test_without_a_credential_boards_are_read_but_not_the_studios_ids(played: World) -> None:
    api = factories.api()
    page = api.get(board(played)).json()
    assert page["total_count"] == 5
    assert all("external_id" not in row["player"] for row in page["results"])
    player = page["results"][3]["player"]["id"]
    assert api.get(f"{board(played)}/points/players/id:{player}").json()["rank"] == 3
    assert api.get(f"{board(played)}/points/around/id:{player}?limit=1").json()["me"]["rank"] == 3
    assert api.get(f"{board(played)}/points/players/p1").status_code == 404
    assert api.get(f"{board(played)}/points/players/me").status_code == 404
    assert api.get(f"{board(played)}/points/players/id:{uuid4()}").status_code == 404


@pytest.mark.parametrize("rest", ["", "/points", "/points/players/p1", "/points/around/p1"])
def test_another_studios_game_is_answered_as_one_that_does_not_exist(played: World, rest: str) -> None:
    stranger = factories.api(factories.server_key(factories.studio()))
    foreign = stranger.get(f"{board(played)}{rest}")
    nothing = stranger.get(f"/leaderboards/{uuid4()}{rest}")
    for answer in (foreign, nothing):
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("/problems/not-found")
    assert foreign.json()["detail"] == nothing.json()["detail"]


@pytest.mark.slow
def test_a_key_of_one_game_sees_that_game_only(played: World) -> None:
    game = Game.objects.get(pk=played.game.id)
    second = factories.game(game.studio)
    api = factories.api(factories.server_key(game.studio, game=game))
    assert api.get(board(played)).status_code == 200
    assert api.get(f"/leaderboards/{second.uuid}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=ten",
        "limit=1e2",
        "limit=%D9%A3",
        "limit=5&limit=6",
        "offset=-1",
        "offset=1000000001",
        "offset=0&cursor=x",
        "cursor=",
        "cursor=forged.signature",
        "cursor=%00",
        "ordering=score",
    ],
)
def test_a_query_that_cannot_be_read_is_refused(played: World, query: str) -> None:
    for address in (board(played), "/leaderboards/global"):
        answer = played.api().get(f"{address}?{query}")
        assert answer.status_code == 400, answer.content
        assert answer.json()["type"].endswith("/problems/malformed-request")


def test_a_cursor_is_good_for_its_own_board_only(played: World) -> None:
    cursor = played.api().get(f"{board(played)}?limit=1").json()["next_cursor"]
    assert played.api().get(f"{board(played)}/points?limit=1&cursor={cursor}").status_code == 200
    assert played.api().get(f"{board(played)}?region=EU&cursor={cursor}").status_code == 400
    assert played.api().get(f"/leaderboards/global?cursor={cursor}").status_code == 400
    assert played.api().get(f"{board(played)}?cursor={cursor}&offset=1").status_code == 400
    assert played.api().get(f"{board(played)}?cursor={cursor[:-2]}").status_code == 400


@pytest.mark.parametrize("region", ["MARS", "", "{EU}", "EU*", "%00", "x" * 17])
def test_an_unknown_region_is_a_value_that_cannot_be(played: World, region: str) -> None:
    answer = played.api().get(f"{board(played)}?region={region}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/region"


@pytest.mark.parametrize(
    "path",
    [
        "/{game}/deaths",
        "/{game}/Points",
        "/seven",
        "/{game}?period=previous",
        "/{game}?period=2026-11",
        "/{game}/",
    ],
)
def test_what_is_not_there_is_not_found(played: World, path: str) -> None:
    answer = played.api().get(f"/leaderboards{path.format(game=played.game.uuid)}")
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("/problems/not-found")


@pytest.mark.parametrize("name", ["nobody", "me", "id:x", "id:0199fd5c-0000-7000-8000-000000000000", "p5"])
def test_the_rank_of_nobody_is_not_found(played: World, name: str) -> None:
    played.players(6)
    assert played.api().get(f"{board(played)}/points/players/{name}").status_code == 404


def test_only_reading_is_possible(played: World) -> None:
    answer = played.api().post(board(played), {})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_public_pages_may_be_cached_and_answer_304_while_nothing_changes(
    played: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memo, "KEPT_S", -1.0)
    api = factories.api()
    first = api.get(board(played))
    assert first.headers["Cache-Control"] == PUBLIC
    assert "Authorization" in first.headers["Vary"]
    again = api.get(board(played), If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == PUBLIC
    played.unlock(("p2", "a5"))
    played.follow()
    changed = api.get(board(played), If_None_Match=first.headers["ETag"])
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_what_is_kept_for_the_public_is_never_given_to_a_key(played: World) -> None:
    public, own = factories.api(), played.api()
    before = public.get(board(played)).json()
    played.unlock(("p2", "a5"), ("p2", "a6"))
    played.follow()
    answer = own.get(board(played))
    assert answer.json()["results"][0]["player"]["external_id"] == "p2"
    assert answer.headers["Cache-Control"] == "private, max-age=0"
    assert public.get(board(played)).json() == before
    boards.memo.clear()
    assert public.get(board(played)).json()["results"][0]["score"] == 30


def test_one_players_answers_are_private(played: World) -> None:
    player = Player.objects.get(identities__external_id="p1")
    for api in (played.api(), factories.api()):
        for place in ("players", "around"):
            address = f"{board(played)}/points/{place}/id:{player.uuid}"
            answer = api.get(address)
            assert answer.headers["Cache-Control"] == "private, max-age=0"
            assert api.get(address, If_None_Match=answer.headers["ETag"]).status_code == 304


def test_the_rank_of_a_score_is_nobodys_own_and_may_be_cached(played: World) -> None:
    address = f"{board(played)}/points/rank?score=5"
    assert "s-maxage=30" in factories.api().get(address).headers["Cache-Control"]
    assert played.api().get(address).headers["Cache-Control"] == "private, max-age=0"


def test_a_memo_keeps_little_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = memo.Memo()
    for number in range(memo._MOST + 10):
        kept.keep(str(number), memo.Finished(b"x", "tag"))
    assert kept.get("0") is None
    assert kept.get(str(memo._MOST)) == memo.Finished(b"x", "tag")
    kept.keep("large", memo.Finished(b"x" * (memo._LARGEST + 1), "tag"))
    assert kept.get("large") is None
    later = timezone.now().timestamp() + timedelta(days=1).total_seconds()
    monkeypatch.setattr("core.memo.time.monotonic", lambda: later)
    assert kept.get(str(memo._MOST)) is None


@pytest.mark.parametrize("rows", [3, 60])
def test_a_page_costs_two_commands_however_long_it_is_and_one_query_for_players_not_shown_lately(
    world: World, valkey: Redis, rows: int
) -> None:
    world.standings((n % 7, n) for n in range(rows))
    world.unlock(("p0", "a0"))
    world.follow()
    api = world.api()
    api.get(f"{board(world)}?limit=1")  # the key and the game are kept from now on
    for address in (board(world), f"{board(world)}?offset={rows - 2}", f"{board(world)}/points/around/p0"):
        accounts.forget_players()
        client("cache").flushdb()
        for lately in (False, True):
            valkey.config_resetstat()
            with CaptureQueriesContext(connection) as queries:
                page = api.get(address).json()
            assert page["total_count"] == rows
            asked_for_the_player = "around" in address and not lately
            assert len(queries) == (not lately) + asked_for_the_player, queries.captured_queries
            stats = valkey.info("commandstats")
            assert (stats["cmdstat_evalsha_ro"]["calls"], stats["cmdstat_mget"]["calls"]) == (1, 1)


def test_head_is_answered_like_get(played: World) -> None:
    answer = Client().head(f"/api/v1{board(played)}")
    assert answer.status_code == 200
    assert answer.headers["ETag"]
