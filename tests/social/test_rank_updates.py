"""Players are told where they stand once their own score moved, at most once a minute for a board."""

from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis

from accounts.models import Game
from core import followers
from leaderboards import filling, keys, rebuilding
from leaderboards.keys import Board
from leaderboards.models import Period, PeriodState
from leaderboards.services import scores, telling
from leaderboards.services.scores import ScoreRequest
from social.models import Notification
from tests import factories
from tests.social.clients import Socket
from tests.social.conftest import LiveServer
from tests.social.world import World

MINUTE = timedelta(seconds=61)


@pytest.fixture
def board(world: World) -> str:
    followers.drain("leaderboards")
    telling._valkey().flushall()
    return factories.leaderboard(Game.objects.get(pk=world.game.id), decimals=1).key


def submit(world: World, *rows: tuple[str, float]) -> None:
    requests = [ScoreRequest(player, int(score)) for player, score in rows]
    scores.submit_many(
        game=world.game, key="high-score", requests=requests, by=scores.SERVER, at=timezone.now()
    )
    followers.drain("leaderboards")


def tell(world: World, *, after: timedelta = timedelta()) -> int:
    """Let the job run some time from now, and social hear of it."""
    told = telling.tell_ranks(now=timezone.now() + after)
    world.tell()
    return told


def inbox(world: World, name: str) -> list[tuple[str, object]]:
    rows = Notification.objects.filter(player_id=world.player(name).id).order_by("seq")
    return [(row.kind, row.payload) for row in rows if row.kind == "leaderboard.updated"]


def test_a_score_that_moved_is_told_on_the_open_page_and_once(
    world: World, live: LiveServer, board: str
) -> None:
    with Socket(live.socket) as anna, Socket(live.socket) as cleo:
        anna.authenticate(world.token("anna"))
        cleo.authenticate(world.token("cleo"))
        submit(world, ("anna", 5), ("ben", 7))
        assert tell(world) == 2
        event = anna.hear()
        assert event["type"] == "leaderboard.updated"
        assert event["data"] == {
            "game_id": str(world.game.uuid),
            "board": "high-score",
            "rank": 2,
            "previous_rank": None,
            "score": 5.0,
        }
        assert tell(world) == 0
        assert anna.hears_nothing()
        assert cleo.hears_nothing()


def test_a_second_move_within_a_minute_waits_for_it(world: World, board: str) -> None:
    submit(world, ("anna", 5), ("ben", 7))
    tell(world)
    submit(world, ("anna", 9))
    assert tell(world) == 0
    assert tell(world, after=timedelta(seconds=30)) == 0
    assert tell(world, after=MINUTE) == 1
    assert len(inbox(world, "anna")) == 1
    assert '"rank":1,"previous_rank":2' in str(inbox(world, "anna")[0][1])


def test_what_was_read_stays_beside_the_news(world: World, board: str) -> None:
    submit(world, ("anna", 5))
    tell(world)
    Notification.objects.update(read_at=timezone.now())
    submit(world, ("anna", 9))
    tell(world, after=MINUTE)
    assert len(inbox(world, "anna")) == 2


@pytest.mark.slow
def test_who_did_not_move_is_not_told_though_others_pass_him(world: World, board: str) -> None:
    submit(world, ("anna", 5))
    tell(world)
    submit(world, ("ben", 9))
    assert tell(world, after=MINUTE) == 1
    assert len(inbox(world, "anna")) == 1


@pytest.mark.slow
def test_points_are_told_too(world: World, board: str) -> None:
    world.unlock("anna", "a7")
    followers.drain("leaderboards")
    assert tell(world) == 1
    ((_, payload),) = inbox(world, "anna")
    assert '"board":"points","rank":1,"previous_rank":null,"score":7' in str(payload)


@pytest.mark.slow
def test_a_valkey_that_forgot_tells_less_and_nothing_wrong(world: World, board: str) -> None:
    submit(world, ("anna", 5), ("ben", 7))
    telling._valkey().flushall()
    assert tell(world) == 0
    submit(world, ("anna", 9))
    assert tell(world) == 1
    assert '"rank":1,"previous_rank":null' in str(inbox(world, "anna")[0][1])


@pytest.mark.slow
def test_a_fact_that_is_told_again_adds_nothing(world: World, board: str) -> None:
    submit(world, ("anna", 5))
    tell(world)
    before = inbox(world, "anna")
    followers.rewind("social", fact_id=0)
    world.tell()
    assert inbox(world, "anna") == before


def test_two_who_tell_at_once_tell_once(world: World, board: str) -> None:
    submit(world, ("anna", 5), ("ben", 7))
    first = telling.tell_ranks(now=timezone.now())
    second = telling.tell_ranks(now=timezone.now())
    assert (first, second) == (2, 0)


@pytest.mark.slow
def test_a_replaced_rank_does_not_come_back_when_it_is_told_again(world: World, board: str) -> None:
    submit(world, ("anna", 5))
    tell(world)
    submit(world, ("anna", 9))
    tell(world, after=MINUTE)
    for read_at in (None, timezone.now()):
        Notification.objects.update(read_at=read_at)
        before = inbox(world, "anna")
        world.replay()
        assert inbox(world, "anna") == before
    assert len(before) == 1
    assert '"score":9.0' in str(before[0][1])


@pytest.mark.slow
def test_of_what_was_missed_only_the_last_is_told(world: World, board: str) -> None:
    submit(world, ("anna", 5), ("ben", 7))
    telling.tell_ranks(now=timezone.now())
    submit(world, ("anna", 9))
    telling.tell_ranks(now=timezone.now() + MINUTE)
    world.tell()
    ((_, payload),) = inbox(world, "anna")
    assert '"rank":1,"previous_rank":2' in str(payload)
    assert len(inbox(world, "ben")) == 1


@pytest.mark.slow
def test_ranks_wait_while_the_board_is_filled(world: World, board: str) -> None:
    submit(world, ("anna", 5))
    order = Board(world.game.id, None, Period.objects.get().pk)
    telling._valkey().delete(keys.ready(order))
    assert tell(world) == 0
    rebuilding.heal([order])
    assert tell(world) == 1


def test_nobody_waits_on_a_board_that_is_gone(world: World, board: str) -> None:
    submit(world, ("anna", 5))
    Period.objects.update(state=PeriodState.DISCARDED)
    filling.drop_for_good(Board(world.game.id, None, Period.objects.get().pk))
    assert tell(world) == 0
    assert not telling._valkey().exists(keys.moving())
    assert inbox(world, "anna") == []


@pytest.mark.slow
def test_who_moves_while_a_board_is_crossed_off_is_told(
    world: World, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey, late = telling._valkey(), [("ben", 7.0)]

    def exists(*names: str) -> int:
        found: int = Redis.exists(valkey, *names)
        if names[0].endswith(":moved") and late:
            submit(world, late.pop())  # after the look, before what follows from it
            telling._sort_notes(at=0)  # as another worker does
        return found

    submit(world, ("anna", 5))
    monkeypatch.setattr(valkey, "exists", exists)
    assert tell(world) == 1
    assert late == []
    assert tell(world) == 1
    assert '"rank":1' in str(inbox(world, "ben")[0][1])
    assert not valkey.exists(keys.moving())


@pytest.mark.slow
def test_notes_that_nobody_sorts_are_bounded_and_the_newest_stay(
    world: World, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "_MOST_NOTES", 2)
    for name in ("anna", "ben", "cleo"):
        submit(world, (name, 5))
    assert telling._valkey().llen(keys.moves()) == 2
    assert tell(world) == 2
    assert [len(inbox(world, name)) for name in ("anna", "ben", "cleo")] == [0, 1, 1]
    assert not telling._valkey().exists(keys.moves())


@pytest.mark.slow
def test_a_thousand_and_more_are_told_in_turn(
    world: World, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "AT_ONCE", 2)
    submit(world, *((f"p{number}", number) for number in range(5)))
    assert [tell(world), tell(world), tell(world), tell(world)] == [2, 2, 1, 0]
    assert [len(inbox(world, f"p{number}")) for number in range(5)] == [1] * 5


def test_a_rank_in_a_period_that_is_final_is_no_news(world: World, board: str) -> None:
    submit(world, ("anna", 5))
    Period.objects.update(state=PeriodState.FINAL)
    assert tell(world) == 0
    assert not telling._valkey().exists(keys.moving())
    assert inbox(world, "anna") == []
