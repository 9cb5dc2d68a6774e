"""Periods end: late scores count within the grace, then the standings are final and stay."""

import csv
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from redis import Redis

from accounts.facts import PlayersChanged
from accounts.models import Game
from core.facts import Fact
from core.refusals import Conflict
from leaderboards import filling, keys, locking, rebuilding, truth
from leaderboards.filling import State
from leaderboards.keys import Board
from leaderboards.models import Leaderboard, Period, PeriodState, Score, Submission
from leaderboards.rules.periods import GRACE
from leaderboards.selectors import definitions
from leaderboards.services import follower, scores, turning
from leaderboards.services.scores import ScoreRequest, Submitted
from tests import factories
from tests.leaderboards.world import World
from tests.plans import plan_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def game(world: World) -> Game:
    return Game.objects.get(pk=world.game.id)


def submit(world: World, *rows: tuple[str, Any], at: datetime = NOON, **about: Any) -> list[Any]:
    requests = [ScoreRequest(player, score, **about) for player, score in rows]
    return scores.submit_many(game=world.game, key="high-score", requests=requests, by=scores.SERVER, at=at)[
        1
    ]


def address(game: Game, rest: str = "") -> str:
    return f"/leaderboards/{game.uuid}/high-score{rest}"


def ended_facts() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM core_fact WHERE kind = 'leaderboard_period_ended'")
        return [row[0] for row in cursor.fetchall()]


def test_a_period_is_open_then_finalising_then_final(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily", spans=["all"])
    submit(world, ("a", 5), ("b", 7), ("c", 5))
    day = Period.objects.get(span="day")
    for at, state in (
        (MIDNIGHT - timedelta(seconds=1), "open"),
        (MIDNIGHT, "finalising"),
        (MIDNIGHT + timedelta(minutes=14), "finalising"),
        (MIDNIGHT + timedelta(minutes=15), "final"),
    ):
        turning.turn_periods(now=at)
        day.refresh_from_db()
        assert day.state == state
    assert (day.players, day.finalised_at) == (3, MIDNIGHT + timedelta(minutes=15))
    assert Period.objects.get(span="all").state == "open"


def test_the_end_is_announced_once_however_often_it_is_looked_for(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    submit(world, ("a", 5), ("b", 7))
    after = MIDNIGHT + timedelta(hours=1)
    assert turning.turn_periods(now=after) == 1
    assert turning.turn_periods(now=after) == 0
    (fact,) = ended_facts()
    period = Period.objects.get()
    names = world.names()
    assert (fact["key"], fact["name"], fact["span"], fact["players"]) == (
        "high-score",
        "2026-11-25",
        "day",
        2,
    )
    assert fact["standings_hash"] == bytes(period.standings_hash or b"").hex()
    assert [(names[player], rank, units) for player, rank, units in fact["top"]] == [("b", 1, 7), ("a", 2, 5)]


def test_two_beats_at_once_go_through_the_standings_once(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    submit(world, ("a", 5), ("b", 7))
    after, period = MIDNIGHT + timedelta(hours=1), Period.objects.get().pk

    def beat() -> int:
        try:
            return turning.turn_periods(now=after)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as another:
        with transaction.atomic():
            assert locking.try_hashing(period)
            assert another.submit(beat).result() == 0
            assert Period.objects.get().state == "final"
            assert ended_facts() == []
            with connection.cursor() as cursor:  # and what holds the lock holds no follower back
                cursor.execute("SELECT pg_current_xact_id_if_assigned()")
                assert cursor.fetchone() == (None,)
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(lambda _: beat(), range(8))) == 1
    assert len(ended_facts()) == 1


@pytest.mark.slow
def test_a_period_that_cannot_become_final_keeps_no_other_from_it(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily", spans=["month"])
    submit(world, ("a", 5))
    day, month = Period.objects.order_by("span")
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE leaderboards_period ADD CONSTRAINT broken CHECK (id <> %s OR state <> 'final')",
            [day.pk],
        )
    try:
        assert turning.turn_periods(now=MIDNIGHT + timedelta(days=40)) == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE leaderboards_period DROP CONSTRAINT broken")
    month.refresh_from_db()
    assert month.state == "final"
    assert turning.turn_periods(now=MIDNIGHT + timedelta(days=40)) == 1
    assert [fact["span"] for fact in ended_facts()] == ["month", "day"]


@pytest.mark.parametrize(
    ("about", "scored_at", "ends_at"),
    [
        # Clocks in Berlin go back on 2026-10-25 and forward on 2027-03-28.
        ({"reset": "daily"}, "2026-10-25T12:00+01:00", "2026-10-25T23:00Z"),
        ({"reset": "weekly"}, "2026-10-20T12:00+02:00", "2026-10-25T23:00Z"),
        ({"reset": "monthly"}, "2026-10-02T12:00+02:00", "2026-10-31T23:00Z"),
        ({"reset": "cron", "cron": "0 18 * * 5"}, "2026-10-24T12:00+02:00", "2026-10-30T17:00Z"),
        ({"reset": "weekly"}, "2027-03-24T12:00+01:00", "2027-03-28T22:00Z"),
    ],
)
def test_a_period_turns_by_the_clock_of_its_place(
    world: World, game: Game, about: dict[str, Any], scored_at: str, ends_at: str
) -> None:
    factories.leaderboard(game, time_zone="Europe/Berlin", **about)
    end, second = datetime.fromisoformat(ends_at), timedelta(seconds=1)
    submit(world, ("a", 5), at=datetime.fromisoformat(scored_at))
    for at, state in (
        (end - second, "open"),
        (end, "finalising"),
        (end + GRACE - second, "finalising"),
        (end + GRACE, "final"),
    ):
        turning.turn_periods(now=at)
        assert Period.objects.get().state == state


def test_whoever_died_in_between_is_gone_on_from(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    submit(world, ("a", 5))
    Period.objects.update(state="final", finalised_at=MIDNIGHT)  # and no hash: the worker died before it
    assert turning.turn_periods(now=MIDNIGHT + timedelta(hours=1)) == 1
    assert len(ended_facts()) == 1
    assert Period.objects.get().players == 1


def test_a_late_score_counts_until_the_grace_is_over(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    late = MIDNIGHT - timedelta(seconds=3)
    submit(world, ("a", 5))
    turning.turn_periods(now=MIDNIGHT)
    (taken,) = submit(world, ("a", 9), at=MIDNIGHT + timedelta(minutes=5), achieved_at=late)
    assert isinstance(taken, Submitted)
    turning.turn_periods(now=MIDNIGHT + timedelta(minutes=15))
    (refused,) = submit(world, ("a", 99), at=MIDNIGHT + timedelta(minutes=14), achieved_at=late)
    assert isinstance(refused, Conflict)
    assert Score.objects.get().sort_value == -9


def test_a_board_that_ends_ends_its_period_and_takes_late_scores_for_a_while(
    world: World, game: Game
) -> None:
    factories.leaderboard(game, ends_at=MIDNIGHT)
    submit(world, ("a", 5))
    turning.turn_periods(now=MIDNIGHT)
    assert Period.objects.get().state == "finalising"
    late = MIDNIGHT - timedelta(seconds=3)
    (refused,) = submit(world, ("a", 7), at=MIDNIGHT + timedelta(minutes=1))
    assert isinstance(refused, Conflict)
    (taken,) = submit(world, ("a", 9), at=MIDNIGHT + timedelta(minutes=1), achieved_at=late)
    assert isinstance(taken, Submitted)
    turning.turn_periods(now=MIDNIGHT + timedelta(minutes=15))
    assert Period.objects.get().state == "final"


def test_submissions_on_their_way_are_in_the_final_standings_or_refused(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily", operator="sum")
    submit(world, ("p0", 1))
    Period.objects.update(state="finalising")
    taken: list[int] = []

    def go_on_until_refused(number: int) -> None:
        try:
            for _ in range(2000):
                (result,) = submit(world, (f"p{number}", 1), at=NOON)
                if isinstance(result, Conflict):
                    return
                taken.append(1)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(go_on_until_refused, number) for number in range(8)]
        while len(taken) < 40:
            pass
        assert turning.finalise(Period.objects.get().pk, now=MIDNIGHT)
        at_the_end = sum(-row.sort_value for row in Score.objects.all())
        for writer in writers:
            writer.result()
    assert sum(-row.sort_value for row in Score.objects.all()) == at_the_end == len(taken) + 1
    call_command("verify_standings")


@pytest.mark.parametrize("tie_break", ["shared", "dense", "earliest"])
def test_the_file_of_the_standings_is_what_its_hash_says(world: World, game: Game, tie_break: str) -> None:
    factories.leaderboard(game, reset="daily", sort="asc", decimals=2, tie_break=tie_break)
    world.players(1)
    world.move(("p0", "-EU"))
    api = world.api()
    hostile = {"note": '=cmd|"/c calc"!A1\n", x'}
    submit(world, ("p0", 7), ("p1", 3), ("p2", 7), metadata=hostile)
    submit(world, ("p3", 9))
    assert api.get(address(game, "/periods/2026-11-25/standings")).status_code == 409
    turning.turn_periods(now=MIDNIGHT + timedelta(hours=1))
    answer = api.get(address(game, "/periods/2026-11-25/standings"))
    body = b"".join(answer.streaming_content)
    period = api.get(address(game, "/periods/2026-11-25")).json()
    assert hashlib.sha256(body).hexdigest() == period["standings_hash"]
    assert (period["state"], period["players"]) == ("final", 4)
    assert answer.headers["ETag"] == f'"{period["standings_hash"]}"'
    assert answer.headers["Cache-Control"] == "private, max-age=0"
    rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
    assert rows[0] == ["rank", "player_id", "region", "score", "reached_at", "metadata"]
    ranks = {"shared": "1224", "dense": "1223", "earliest": "1234"}[tie_break]
    assert [row[0] for row in rows[1:]] == list(ranks)
    assert [row[3] for row in rows[1:]] == ["3.00", "7.00", "7.00", "9.00"]
    assert rows[2][2] == "'-EU"
    again = api.get(address(game, "/periods/2026-11-25/standings"), If_None_Match=answer.headers["ETag"])
    assert again.status_code == 304


def test_caches_keep_final_standings_no_longer_than_boards(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    submit(world, ("a", 5))
    turning.turn_periods(now=MIDNIGHT + timedelta(hours=1))
    public = factories.api()
    board = public.get(address(game))
    for period in ("2026-11-25", "previous"):
        answer = public.get(address(game, f"/periods/{period}/standings"))
        again = public.get(
            address(game, f"/periods/{period}/standings"), If_None_Match=answer.headers["ETag"]
        )
        assert (answer.status_code, again.status_code) == (200, 304)
        for one in (answer, again):
            assert one.headers["Cache-Control"] == board.headers["Cache-Control"]
            assert "Authorization" in one.headers["Vary"]


def test_nothing_of_a_final_period_can_be_written_past_us(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    submit(world, ("a", 5))
    turning.turn_periods(now=MIDNIGHT + timedelta(hours=1))
    for write in (
        lambda: Score.objects.update(sort_value=-99),
        lambda: Score.objects.all().delete(),
        lambda: Score.objects.bulk_create(
            [
                Score(
                    player_id=1,
                    period=Period.objects.get(),
                    studio_id=game.studio_id,
                    region="",
                    sort_value=1,
                    reached_at=NOON,
                    attempts=1,
                    event_id="019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11",
                    version=1,
                )
            ]
        ),
    ):
        with pytest.raises(IntegrityError, match="final period stay"):
            write()
    call_command("verify_standings")


def test_standings_that_are_not_what_became_final_are_found(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    submit(world, ("a", 5))
    turning.turn_periods(now=MIDNIGHT + timedelta(hours=1))
    Period.objects.update(standings_hash=b"another")
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("verify_standings")
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("verify_standings", game=str(game.uuid))
    another = factories.game(factories.studio())
    call_command("verify_standings", game=str(another.uuid))
    with pytest.raises(CommandError, match="no game"):
        call_command("verify_standings", game="nothing")


def test_who_moves_afterwards_stays_where_he_was_in_final_standings(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    world.players(1)
    world.move(("p0", "EU"))
    submit(world, ("p0", 5))
    turning.turn_periods(now=MIDNIGHT + timedelta(hours=1))
    world.move(("p0", "NA"))
    world.follow()
    assert Score.objects.get().region == "EU"
    call_command("verify_standings")


def test_who_moves_while_his_period_ends_stands_where_its_hash_says(world: World, game: Game) -> None:
    factories.leaderboard(game, reset="daily")
    world.players(1)
    world.move(("p0", "EU"))
    submit(world, ("p0", 5))
    world.follow()
    period, player = Period.objects.get().pk, Score.objects.get().player_id
    Period.objects.update(state="finalising")
    moving = Fact(1, 1, NOON, PlayersChanged.kind, None, {"players": [[player, "NA"]]})
    ended: list[bool] = []

    def end() -> None:
        try:
            ended.append(turning.finalise(period, now=MIDNIGHT))
        finally:
            connection.close()

    ender = Thread(target=end)
    with transaction.atomic():
        follower.apply_facts([moving])
        ender.start()
        ender.join(0.5)
        assert not ended  # it waits for the move
    ender.join()
    assert ended == [True]
    assert Score.objects.get().region == "NA"
    call_command("verify_standings")


def test_periods_are_listed_newest_first(world: World, game: Game) -> None:
    row = factories.leaderboard(game, reset="daily")
    for day in range(3):
        submit(world, ("a", day), at=NOON + timedelta(days=day))
    api = world.api()
    first = api.get(address(game, "/periods?limit=2")).json()
    assert [one["id"] for one in first["results"]] == ["2026-11-27", "2026-11-26"]
    second = api.get(address(game, f"/periods?cursor={first['next_cursor']}")).json()
    assert [one["id"] for one in second["results"]] == ["2026-11-25"]
    assert second["results"][0]["standings_hash"] is None
    assert api.get(address(game, "/periods/1999-01-01")).status_code == 404
    assert api.get(address(game, "/periods?cursor=forged.one")).status_code == 400
    other = factories.leaderboard(game, "other")
    assert other.pk != row.pk
    assert (
        api.get(f"/leaderboards/{game.uuid}/other/periods?cursor={first['next_cursor']}").status_code == 400
    )
    assert api.get(f"/leaderboards/{game.uuid}/points/periods").status_code == 404
    stranger = factories.api(factories.server_key(factories.studio()))
    assert stranger.get(address(game, "/periods")).status_code == 404
    assert factories.api().get(address(game, "/periods")).json()["results"] == [
        *first["results"],
        *second["results"],
    ]


def test_valkey_keeps_what_is_live_and_the_newest_final_period_of_each_span(
    world: World, game: Game, valkey: Redis
) -> None:
    board: Leaderboard = factories.leaderboard(game, reset="daily", spans=["all"])
    for day in range(3):
        submit(world, ("a", 5), at=NOON + timedelta(days=day))
    world.follow()
    turning.turn_periods(now=MIDNIGHT + timedelta(days=1, hours=1))
    assert follower.tidy_boards() == 1
    info = definitions.fresh_boards(game.pk)[board.key]
    orders = [info.order(period.pk) for period in Period.objects.order_by("name")]
    states = [filling.states([order])[order] for order in orders]
    assert states == [State.MISSING, State.READY, State.READY, State.READY]
    assert valkey.exists(keys.order(orders[0]), keys.entries(orders[0])) == 0
    page = world.api().get(f"{address(game)}?period=2026-11-25").json()
    assert [row["score"] for row in page["results"]] == [5]
    assert follower.tidy_boards() == 0


def test_a_final_board_is_compared_after_a_restart_and_else_left_alone(
    world: World, game: Game, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    board: Leaderboard = factories.leaderboard(game, reset="daily")
    submit(world, ("a", 5))
    world.follow()
    turning.turn_periods(now=MIDNIGHT + timedelta(hours=1))
    order = definitions.info_of(board).order(Period.objects.get().pk)
    monkeypatch.setattr(rebuilding, "INLINE_PLAYERS", 0)  # what is healed becomes a task
    assert follower.tidy_boards() == 0
    assert not valkey.exists(keys.asked(order))
    valkey.set(keys.ready(order), "a run before this one")
    assert follower.tidy_boards() == 0
    assert valkey.exists(keys.asked(order))


def test_boards_are_listed_by_as_many_queries_however_many_periods_and_regions_there_are(
    world: World, game: Game
) -> None:
    def listed() -> tuple[int, set[Board]]:
        with CaptureQueriesContext(connection) as captured:
            boards = truth.boards()
        return len(captured), {board for board in boards if board.period_id is not None}

    def of_period(pk: int, regions: set[str | None]) -> set[Board]:
        return {Board(game.pk, region, pk) for region in regions}

    world.players(3)
    world.move(("p0", "EU"), ("p1", "NA"))
    factories.leaderboard(game)
    submit(world, ("p2", 1))
    few, boards = listed()
    first = Period.objects.get().pk
    assert boards == of_period(first, {None})
    submit(world, ("p0", 1), ("p1", 2))
    factories.leaderboard(game, "other", spans=["day"])
    requests = [ScoreRequest("p1", 7)]
    scores.submit_many(game=world.game, key="other", requests=requests, by=scores.SERVER, at=NOON)
    many, boards = listed()
    expected = of_period(first, {None, "EU", "NA"})
    for pk in Period.objects.exclude(pk=first).values_list("pk", flat=True):
        expected |= of_period(pk, {None, "NA"})
    assert boards == expected
    assert len(expected) == 7
    assert many == few


def test_periods_that_turn_are_found_by_index_among_those_that_are_final(world: World, game: Game) -> None:
    board: Leaderboard = factories.leaderboard(game, reset="daily")
    Period.objects.bulk_create(
        Period(
            leaderboard=board,
            studio_id=board.studio_id,
            span="day",
            name=str(number),
            state=PeriodState.FINAL,
            standings_hash=b"-",
        )
        for number in range(3_000)
    )
    submit(world, ("a", 5))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leaderboards_period")
    live = Period.objects.filter(state__in=[PeriodState.OPEN, PeriodState.FINALISING]).order_by("id")
    assert "periods_that_may_change" in live.explain()
    assert "periods_that_may_change" in plan_of(turning._END, [NOON])
    due = plan_of(turning._DUE, [NOON])
    assert "periods_that_may_change" in due
    assert "final_periods_to_hash" in due


def test_old_submissions_are_found_by_their_time(world: World) -> None:
    assert "submissions_in_time" in plan_of(turning._FORGET, [NOON, 5_000])


def test_events_of_submissions_are_forgotten_after_two_weeks(world: World, game: Game) -> None:
    factories.leaderboard(game)
    submit(world, ("a", 5), event_id=UUID(int=7))
    now = Submission.objects.get().heard_at
    assert turning.forget_submissions(now=now + timedelta(days=13)) == 0
    assert turning.forget_submissions(now=now + timedelta(days=15)) == 1
    assert not Submission.objects.exists()
