"""Pages, ranks and surroundings are the same from Valkey and from PostgreSQL, and as a recomputation has them."""

from collections.abc import Callable
from random import Random

import pytest
from redis import Redis

from leaderboards import rebuilding, truth
from leaderboards.listing import Around, Behind, FromOffset
from leaderboards.selectors.standings import page, places_of, rank, rank_of
from tests.leaderboards.world import ACHIEVEMENTS, World, all_boards, ranked, recomputed, walk, whole

Prepare = Callable[[], None]


@pytest.fixture(params=["Valkey", "PostgreSQL"])
def from_there(request: pytest.FixtureRequest, valkey: Redis) -> Prepare:
    """Let the boards be answered by one of both."""

    def prepare() -> None:
        valkey.flushall()
        if request.param == "Valkey":
            for board in all_boards():
                assert rebuilding.rebuild(board) is not None

    return prepare


def played(world: World, *, players: int = 30, seed: int = 5) -> None:
    """Let players unlock by chance, many of them the same points, in three regions and none."""
    random = Random(seed)
    pairs = [(f"p{n}", f"a{k}") for n in range(players) for k in range(ACHIEVEMENTS) if random.random() < 0.4]
    random.shuffle(pairs)
    world.unlock(*pairs)
    world.move(*((f"p{n}", ("EU", "NA", "AS")[n % 3]) for n in range(players) if n % 4))


@pytest.mark.slow
def test_pages_of_every_size_are_as_recomputed(world: World, from_there: Prepare) -> None:
    played(world)
    from_there()
    for board in all_boards():
        expected = recomputed(board)
        assert expected
        for size in (*range(1, 9), 13, len(expected) - 1, len(expected), len(expected) + 1, 1000):
            assert ranked(walk(board, size=max(1, size))) == expected


def test_pages_from_every_offset_are_as_recomputed(world: World, from_there: Prepare) -> None:
    played(world)
    from_there()
    expected = recomputed(world.board)
    for offset in range(len(expected) + 3):
        listing = page(world.board, FromOffset(offset), limit=7)
        assert ranked([listing]) == expected[offset : offset + 7]
        assert listing.total == len(expected)
        assert listing.goes_on == (offset + 7 < len(expected))


@pytest.mark.slow
def test_everybody_has_the_rank_that_the_pages_show(world: World, from_there: Prepare) -> None:
    played(world)
    from_there()
    for board in all_boards():
        expected = recomputed(board)
        ranks = [place for place, _, _ in expected]
        for place, player, score in expected:
            found = rank(board, player)
            assert found is not None
            assert (found.rank, found.score, found.total_count) == (place, score, len(expected))
            assert found.tied == (ranks.count(place) > 1)


@pytest.mark.slow
def test_the_page_around_a_player_is_full_and_has_him_in_the_middle(
    world: World, from_there: Prepare
) -> None:
    played(world)
    from_there()
    expected = recomputed(world.board)
    for size in (1, 2, 5, 11, 1000):
        for place, (_, player, _) in enumerate(expected):
            first = min(max(0, place - (size - 1) // 2), max(0, len(expected) - size))
            listing = page(world.board, Around(player), limit=size)
            assert ranked([listing]) == expected[first : first + size]


def test_around_somebody_who_is_not_on_the_board_is_its_end(world: World, from_there: Prepare) -> None:
    played(world)
    from_there()
    assert ranked([page(world.board, Around(10**12), limit=3)]) == recomputed(world.board)[-3:]
    assert rank(world.board, 10**12) is None


def test_a_board_that_nobody_is_on_is_an_empty_page(world: World, from_there: Prepare) -> None:
    from_there()
    for where in (FromOffset(0), FromOffset(5), Around(1)):
        listing = page(world.board, where, limit=10)
        assert (listing.total, listing.rows, listing.goes_on) == (0, [], False)
    assert rank_of(world.game.id, 1) is None


def test_times_a_microsecond_apart_are_told_apart_and_equal_times_go_by_player(
    world: World, from_there: Prepare
) -> None:
    players = world.standings([(50, 3), (50, 2), (50, 2), (50, 1), (70, 9), (0, 0)])
    from_there()
    order = [players[n] for n in (4, 3, 1, 2, 0, 5)]
    assert [player for _, player, _ in whole(world.board)] == order
    assert [place for place, _, _ in whole(world.board)] == [1, 2, 2, 2, 2, 6]


def test_points_up_to_two_to_the_53rd_are_exact(world: World, from_there: Prepare) -> None:
    most = 2**53
    world.standings([(most - 1, 1), (most, 2), (most - 2, 3)])
    from_there()
    assert [score for _, _, score in whole(world.board)] == [most, most - 1, most - 2]


def test_a_page_goes_on_behind_a_row_that_has_moved_or_gone(world: World, from_there: Prepare) -> None:
    for number in range(6):
        world.unlock((f"p{number}", "a0"))
    world.follow()
    from_there()
    first = page(world.board, FromOffset(0), limit=3)
    last = first.rows[-1]
    world.unlock((world.names()[last.player_id], "a1"))
    world.follow()
    from_there()
    names = world.names()
    following = page(world.board, Behind(last), limit=10)
    assert [names[row.player_id] for row in following.rows] == ["p3", "p4", "p5"]


@pytest.mark.slow
def test_a_walk_meets_everybody_who_stays_once_while_others_rise(world: World, from_there: Prepare) -> None:
    """Of forty players half keep rising while the board is walked in steps of three."""
    for number in range(40):
        world.unlock((f"p{number}", "a0"))
    world.follow()
    from_there()
    names = world.names()
    random = Random(3)
    rising = [f"p{number}" for number in range(0, 40, 2)]
    met: list[str] = []
    for listing in walk(world.board, size=3):
        met += [names[row.player_id] for row in listing.rows]
        world.unlock((random.choice(rising), f"a{random.randrange(1, ACHIEVEMENTS)}"))
        world.follow()
        from_there()
    steady = [f"p{number}" for number in range(1, 40, 2)]
    assert [name for name in met if name in steady] == steady


def test_a_players_places_in_several_games_are_those_of_each(world: World, from_there: Prepare) -> None:
    other = World.create()
    world.unlock(("p0", "a0"), ("p1", "a1"))
    other.unlock(("p0", "a0"))
    world.follow()
    from_there()
    (player,) = (pk for pk, name in world.names().items() if name == "p1")
    places = places_of(player, game_ids=[world.game.id, other.game.id])
    assert {game: (place.rank, place.tied) for game, place in places.items()} == {world.game.id: (1, True)}
    assert truth.rank(world.board, player) == places[world.game.id]
