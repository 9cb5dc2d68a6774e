"""What a submission makes of what a player holds, in every period of its board."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Game
from core.ids import new_id
from core.refusals import Conflict, Forbidden, Gone, Invalid, NotFound, Refused
from leaderboards.models import Leaderboard, Period, Score
from leaderboards.selectors import definitions
from leaderboards.selectors.standings import Around, FromOffset, page, place, rank
from leaderboards.services import scores
from leaderboards.services.scores import Caller, ScoreRequest, Submitted
from tests import factories
from tests.leaderboards.world import World

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def board(world: World, **fields: Any) -> Leaderboard:
    return factories.leaderboard(Game.objects.get(pk=world.game.id), **fields)


def submit(
    world: World, *rows: tuple[str, Any], at: datetime | None = None, by: Caller = scores.SERVER, **about: Any
) -> list[Submitted | Refused]:
    requests = [ScoreRequest(player, score, **about) for player, score in rows]
    _, results = scores.submit_many(
        game=world.game, key="high-score", requests=requests, by=by, at=at or timezone.now()
    )
    return results


def standing(world: World, period: str = "all") -> list[tuple[int, str, int]]:
    """Return `(rank, player, units)` of a period's whole board, as Valkey and PostgreSQL both have it."""
    world.follow()
    names = world.names()
    info = definitions.fresh_boards(world.game.id)["high-score"]
    row = Period.objects.get(leaderboard_id=info.id, name=period)
    sign = -1 if info.sort == "desc" else 1
    listing = page(info.order(row.pk), FromOffset(0), limit=1000)
    return [
        (rank, names[row.player_id], sign * row.sort_value)
        for rank, row in zip(listing.ranks, listing.rows, strict=True)
    ]


def bests(result: Submitted | Refused) -> dict[str, bool]:
    assert isinstance(result, Submitted)
    return {span.span: span.is_new_best for span in result.spans}


def test_the_best_submission_counts_and_the_first_of_equals_stays(world: World) -> None:
    board(world)
    results = submit(world, ("a", 50), ("b", 70), ("a", 70), ("b", 60), ("a", 70))
    assert [bests(result)["all"] for result in results] == [True, True, True, False, False]
    assert standing(world) == [(1, "b", 70), (1, "a", 70)]


def test_on_a_board_that_sorts_upwards_less_is_better(world: World) -> None:
    board(world, sort="asc", decimals=2)
    submit(world, ("a", Decimal("81.25")), ("b", Decimal("-3")), ("a", Decimal("90.1")))
    assert standing(world) == [(1, "b", -300), (2, "a", 8125)]


def test_the_last_submission_counts_by_its_time(world: World) -> None:
    board(world, operator="last")
    submit(world, ("a", 50), ("a", 40))
    assert standing(world) == [(1, "a", 40)]
    late = Caller(offline=True)
    submit(world, ("a", 99), by=late, achieved_at=timezone.now() - timedelta(hours=1))
    assert standing(world) == [(1, "a", 40)]


@pytest.mark.parametrize("shuffled", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2)])
def test_of_equals_the_first_by_time_counts_in_whatever_order_they_come(
    world: World, shuffled: tuple[int, ...]
) -> None:
    board(world)
    begin = timezone.now() - timedelta(hours=1)
    played = [("a", 70, 3), ("b", 70, 2), ("a", 70, 1), ("a", 60, 0)]
    for index in shuffled:
        player, score, minute = played[index]
        told = begin + timedelta(minutes=minute)
        submit(world, (player, score), by=Caller(offline=True), achieved_at=told, metadata={"minute": minute})
    assert standing(world) == [(1, "a", 70), (1, "b", 70)]
    assert [row.metadata for row in Score.objects.order_by("reached_at")] == ['{"minute":1}', '{"minute":2}']


def test_sums_add_up_exactly_once_for_each_event(world: World) -> None:
    board(world, operator="sum")
    event = new_id()
    for _ in range(3):
        submit(world, ("a", 5), event_id=event)
    results = submit(world, ("a", 7), ("a", -2))
    assert standing(world) == [(1, "a", 10)]
    assert [result.status for result in results if isinstance(result, Submitted)] == ["submitted"] * 2


def test_an_event_of_another_player_is_refused_and_stays_his(world: World) -> None:
    board(world, operator="sum")
    event = new_id()
    submit(world, ("a", 5), event_id=event)
    for _ in range(2):
        (refused,) = submit(world, ("b", 7), event_id=event)
        assert isinstance(refused, Conflict)
    taken, refused = submit(world, ("a", 1), ("b", 1), event_id=new_id())
    assert isinstance(taken, Submitted)
    assert isinstance(refused, Conflict)
    (again,) = submit(world, ("a", 5), event_id=event)
    assert isinstance(again, Submitted)
    assert again.status == "already_submitted"
    assert standing(world) == [(1, "a", 6)]


def test_an_event_twice_in_a_batch_counts_once(world: World) -> None:
    board(world, operator="sum")
    results = submit(world, ("a", 5), ("a", 5), event_id=UUID(int=7))
    assert [result.status for result in results if isinstance(result, Submitted)] == [
        "submitted",
        "already_submitted",
    ]
    assert standing(world) == [(1, "a", 5)]


def test_a_refused_event_may_be_sent_again(world: World) -> None:
    row = board(world, operator="sum")
    largest, event = 2**53, new_id()
    submit(world, ("a", largest))
    (refused,) = submit(world, ("a", 1), event_id=event)
    assert isinstance(refused, Conflict)
    Score.objects.filter(period__leaderboard=row).update(sort_value=-5)
    (taken,) = submit(world, ("a", 1), event_id=event)
    assert isinstance(taken, Submitted)
    assert taken.status == "submitted"


def test_one_submission_feeds_every_span(world: World) -> None:
    board(world, reset="daily", spans=["all", "week", "month"])
    submit(world, ("a", 50), at=NOON)
    results = submit(world, ("a", 40), at=NOON + timedelta(days=1))
    assert bests(results[0]) == {"day": True, "all": False, "week": False, "month": False}
    assert standing(world, "2026-11-25") == [(1, "a", 50)]
    assert standing(world, "2026-11-26") == [(1, "a", 40)]
    assert standing(world, "2026-W48") == standing(world, "2026-11") == standing(world) == [(1, "a", 50)]


def test_a_late_score_counts_for_the_old_period_within_its_grace(world: World) -> None:
    board(world, reset="daily")
    midnight = datetime(2026, 11, 26, tzinfo=UTC)
    just_before = midnight - timedelta(seconds=5)
    submit(world, ("a", 50), at=midnight + timedelta(minutes=10), achieved_at=just_before)
    assert standing(world, "2026-11-25") == [(1, "a", 50)]
    (refused,) = submit(world, ("b", 50), at=midnight + timedelta(minutes=15), achieved_at=just_before)
    assert isinstance(refused, Conflict)


def test_a_final_period_takes_nothing(world: World) -> None:
    board(world, reset="daily", spans=["all"])
    submit(world, ("a", 50), at=NOON)
    Period.objects.filter(span="day").update(state="final")
    (result,) = submit(world, ("a", 60), at=NOON)
    assert isinstance(result, Submitted)
    assert [(span.span, span.counted, span.units) for span in result.spans] == [
        ("day", False, None),
        ("all", True, 60),
    ]
    assert standing(world, "2026-11-25") == [(1, "a", 50)]


def test_attempts_are_limited_in_each_period(world: World) -> None:
    board(world, reset="daily", attempts_limit=2)
    results = submit(world, ("a", 1), ("a", 2), ("a", 3), ("b", 1), at=NOON)
    assert [type(result) for result in results] == [Submitted, Submitted, Conflict, Submitted]
    (result,) = submit(world, ("a", 3), at=NOON + timedelta(days=1))
    assert isinstance(result, Submitted)


def test_a_time_in_a_final_period_gets_round_no_limit(world: World) -> None:
    board(world, reset="daily", spans=["all"], attempts_limit=1)
    submit(world, ("a", 50), at=NOON)
    (refused,) = submit(world, ("a", 60), at=NOON, achieved_at=NOON - timedelta(days=3))
    assert isinstance(refused, Conflict)
    assert standing(world) == [(1, "a", 50)]


@pytest.mark.parametrize(
    ("fields", "score", "refusal"),
    [
        ({}, 2**53 + 1, Invalid),
        ({}, Decimal("1.5"), Invalid),
        ({}, Decimal("Infinity"), Invalid),
        ({}, True, Invalid),
        ({}, "5", Invalid),
        ({"decimals": 2}, Decimal("0.123456789012345678901234567890"), Invalid),
        ({"min_units": 10}, 9, Invalid),
        ({"max_units": 10}, 11, Invalid),
        ({"stat": "kills"}, 5, Conflict),
        ({"archived_at": NOON}, 5, Conflict),
        ({"starts_at": NOON + timedelta(days=9999)}, 5, Conflict),
        ({"ends_at": NOON - timedelta(days=9999)}, 5, Conflict),
    ],
)
def test_what_the_board_does_not_take_is_refused_and_changes_nothing(
    world: World, fields: dict[str, Any], score: Any, refusal: type[Refused]
) -> None:
    board(world, **fields)
    (result,) = submit(world, ("a", score))
    assert isinstance(result, refusal)
    assert not Score.objects.exists()
    assert world.names() == {}


def test_a_score_from_before_the_board_began_is_refused(world: World) -> None:
    board(world, starts_at=NOON)
    later = NOON + timedelta(hours=1)
    (result,) = submit(world, ("a", 5), at=later, achieved_at=NOON - timedelta(seconds=1))
    assert isinstance(result, Conflict)
    assert "2026" in result.detail
    assert not Score.objects.exists()
    (result,) = submit(world, ("a", 5), at=later, achieved_at=NOON)
    assert isinstance(result, Submitted)


def test_other_refusals_change_nothing_either(world: World) -> None:
    board(world)
    (result,) = submit(world, ("a", 5), by=Caller(is_player=True))
    assert isinstance(result, Forbidden)
    (result,) = submit(world, ("a", 5), achieved_at=datetime(1979, 1, 1, tzinfo=UTC))
    assert isinstance(result, Invalid)
    with pytest.raises(NotFound):
        scores.submit_many(
            game=world.game, key="other", requests=[ScoreRequest("a", 1)], by=scores.SERVER, at=NOON
        )
    with pytest.raises(Conflict):
        scores.submit_many(
            game=world.game, key="points", requests=[ScoreRequest("a", 1)], by=scores.SERVER, at=NOON
        )
    assert not Score.objects.exists()


def test_banned_and_erased_players_are_refused_and_the_others_taken(world: World) -> None:
    board(world)
    world.players(3)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_playeridentity SET banned_at = now() WHERE external_id = 'p0'")
        cursor.execute(
            "UPDATE accounts_player SET erased_at = now() WHERE id ="
            " (SELECT player_id FROM accounts_playeridentity WHERE external_id = 'p1')"
        )
    results = submit(world, ("p0", 5), ("p1", 5), ("p2", 5))
    assert [type(result) for result in results] == [Forbidden, Gone, Submitted]
    assert standing(world) == [(1, "p2", 5)]


def test_scores_follow_their_players_to_another_region(world: World) -> None:
    row = board(world)
    world.players(2)
    world.move(("p0", "EU"))
    submit(world, ("p0", 5), ("p1", 6))
    world.follow()
    info = definitions.fresh_boards(world.game.id)["high-score"]
    period = Period.objects.get(leaderboard=row)
    assert len(page(info.order(period.pk, "EU"), FromOffset(0), limit=10).rows) == 1
    world.move(("p0", "NA"))
    world.follow()
    world.follow()
    assert page(info.order(period.pk, "EU"), FromOffset(0), limit=10).rows == []
    assert len(page(info.order(period.pk, "NA"), FromOffset(0), limit=10).rows) == 1


@pytest.mark.parametrize("tie_break", ["shared", "dense", "earliest"])
def test_each_tie_rule_holds_on_every_way_to_ask(world: World, tie_break: str) -> None:
    row = board(world, tie_break=tie_break)
    submit(world, *((f"p{n}", score) for n, score in enumerate([9, 7, 7, 4, 4, 4, 1])))
    expected = {
        "shared": [1, 2, 2, 4, 4, 4, 7],
        "dense": [1, 2, 2, 3, 3, 3, 4],
        "earliest": [1, 2, 3, 4, 5, 6, 7],
    }[tie_break]
    assert [one for one, _, _ in standing(world)] == expected
    info = definitions.fresh_boards(world.game.id)["high-score"]
    order = info.order(Period.objects.get(leaderboard=row).pk)
    players = {name: pk for pk, name in world.names().items()}
    for number, expected_rank in enumerate(expected):
        found = rank(order, players[f"p{number}"])
        assert found is not None
        assert found.rank == expected_rank
        around = page(order, Around(players[f"p{number}"]), limit=3)
        places = [
            one
            for one, row in zip(around.ranks, around.rows, strict=True)
            if row.player_id == players[f"p{number}"]
        ]
        assert places == [expected_rank]
    new = {"shared": (2, 4), "dense": (2, 3), "earliest": (4, 7)}[tie_break]
    assert (place(order, -7).rank, place(order, -4).rank) == new


def test_many_at_once_count_each_once(world: World) -> None:
    board(world, operator="sum")

    def add(number: int) -> None:
        try:
            for _ in range(20):
                submit(world, (f"p{number % 3}", 1), (f"p{(number + 1) % 3}", 1))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert sum(units for _, _, units in standing(world)) == 8 * 20 * 2


def test_metadata_stays_with_the_submission_that_counts(world: World) -> None:
    board(world)
    submit(world, ("a", 5), metadata={"ship": "Heron"})
    submit(world, ("a", 4), metadata={"ship": "Gull"})
    assert Score.objects.get().metadata == '{"ship":"Heron"}'
    (refused,) = submit(world, ("a", 9), metadata={"long": "x" * 5000})
    assert isinstance(refused, Invalid)
