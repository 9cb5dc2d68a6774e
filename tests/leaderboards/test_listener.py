"""What happened comes to the boards once, whatever order and however often it is told."""

from random import Random

import pytest
from redis import Redis

from achievements.facts import AchievementsUnlocked
from core import followers
from core.facts import Fact
from leaderboards import filling
from leaderboards.filling import State
from leaderboards.keys import Board
from leaderboards.services import follower as services
from tests.leaderboards.world import World, all_boards, heard, recomputed, us, whole


def contents(valkey: Redis) -> dict[bytes, object]:
    """Return everything that Valkey holds of boards, but not since when."""
    found: dict[bytes, object] = {}
    for key in valkey.scan_iter(match="leaderboards:*"):
        kind = valkey.type(key)
        if kind == b"zset":
            found[key] = valkey.zrange(key, 0, -1, withscores=True)
        elif kind == b"hash":
            found[key] = valkey.hgetall(key)
    return found


def states() -> set[State]:
    return set(filling.states(all_boards()).values())


def test_the_first_unlock_of_a_new_game_is_on_ready_boards_at_once(world: World) -> None:
    world.move(("p0", "EU"))
    world.unlock(("p0", "a0"))
    world.follow()
    assert all_boards() == [
        Board(None, None),
        Board(world.game.id, None),
        Board(None, "EU"),
        Board(world.game.id, "EU"),
    ]
    assert states() == {State.READY}
    for board in all_boards():
        assert whole(board) == recomputed(board)


def test_later_unlocks_come_to_ready_boards_without_a_rebuild(world: World, valkey: Redis) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"))
    world.follow()
    valkey.config_resetstat()
    world.unlock(("p1", "a1"))
    world.follow()
    assert "cmdstat_unlink" not in valkey.info("commandstats")
    assert whole(world.board) == recomputed(world.board)


def test_repeated_facts_change_nothing(world: World, valkey: Redis) -> None:
    world.unlock(("p0", "a0"), ("p1", "a1"), ("p0", "a2"))
    world.move(("p1", "NA"))
    world.unlock(("p1", "a3"))
    world.follow()
    before = contents(valkey)
    services.apply_facts(heard())
    for fact in heard():
        services.apply_facts([fact])
    assert contents(valkey) == before


@pytest.mark.parametrize("seed", range(6))
def test_facts_in_any_order_come_to_the_same(world: World, valkey: Redis, seed: int) -> None:
    random = Random(seed)
    world.players(5)
    for number in range(8):
        player = f"p{random.randrange(5)}"
        world.unlock((player, f"a{number}"), (f"p{random.randrange(5)}", f"a{(number + 3) % 8}"))
        world.move((player, random.choice(["EU", "NA", ""])))
    world.follow()
    told = heard()
    # What a listener lacks of a board is not there to be ready: so they are filled by the facts alone.
    valkey.flushall()
    random.shuffle(told)
    while told:
        some = random.randrange(1, 6)
        filling.apply(
            {board: list(changes.values()) for board, changes in services.changes_of(told[:some]).items()}
        )
        del told[:some]
    for board in all_boards():
        token = filling.begin(board, empty=False)
        assert token is not None
        filling.end(board, token, whole=True)
        assert whole(board) == recomputed(board)


def test_of_several_totals_of_a_player_the_newest_is_taken_also_when_it_is_told_first() -> None:
    def unlocked(points: int, version: int) -> Fact:
        payload = {"game": 7, "totals": [[1, "EU", points, 1, 5, version]], "unlocks": []}
        return Fact(1, version, us(0), AchievementsUnlocked.kind, 1, payload)

    changes = services.changes_of([unlocked(30, 3), unlocked(10, 1), unlocked(20, 2)])
    assert {board: {-one.sort_value for one in found.values()} for board, found in changes.items()} == {
        Board(7, None): {30},
        Board(7, "EU"): {30},
    }


def test_who_moves_leaves_one_regions_boards_and_comes_to_the_others(world: World) -> None:
    world.move(("p0", "EU"), ("p1", "EU"))
    world.unlock(("p0", "a0"), ("p1", "a1"))
    world.follow()
    world.move(("p0", "NA"))
    world.follow()
    (mover,) = (pk for pk, name in world.names().items() if name == "p0")
    for game_id in (world.game.id, None):
        assert mover not in [player for _, player, _ in whole(Board(game_id, "EU"))]
        assert [player for _, player, _ in whole(Board(game_id, "NA"))] == [mover]
        assert whole(Board(game_id, None)) == recomputed(Board(game_id, None))


def test_an_old_total_does_not_bring_a_mover_back(world: World) -> None:
    world.move(("p0", "EU"))
    world.unlock(("p0", "a0"))
    world.follow()
    old = heard()
    world.move(("p0", "NA"))
    world.follow()
    services.apply_facts(old)
    assert whole(Board(world.game.id, "EU")) == []
    assert len(whole(Board(world.game.id, "NA"))) == 1


def test_a_replayed_log_changes_nothing(world: World, valkey: Redis) -> None:
    world.unlock(("p0", "a0"), ("p1", "a1"), ("p0", "a2"))
    world.move(("p1", "NA"), ("p0", "EU"))
    world.follow()
    before = contents(valkey)
    followers.rewind("leaderboards", fact_id=0)
    assert followers.drain("leaderboards") >= len(heard()) > 2
    assert contents(valkey) == before
