"""Implausible scores: answered like any other, and kept apart until somebody looks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core import followers, reviewing
from core.models import AuditEntry
from leaderboards.models import FlaggedScore, Leaderboard, Period, Score
from leaderboards.rules.plausibility import Spread, broken, clean_z
from leaderboards.services import feeding
from leaderboards.services import flagged as services
from tests import factories
from tests.accounts.visitors import member
from tests.stats.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return World.create()


@pytest.fixture
def open_world(transactional_db: None) -> Iterator[World]:
    yield World.create()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def board(world: World, key: str = "high-score", bound: float | None = 1000, **fields: Any) -> Leaderboard:
    made = factories.leaderboard(world.game, key, **fields)
    if bound is not None:
        answer = world.api().put(f"/leaderboards/{world.game.uuid}/{key}/plausibility", {"bound": bound})
        assert answer.status_code == 200, answer.json()
    return made


def submit(world: World, score: float, player: str = "p-1", key: str = "high-score", **more: Any) -> Any:
    body = {"player": player, "score": score, **more}
    return world.api().post(f"/leaderboards/{world.game.uuid}/{key}/scores", body)


def settle(world: World, *rows: FlaggedScore, approves: bool = True) -> reviewing.Settled:
    return services.settle(
        world.studio.pk,
        [row.uuid for row in rows],
        approves=approves,
        reason="Checked the replay",
        actor="user:support@studio.example",
        at=timezone.now(),
    )


def held() -> list[int]:
    return [-value for value in Score.objects.order_by("-sort_value").values_list("sort_value", flat=True)]


def test_a_score_beyond_the_bound_is_answered_like_any_other_and_stands_nowhere(world: World) -> None:
    board(world)
    plain = submit(world, 1000).json()
    answer = submit(world, 1001)
    assert answer.status_code == 202
    said = answer.json()
    assert said["status"] == "submitted"
    assert said["spans"] == [{**plain["spans"][0], "score": 1001, "new_best": True}]
    assert held() == [1000]
    row = FlaggedScore.objects.get()
    assert (row.sort_value, row.rules, row.state, row.studio_id) == (
        -1001,
        ["bound"],
        "open",
        world.studio.pk,
    )


def test_a_repeated_event_is_answered_as_one_that_counted(world: World) -> None:
    board(world)
    event_id = str(uuid4())
    assert submit(world, 5000, event_id=event_id).status_code == 202
    again = submit(world, 5000, event_id=event_id)
    assert (again.status_code, again.json()["status"]) == (200, "already_submitted")
    assert again.json()["spans"][0]["score"] == 5000
    assert FlaggedScore.objects.get().submissions == 1
    assert not Score.objects.exists()


@pytest.mark.parametrize(
    ("operator", "kept", "after"), [("best", 3000, 3000), ("last", 2000, 2000), ("sum", 6500, 6510)]
)
def test_of_several_one_waits_as_the_board_weighs_them(
    world: World, operator: str, kept: int, after: int
) -> None:
    board(world, operator=operator)
    submit(world, 10)
    for score in (1500, 3000, 2000):
        submit(world, score)
    row = FlaggedScore.objects.get()
    assert (-row.sort_value, row.submissions) == (kept, 3)
    assert held() == [10]
    assert settle(world, row).done == 1
    assert held() == [after]


def test_a_batch_keeps_one_for_each_player(world: World) -> None:
    board(world)
    scores = [{"player": f"p-{n % 2}", "score": 2000 + n} for n in range(10)]
    answer = world.api().post(f"/leaderboards/{world.game.uuid}/high-score/scores/batch", {"scores": scores})
    assert answer.json()["submitted"] == 10
    assert sorted(-value for value in FlaggedScore.objects.values_list("sort_value", flat=True)) == [
        2008,
        2009,
    ]


def test_on_a_board_where_less_is_better_the_bound_is_below(world: World) -> None:
    board(world, bound=60.5, sort="asc", decimals=2)
    submit(world, 60.5)
    submit(world, 3.25)
    assert Score.objects.get().sort_value == 6050
    found = reviewing.page(world.studio.pk, reviewing.Wanted(), kinds=["score"], after=None, limit=5)
    assert found[0].evidence == ("3.25 is better than the bound of 60.50.",)


def test_a_score_far_from_all_others_is_held_back(world: World) -> None:
    made = board(world, bound=None)
    scores = [{"player": f"p-{n}", "score": 100 + n} for n in range(40)]
    path = f"/leaderboards/{world.game.uuid}/high-score"
    world.api().post(f"{path}/scores/batch", {"scores": scores})
    assert world.api().put(f"{path}/plausibility", {"z_score": 4}).json() == {"bound": None, "z_score": 4.0}
    submit(world, 150, "fast")
    submit(world, 100_000, "cheat")
    assert FlaggedScore.objects.get().rules == ["zscore"]
    found = reviewing.page(world.studio.pk, reviewing.Wanted(), kinds=["score"], after=None, limit=5)
    assert "standard deviations better than the mean of 120 over 40 players" in found[0].evidence[0]
    assert Score.objects.filter(period__leaderboard=made).count() == 41


def test_an_approved_one_counts_as_of_its_time_and_is_told(world: World) -> None:
    board(world)
    submit(world, 5000, metadata={"replay": 7})
    row = FlaggedScore.objects.get()
    assert settle(world, row) == reviewing.Settled(1, 0, ())
    score = Score.objects.get()
    assert (score.sort_value, score.reached_at, score.event_id) == (-5000, row.reached_at, row.event_id)
    assert score.metadata == '{"replay":7}'
    row.refresh_from_db()
    assert (row.state, row.reason) == ("approved", "Checked the replay")
    entry = AuditEntry.objects.get(action="score.approve")
    assert entry.details == {
        "game": str(world.game.uuid),
        "leaderboard": "high-score",
        "period": "all",
        "score": "5,000",
    }
    assert settle(world, row, approves=False) == reviewing.Settled(0, 1, ())
    assert held() == [5000]


def test_a_rejected_one_is_dropped(world: World) -> None:
    board(world)
    submit(world, 5000)
    row = FlaggedScore.objects.get()
    assert settle(world, row, approves=False).done == 1
    assert settle(world, row).before == 1
    assert not Score.objects.exists()
    assert AuditEntry.objects.filter(action="score.reject").count() == 1


def test_what_came_for_a_period_that_is_final_keeps_waiting_and_says_so(world: World) -> None:
    made = board(world, reset="daily")
    submit(world, 5000)
    row = FlaggedScore.objects.get()
    Period.objects.filter(leaderboard=made).update(state="final")
    settled = settle(world, row)
    assert settled.done == 0
    assert "is final" in settled.left[0]
    assert FlaggedScore.objects.get().state == "open"


def test_a_banned_player_s_waits(world: World) -> None:
    board(world)
    submit(world, 5000)
    factories.ban(world.studio, "p-1")
    assert settle(world, FlaggedScore.objects.get()).left == ("p-1 is banned: let the player back first.",)
    assert submit(world, 6000).status_code == 403
    assert FlaggedScore.objects.get().submissions == 1


def test_a_reset_drops_what_waits_and_a_board_with_something_waiting_is_not_deleted(world: World) -> None:
    board(world)
    submit(world, 5000)
    path = f"/games/{world.game.uuid}/leaderboards/high-score"
    assert world.api().delete(path).status_code == 409
    assert world.api().patch(path, {"decimals": 2}).status_code == 409
    assert world.api().post(f"{path}/reset", {"reason": "Season 2"}).status_code in (200, 202)
    assert not FlaggedScore.objects.exists()


def test_a_bound_follows_the_decimals(world: World) -> None:
    board(world)
    path = f"/games/{world.game.uuid}/leaderboards/high-score"
    assert world.api().patch(path, {"decimals": 2}).status_code == 200
    answer = world.api().get(f"/leaderboards/{world.game.uuid}/high-score/plausibility")
    assert answer.json() == {"bound": 1000, "z_score": None}


def test_a_board_without_rules_sends_the_statements_that_it_always_sent(world: World) -> None:
    board(world, bound=None)
    factories.player(world.studio, "p-1")
    submit(world, 1)
    with CaptureQueriesContext(connection) as captured:
        submit(world, 2)
    assert not any("flagged" in one["sql"] or "stddev" in one["sql"] for one in captured)


@pytest.mark.django_db(transaction=True)
def test_what_a_stat_feeds_is_weighed_too(open_world: World) -> None:
    factories.stat(open_world.game, "kills")
    board(open_world, stat="kills")
    assert open_world.report(kills={"add": 5000}).status_code == 202
    for _ in range(2):
        followers.drain(feeding.FOLLOWER)
    assert -FlaggedScore.objects.get().sort_value == 5000
    assert not Score.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_player_from_many_threads_waits_once(open_world: World) -> None:
    board(open_world, operator="sum")

    def send(number: int) -> int:
        try:
            return int(submit(open_world, 2000 + number).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(send, range(24))) == {202}
    row = FlaggedScore.objects.get()
    assert (-row.sort_value, row.submissions) == (sum(2000 + n for n in range(24)), 24)
    assert not Score.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_deciding_while_the_player_goes_on_loses_and_doubles_nothing(open_world: World) -> None:
    board(open_world, operator="sum")
    submit(open_world, 2000)

    def act(number: int) -> int:
        try:
            if number % 4 == 0:
                rows = list(FlaggedScore.objects.filter(state="open"))
                return settle(open_world, *rows).done * 0 + 202
            return int(submit(open_world, 2000).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(act, range(32))) == {202}
    settle(open_world, *FlaggedScore.objects.filter(state="open"))
    assert held() == [25 * 2000]
    assert sum(FlaggedScore.objects.values_list("submissions", flat=True)) == 25


def test_the_queue_shows_scores_beside_unlocks_and_filters_them(world: World) -> None:
    board(world)
    submit(world, 5000)
    factories.flagged_unlock(world.game)
    support = member(world.studio, "support")
    both = support.get("review-queue", world.studio.uuid).content.decode()
    assert "5,000 is better than the bound of 1,000." in both
    assert "Finale" in both
    page = support.client.get(f"/portal/{world.studio.uuid}/review", {"kind": "score"}).content.decode()
    assert "Finale" not in page
    row = FlaggedScore.objects.get()
    one = support.get("review-entry", world.studio.uuid, "score", row.uuid)
    assert one.status_code == 200
    answer = support.post("review-entry", world.studio.uuid, "score", row.uuid, act="approve", reason="")
    assert answer.status_code == 302
    assert held() == [5000]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"bound": "1000"}, 422, "/bound"),
        ({"bound": True}, 422, "/bound"),
        ({"bound": 1.5}, 422, "/bound"),
        ({"bound": 10**40}, 422, "/bound"),
        ({"z_score": 0.5}, 422, "/z_score"),
        ({"z_score": "4"}, 422, "/z_score"),
        ({"z_score": 101}, 422, "/z_score"),
        ({"limit": 1}, 400, None),
        ([], 400, None),
    ],
)
def test_rules_that_cannot_be_are_refused_and_change_nothing(
    world: World, body: Any, status: int, pointer: str | None
) -> None:
    made = board(world, bound=None)
    answer = world.api().put(f"/leaderboards/{world.game.uuid}/high-score/plausibility", body)
    assert answer.status_code == status
    if pointer:
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    made.refresh_from_db()
    assert (made.flag_units, made.flag_z, made.version) == (None, None, 1)
    assert not AuditEntry.objects.exists()


def test_rules_are_for_who_may_define_and_for_one_s_own_boards(world: World) -> None:
    board(world, bound=None)
    path = f"/leaderboards/{world.game.uuid}/high-score/plausibility"
    reader = factories.api(factories.server_key(world.studio, scopes=["definitions:read"]))
    stranger = factories.api(factories.server_key(factories.studio()))
    device = factories.api(factories.player_token(world.game, factories.player(world.studio)))
    assert reader.get(path).status_code == 200
    assert reader.put(path, {"bound": 5}).status_code == 403
    assert stranger.get(path).status_code == stranger.put(path, {}).status_code == 404
    assert device.put(path, {}).status_code == 403
    assert world.api().put(path.replace("high-score", "nope"), {}).status_code == 404
    assert world.api().put(path.replace("high-score", "points"), {}).status_code == 409
    assert world.api().get(path.replace("high-score", "points")).status_code == 409


def test_a_board_that_adds_up_has_no_z_score(world: World) -> None:
    board(world, bound=None, operator="sum")
    answer = world.api().put(f"/leaderboards/{world.game.uuid}/high-score/plausibility", {"z_score": 4})
    assert answer.status_code == 422


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_what_is_worse_than_bound_and_mean_is_plausible(sort_value: int, bound: int) -> None:
    spread = Spread(100, float(bound), 10.0)
    found = broken(sort_value, bound=bound, most_z=1, spread=spread)
    assert [one["rule"] for one in found if one["rule"] == "bound"] == (
        ["bound"] if sort_value < bound else []
    )
    if sort_value >= bound - 10:
        assert not any(one["rule"] == "zscore" for one in found)


def test_few_players_and_equal_ones_have_no_spread() -> None:
    assert broken(-(10**6), bound=None, most_z=2, spread=Spread(29, 0.0, 1.0)) == ()
    assert broken(-(10**6), bound=None, most_z=2, spread=Spread(100, 0.0, 0.0)) == ()
    assert broken(-(10**6), bound=None, most_z=2, spread=None) == ()


@pytest.mark.parametrize("value", [True, "4", 0, 101, [], {}])
def test_a_z_score_that_cannot_be_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="number"):
        clean_z(value)
