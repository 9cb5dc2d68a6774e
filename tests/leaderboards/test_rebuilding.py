"""Boards heal by themselves, are never shown in part, and a rebuilt one equals the one that was lost."""

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import cast
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from leaderboards import comparing, filling, keys, reading, rebuilding, tasks, truth
from leaderboards.filling import Change, State
from leaderboards.keys import Board
from leaderboards.listing import FromOffset
from leaderboards.selectors.standings import rank_of
from leaderboards.services import follower as services
from leaderboards.truth import Entry
from tests.leaderboards.test_listener import contents
from tests.leaderboards.world import World, all_boards, recomputed, whole


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once at what differs."""
    monkeypatch.setattr(comparing, "LOOK_AGAIN_S", 0.0)


def played(world: World) -> None:
    world.unlock(*((f"p{n}", f"a{k}") for n in range(12) for k in range(n % 5 + 1)))
    world.move(*((f"p{n}", ("EU", "NA")[n % 2]) for n in range(9)))
    world.follow()


def checked(*arguments: str) -> str:
    output = StringIO()
    call_command("rebuild_boards", *arguments, stdout=output)
    return output.getvalue()


def test_a_rebuilt_board_equals_the_one_that_unlocks_made(world: World, valkey: Redis) -> None:
    played(world)
    made = {key: value for key, value in contents(valkey).items() if key.endswith(b":order")}
    checked()
    rebuilt = {key: value for key, value in contents(valkey).items() if key.endswith(b":order")}
    assert rebuilt == made
    assert checked("--check").startswith("0 differences: 6 boards")


def test_postgresql_answers_after_flushall_and_the_check_makes_the_boards_ready(
    world: World, valkey: Redis
) -> None:
    played(world)
    expected = {board: whole(board) for board in all_boards()}
    valkey.flushall()
    with pytest.raises(reading.NotReady):
        reading.listing(world.board, FromOffset(0), limit=1)
    assert {board: whole(board) for board in all_boards()} == expected
    services.check_boards()
    assert {reading.listing(board, FromOffset(0), limit=1).total for board in expected} == {4, 5, 12}
    assert {board: whole(board) for board in all_boards()} == expected


def test_after_flushall_one_more_unlock_heals_its_boards(world: World, valkey: Redis) -> None:
    played(world)
    valkey.flushall()
    world.unlock(("p11", "a7"))
    world.follow()
    assert filling.states([world.board]) == {world.board: State.READY}
    assert whole(world.board) == recomputed(world.board)


def test_a_board_lost_while_it_is_rebuilt_is_not_shown(
    world: World, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(world)
    everyone = truth.everyone

    def lost_midway(board: Board) -> Iterator[Sequence[Entry]]:
        for standings in everyone(board):
            yield standings[:3]
            valkey.flushall()
            yield standings[3:]

    monkeypatch.setattr(truth, "everyone", lost_midway)
    assert rebuilding.rebuild(world.board) is None
    assert filling.states([world.board]) == {world.board: State.MISSING}
    assert whole(world.board) == recomputed(world.board)


def test_a_board_lost_at_the_end_of_its_rebuild_is_not_shown(world: World, valkey: Redis) -> None:
    played(world)
    token = filling.begin(world.board, empty=True)
    assert token is not None
    valkey.flushall()
    assert not filling.fill(world.board, token, [Change(1, 1, 1, 1)])
    assert not filling.end(world.board, token, whole=True)
    assert valkey.dbsize() == 0


def test_a_board_is_rebuilt_by_one_at_a_time(world: World) -> None:
    played(world)
    token = filling.begin(world.board, empty=True)
    assert token is not None
    assert rebuilding.rebuild(world.board) is None
    assert rebuilding.verify(world.board) is None
    filling.end(world.board, token, whole=False)
    assert filling.states([world.board]) == {world.board: State.MISSING}
    assert rebuilding.rebuild(world.board) == 12


def test_what_listeners_write_during_a_rebuild_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rebuild reads, then a player rises and another moves away, then it writes what it has read."""
    played(world)
    everyone = truth.everyone

    def overtaken(board: Board) -> Iterator[Sequence[Entry]]:
        for standings in list(everyone(board)):
            world.unlock(("p0", "a7"), ("p12", "a0"))
            world.move(("p2", "NA"))
            world.follow()
            yield standings

    for board in (world.board, Board(world.game.id, "EU")):
        monkeypatch.setattr(truth, "everyone", overtaken)
        assert rebuilding.rebuild(board) is not None
        monkeypatch.setattr(truth, "everyone", everyone)
        assert filling.states([board]) == {board: State.READY}
        assert whole(board) == recomputed(board)


def test_a_rebuild_removes_what_postgresql_does_not_know(world: World) -> None:
    played(world)
    stranger = Change(player_id=10**9, version=5, reached_us=5, sort_value=-999)
    filling.apply({world.board: [stranger]})
    assert whole(world.board)[0] == (1, 10**9, 999)
    checked("--game", str(world.game.uuid))
    assert whole(world.board) == recomputed(world.board)


def spoil(world: World, valkey: Redis) -> int:
    """Let the game's board be wrong in four ways; return how many players differ."""
    board = world.board
    rows = recomputed(board)
    (lost, old, newer), standings = (
        [row[1] for row in rows[:3]],
        truth.of_players(board, [row[1] for row in rows]),
    )
    member = valkey.zrange(keys.order(board), 0, 0)[0]
    assert isinstance(member, bytes)
    valkey.zrem(keys.order(board), member)
    assert int.from_bytes(member[8:], "big") == lost
    valkey.hdel(keys.entries(board), old.to_bytes(8, "big"))  # leaves its member without an entry
    filling.apply(
        {
            board: [
                Change(old, 0, 77, -5),
                Change(newer, standings[newer].version + 3, 78, -6),
                Change(10**9, 1, 79, -7),
            ]
        }
    )
    return 4


def test_differences_are_counted(world: World, valkey: Redis) -> None:
    played(world)
    assert comparing.check(world.board) == 0
    count = spoil(world, valkey)
    assert comparing.check(world.board) == count
    with pytest.raises(CommandError, match=f"Differences: {count}, on 1 of 6 boards; 0 are not ready"):
        checked("--check")


def test_verifying_mends_what_differs_while_the_board_answers(world: World, valkey: Redis) -> None:
    played(world)
    spoil(world, valkey)
    assert rebuilding.verify(world.board)
    assert comparing.check(world.board) == 0
    assert whole(world.board) == recomputed(world.board)


def test_a_board_from_before_the_servers_last_start_is_compared(world: World, valkey: Redis) -> None:
    """Valkey may lose the last second of writes in a power cut."""
    played(world)
    spoil(world, valkey)
    valkey.set(keys.ready(world.board), "an-earlier-run")
    assert filling.states([world.board]) == {world.board: State.UNVERIFIED}
    services.check_boards()
    assert filling.states([world.board]) == {world.board: State.READY}
    assert whole(world.board) == recomputed(world.board)


def test_what_is_on_its_way_is_no_difference(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    played(world)
    world.unlock(("p3", "a7"), ("p13", "a0"))
    looks = iter(range(100))

    def follow_at_the_second_look(_: float) -> None:
        if next(looks) == 1:
            world.follow()

    monkeypatch.setattr("leaderboards.comparing.time.sleep", follow_at_the_second_look)
    assert comparing.check(world.board) == 0
    assert next(looks) >= 2


def test_a_listener_that_stands_still_is_a_difference(world: World) -> None:
    played(world)
    world.unlock(("p3", "a7"))
    assert comparing.check(world.board) == 1


def test_a_board_that_is_not_ready_is_told(world: World, valkey: Redis) -> None:
    played(world)
    valkey.flushall()
    with pytest.raises(CommandError, match="6 are not ready"):
        checked("--check")


def test_large_boards_are_left_to_tasks_and_asked_for_once(
    world: World, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(world)
    valkey.flushall()
    monkeypatch.setattr(rebuilding, "INLINE_PLAYERS", 8)
    for _ in range(3):
        services.check_boards()
    states = filling.states(all_boards())
    assert {board for board, state in states.items() if state is State.MISSING} == {
        Board(None, None),
        world.board,
    }
    broker = Redis.from_url(broker_url())
    assert broker.llen("bulk") == 2
    for message in cast("list[bytes]", broker.lrange("bulk", 0, -1)):
        arguments, *_ = json.loads(b64decode(json.loads(message)["body"]))
        tasks.rebuild_board(*arguments)
    assert set(filling.states(all_boards()).values()) == {State.READY}
    assert whole(world.board) == recomputed(world.board)


def broker_url() -> str:
    from django.conf import settings  # noqa: PLC0415 - named once the servers run

    return str(settings.CELERY_BROKER_URL)


def test_an_unknown_game_is_refused_by_the_command(world: World) -> None:
    with pytest.raises(CommandError, match="There is no game"):
        checked("--game", str(uuid4()))
    with pytest.raises(CommandError, match="There is no game"):
        checked("--game", "seven")


def test_a_game_that_nobody_plays_has_no_board_and_no_rank(world: World) -> None:
    services.check_boards()
    assert all_boards() == []
    assert whole(world.board) == []
    assert rank_of(world.game.id, 1) is None


def test_a_board_of_many_chunks_is_rebuilt_whole(world: World) -> None:
    count = 2 * filling.CHANGES_A_CALL + 1
    world.standings([(n % 17, n % 5) for n in range(count)], region="EU")
    checked()
    listed = whole(world.board)
    assert len(listed) == count
    assert [row[2] for row in listed] == sorted((n % 17 for n in range(count)), reverse=True)
