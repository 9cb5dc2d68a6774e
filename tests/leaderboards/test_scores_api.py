"""Submitting scores over HTTP, and reading the boards they make."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Game, Player
from core.ids import new_id
from leaderboards.models import Leaderboard, Period, Score, Submission
from tests import factories
from tests.leaderboards.world import World


@pytest.fixture
def game(world: World) -> Game:
    return Game.objects.get(pk=world.game.id)


@pytest.fixture
def board(game: Game) -> Leaderboard:
    return factories.leaderboard(game, decimals=2, reset="daily", spans=["all"])


def address(game: Game, rest: str = "") -> str:
    return f"/leaderboards/{game.uuid}/high-score{rest}"


def shown(page: Any) -> list[tuple[int, str, float]]:
    return [(row["rank"], row["player"]["external_id"], row["score"]) for row in page["results"]]


def refuses(answer: Any, status: int, slug: str) -> None:
    assert answer.status_code == status, answer.content
    assert answer.json()["type"].endswith(f"/problems/{slug}")
    assert not Score.objects.exists()
    assert not Submission.objects.exists()
    assert not Player.objects.exists()


def test_a_score_is_answered_for_every_span(world: World, game: Game, board: Leaderboard) -> None:
    sent = {"player": "p-1", "score": 81.25, "metadata": {"ship": "Heron", "speed": 4.5}}
    answer = world.api().post(address(game, "/scores"), sent)
    assert answer.status_code == 202
    today = f"{timezone.now():%Y-%m-%d}"
    assert answer.json()["status"] == "submitted"
    assert answer.json()["spans"] == [
        {"span": "day", "period": today, "counted": True, "score": 81.25, "new_best": True},
        {"span": "all", "period": "all", "counted": True, "score": 81.25, "new_best": True},
    ]
    world.follow()
    page = world.api().get(address(game)).json()
    assert shown(page) == [(1, "p-1", 81.25)]
    assert page["results"][0]["metadata"] == {"ship": "Heron", "speed": 4.5}
    assert (page["period"]["id"], page["period"]["state"]) == (today, "open")
    assert page["period"]["ends_at"].endswith("T00:00:00.000Z")
    assert world.api().get(f"{address(game)}?span=all").json()["period"]["id"] == "all"
    assert world.api().get(f"{address(game)}?period=all").json()["results"] == page["results"]


def test_an_event_is_answered_200_when_it_was_heard_before(
    world: World, game: Game, board: Leaderboard
) -> None:
    sent = {"player": "p-1", "score": 5, "event_id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"}
    assert world.api().post(address(game, "/scores"), sent).status_code == 202
    again = world.api().post(address(game, "/scores"), sent)
    assert (again.status_code, again.json()["status"]) == (200, "already_submitted")
    assert again.json()["spans"][0]["score"] == 5


def test_a_batch_reports_bad_items_in_their_place(world: World, game: Game, board: Leaderboard) -> None:
    items = [
        {"player": "a", "score": 5},
        {"player": "b", "score": 5.125},
        {"player": "c"},
        "d",
        {"player": "e", "score": 7, "rank": 1},
        {"player": "f", "score": 9},
    ]
    answer = world.api().post(address(game, "/scores/batch"), {"scores": items})
    assert answer.status_code == 202
    body = answer.json()
    assert (body["submitted"], body["already_submitted"], body["rejected"]) == (2, 0, 4)
    assert [row["status"] for row in body["results"]] == ["submitted", *["rejected"] * 4, "submitted"]
    assert [row["problem"]["status"] for row in body["results"][1:5]] == [422, 422, 400, 400]
    world.follow()
    assert shown(world.api().get(address(game)).json()) == [(1, "f", 9.0), (2, "a", 5.0)]


def test_a_rejected_item_is_known_by_the_event_id_that_was_sent(
    world: World, game: Game, board: Leaderboard
) -> None:
    ids = [str(new_id()) for _ in range(2)]
    items = [{"player": "b", "event_id": ids[0]}, {"player": "b", "score": 5.125, "event_id": ids[1]}, "d"]
    body = world.api().post(address(game, "/scores/batch"), {"scores": items}).json()
    assert [row["event_id"] for row in body["results"]] == [*ids, None]


def test_a_bad_item_s_metadata_refuses_no_other_item(world: World, game: Game, board: Leaderboard) -> None:
    items = [{"player": "a", "score": 5}, {"player": "b", "score": 6, "metadata": {"seed": 2**64}}]
    body = world.api().post(address(game, "/scores/batch"), {"scores": items}).json()
    assert [row["status"] for row in body["results"]] == ["submitted", "rejected"]
    assert body["results"][1]["problem"]["errors"][0]["pointer"] == "/metadata"


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_has_1_to_1000_items(world: World, game: Game, board: Leaderboard, count: int) -> None:
    items = [{"player": "a", "score": 1}] * count
    refuses(world.api().post(address(game, "/scores/batch"), {"scores": items}), 422, "validation-failed")


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("NaN", 422),
        ("Infinity", 422),
        ("-Infinity", 422),
        ("1e999", 422),
        ("9007199254740993", 422),
        ("-9007199254740993", 422),
        ("0.123456789012345678901234567890", 422),
        ("81.250000000000000000000000000001", 422),
        ('"81.25"', 422),
        ("true", 422),
        ("null", 422),
        ("[1]", 422),
        ("", 400),
    ],
)
def test_a_number_that_cannot_be_a_score_changes_nothing(
    world: World, game: Game, board: Leaderboard, number: str, status: int
) -> None:
    body = f'{{"player": "p-1", "score": {number}}}'.encode()
    slug = "validation-failed" if status == 422 else "malformed-request"
    refuses(world.api().post(address(game, "/scores"), body), status, slug)


@pytest.mark.parametrize("number", ["81.250", "8125e-2", "0.8125E2", "81.25000000000000000000000000000"])
def test_every_spelling_of_a_number_is_the_same_score(
    world: World, game: Game, board: Leaderboard, number: str
) -> None:
    body = f'{{"player": "p-1", "score": {number}}}'.encode()
    assert world.api().post(address(game, "/scores"), body).json()["spans"][0]["score"] == 81.25


@pytest.mark.parametrize("number", ["0", "-0", "-0.0", "0e5", "0e999999999", "-0E-999999999"])
def test_zero_is_zero_at_once_however_long_its_exponent_would_make_it(
    world: World, game: Game, board: Leaderboard, number: str
) -> None:
    body = f'{{"player": "p-1", "score": {number}}}'.encode()
    assert world.api().post(address(game, "/scores"), body).json()["spans"][0]["score"] == 0
    assert world.api().get(address(game, f"/rank?score={number}")).json()["score"] == 0


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"player": ""}, 422),
        ({"player": None}, 422),
        ({"metadata": [1]}, 422),
        ({"metadata": {"x": "y" * 4096}}, 422),
        ({"metadata": {"x": [10**30]}}, 422),
        ({"event_id": "seven"}, 422),
        ({"achieved_at": "yesterday"}, 422),
        ({"achieved_at": "1970-01-01T00:00:00Z"}, 422),
        ({"achieved_at": "2999-01-01T00:00:00Z"}, 422),
        ({"region": "EU"}, 400),
    ],
)
def test_a_bad_value_changes_nothing(
    world: World, game: Game, board: Leaderboard, change: dict[str, Any], status: int
) -> None:
    sent = {"player": "p-1", "score": 5, **change}
    slug = "validation-failed" if status == 422 else "malformed-request"
    refuses(world.api().post(address(game, "/scores"), sent), status, slug)


def test_who_may_not_submit_is_told_so(world: World, game: Game, board: Leaderboard) -> None:
    sent = {"player": "p-1", "score": 5}
    reader = factories.api(factories.server_key(game.studio, scopes=["definitions:read"]))
    refuses(reader.post(address(game, "/scores"), sent), 403, "forbidden")
    refuses(factories.api().post(address(game, "/scores"), sent), 401, "unauthenticated")
    stranger = factories.api(factories.server_key(factories.studio()))
    refuses(stranger.post(address(game, "/scores"), sent), 404, "not-found")
    refuses(stranger.post(address(game, "/scores/batch"), {"scores": [sent]}), 404, "not-found")
    refuses(world.api().post(f"/leaderboards/{game.uuid}/nothing/scores", sent), 404, "not-found")
    refuses(world.api().post(f"/leaderboards/{game.uuid}/points/scores", sent), 409, "conflict")
    refuses(world.api().post("/leaderboards/global/points/scores", sent), 404, "not-found")


def test_a_player_submits_for_himself_to_a_clients_board_only(
    world: World, game: Game, board: Leaderboard
) -> None:
    factories.leaderboard(game, "open", authority="client")
    me, other = factories.player(game.studio, "p-1"), factories.player(game.studio, "p-2")
    api = factories.api(factories.player_token(game, me))
    assert api.post(address(game, "/scores"), {"player": "me", "score": 5}).status_code == 403
    place = f"/leaderboards/{game.uuid}/open/scores"
    assert api.post(place, {"player": "me", "score": 5}).status_code == 202
    assert api.post(place, {"player": f"id:{other.uuid}", "score": 5}).status_code == 404
    assert Score.objects.count() == 1


def test_an_idempotency_key_answers_the_same_again(world: World, game: Game) -> None:
    factories.leaderboard(game, operator="sum")
    for _ in range(2):
        answer = world.api().post(
            address(game, "/scores"), {"player": "p-1", "score": 5}, Idempotency_Key="k-1"
        )
        assert answer.status_code == 202
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert Score.objects.get().sort_value == -5


def test_the_previous_period_and_any_kept_one_are_read_by_their_id(world: World, game: Game) -> None:
    row = factories.leaderboard(game, reset="daily")
    world.api().post(address(game, "/scores"), {"player": "p-1", "score": 5})
    assert world.api().get(f"{address(game)}?period=previous").status_code == 404
    yesterday = timezone.now() - timedelta(days=1)
    old = Period.objects.create(
        leaderboard=row,
        studio_id=row.studio_id,
        span="day",
        name=f"{yesterday:%Y-%m-%d}",
        starts_at=yesterday.replace(hour=0, minute=0, second=0, microsecond=0),
        ends_at=timezone.now().replace(hour=0, minute=0, second=0, microsecond=0),
    )
    Score.objects.update(period=old)
    world.follow()
    for name in ("previous", old.name):
        page = world.api().get(f"{address(game)}?period={name}").json()
        assert (page["period"]["id"], shown(page)) == (old.name, [(1, "p-1", 5)])
    assert world.api().get(f"{address(game)}?period=1999-01-01").status_code == 404
    assert world.api().get(f"{address(game)}?span=week").status_code == 404
    assert world.api().get(f"{address(game)}?period={old.name}&span=all").status_code == 404


def test_a_board_that_nobody_scored_on_is_empty(world: World, game: Game, board: Leaderboard) -> None:
    page = world.api().get(address(game)).json()
    assert (page["results"], page["total_count"], page["next_cursor"]) == ([], 0, None)
    assert page["period"]["id"] == f"{timezone.now():%Y-%m-%d}"
    world.players(1)
    assert world.api().get(address(game, "/players/p0")).status_code == 404
    assert world.api().get(address(game, "/around/p0")).json()["me"] is None
    assert world.api().get(address(game, "/rank?score=5")).json()["rank"] == 1


def test_ranks_and_what_if_are_told_in_the_boards_numbers(world: World, game: Game) -> None:
    factories.leaderboard(game, sort="asc", decimals=3, tie_break="dense")
    scores = [{"player": f"p{n}", "score": time} for n, time in enumerate([61.5, 60.125, 61.5, 70])]
    world.api().post(address(game, "/scores/batch"), {"scores": scores})
    world.follow()
    assert shown(world.api().get(address(game)).json()) == [
        (1, "p1", 60.125),
        (2, "p0", 61.5),
        (2, "p2", 61.5),
        (3, "p3", 70.0),
    ]
    rank = world.api().get(address(game, "/players/p3")).json()
    assert rank == {
        "rank": 3,
        "score": 70.0,
        "percentile": 25.0,
        "exact": True,
        "total_count": 4,
        "rank_delta": None,
    }
    for score, expected in (("60", 1), ("61.5", 2), ("61.501", 3), ("99", 4)):
        answer = world.api().get(address(game, f"/rank?score={score}")).json()
        assert (answer["rank"], answer["total_count"]) == (expected, 4)
    for wrong, status in (
        ("", 400),
        ("?score=x", 422),
        ("?score=1_0", 422),
        ("?score=NaN", 422),
        ("?score=1.0001", 422),
        ("?score=1e999", 422),
    ):
        assert world.api().get(address(game, f"/rank{wrong}")).status_code == status


def test_a_board_is_the_same_however_its_key_is_composed(world: World, game: Game) -> None:
    factories.leaderboard(game, "\u00e9lan")
    place = f"/leaderboards/{game.uuid}/e%CC%81lan"
    assert world.api().post(f"{place}/scores", {"player": "p-1", "score": 5}).status_code == 202
    world.follow()
    page = world.api().get(place).json()
    assert (page["board"], shown(page)) == ("\u00e9lan", [(1, "p-1", 5)])
    for rest in ("/players/p-1", "/around/p-1", "/rank?score=1", "/periods", "/snapshots"):
        assert world.api().get(f"{place}{rest}").status_code == 200
    assert world.api().post(f"{place}/players/p-1/hide", {"reason": "x"}).status_code == 202
    reset = f"/games/{game.uuid}/leaderboards/e%CC%81lan/reset"
    assert world.api().post(reset, {"reason": "x"}).status_code == 202


@pytest.mark.parametrize(
    "number", ["1_000", "+5", "%205", "5%20", "0x1F", ".5", "5.", "NaN", "sNaN", "-Infinity", "%D9%A3", ""]
)
def test_what_json_takes_for_no_number_is_no_score_in_a_query(
    world: World, game: Game, board: Leaderboard, number: str
) -> None:
    assert world.api().get(address(game, f"/rank?score={number}")).status_code == 422


@pytest.mark.parametrize("name", ["%00", "all%00", "..", "x" * 5000, "%D9%A3", "2026-W48%0A"])
def test_no_period_is_called_what_no_period_can_be_called(
    world: World, game: Game, board: Leaderboard, name: str
) -> None:
    for place in (f"?period={name}", f"/periods/{name}", f"/periods/{name}/standings"):
        assert world.api().get(address(game, place)).status_code == 404, place


def test_a_cursor_of_another_board_or_period_is_refused(world: World, game: Game, board: Leaderboard) -> None:
    factories.leaderboard(game, "other")
    rows = [{"player": f"p{n}", "score": n} for n in range(3)]
    for key in ("high-score", "other"):
        world.api().post(f"/leaderboards/{game.uuid}/{key}/scores/batch", {"scores": rows})
    world.follow()
    cursor = world.api().get(f"{address(game)}?limit=1").json()["next_cursor"]
    assert world.api().get(f"{address(game)}?limit=1&cursor={cursor}").status_code == 200
    for elsewhere in (f"{address(game)}?span=all&", f"/leaderboards/{game.uuid}/other?"):
        answer = world.api().get(f"{elsewhere}cursor={cursor}")
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("/problems/malformed-request")


def test_all_ranks_of_a_player_come_in_one_answer(world: World, game: Game, board: Leaderboard) -> None:
    factories.leaderboard(game, "other")
    world.unlock(("p-1", "a0"), ("p-2", "a0"))
    world.api().post(address(game, "/scores"), {"player": "p-1", "score": 5})
    world.follow()
    answer = world.api().get(f"/players/p-1/ranks?game_id={game.uuid}").json()
    assert [(row["board"], row["rank"], row["score"]) for row in answer["results"]] == [
        ("points", 1, 10),
        ("high-score", 1, 5.0),
    ]
    assert answer["results"][1]["period"]["span"] == "day"
    stranger = factories.api(factories.server_key(factories.studio()))
    assert stranger.get(f"/players/p-1/ranks?game_id={game.uuid}").status_code == 404
    me = factories.api(factories.player_token(game, Player.objects.get(identities__external_id="p-1")))
    assert me.get("/players/me/ranks").json() == answer
    first = me.get("/players/me/ranks?limit=1").json()
    second = me.get(f"/players/me/ranks?limit=1&cursor={first['next_cursor']}").json()
    assert first["results"] + second["results"] == answer["results"]
    assert (first["has_next_page"], second["next_cursor"], answer["next_cursor"]) == (True, None, None)
    assert world.api().get(f"/players/p-1/ranks?game_id={game.uuid}&cursor=forged").status_code == 400
    assert world.api().get("/players/p-1/ranks?game_id=seven").status_code == 404
