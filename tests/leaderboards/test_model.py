"""A board in Valkey against a plain model, whatever changes it and in whatever order."""

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from leaderboards import filling, reading
from leaderboards.filling import OFF, Change
from leaderboards.keys import Board
from leaderboards.listing import Around, Behind, FromOffset, Row
from tests.leaderboards.world import forget

BOARD = Board(1, "EU")
VALUES = st.one_of(st.integers(-3, 3).map(lambda tens: tens * 10), st.just(OFF), st.integers(-(2**53), 2**53))
# A version is a moment of one player: told twice it is the same.
HISTORIES = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 4), VALUES, st.booleans()), min_size=1, max_size=60
)


@dataclass
class Model:
    """What a board ought to hold: by player the version, the sort value and when it was reached."""

    held: dict[int, tuple[int, int, int]]

    def apply(self, change: Change) -> None:
        known = self.held.get(change.player_id)
        if known is None or known[0] <= change.version:
            self.held[change.player_id] = (change.version, change.sort_value, change.reached_us)

    @property
    def rows(self) -> list[Row]:
        rows = [Row(pk, value, at) for pk, (_, value, at) in self.held.items() if value != OFF]
        return sorted(rows, key=lambda row: (row.sort_value, row.reached_us, row.player_id))

    def ranks(self) -> list[int]:
        rows = self.rows
        return [1 + sum(other.sort_value < row.sort_value for other in rows) for row in rows]


def histories(draws: list[tuple[int, int, int, bool]]) -> list[Change]:
    """Give each player's changes their versions, and tell some of them twice."""
    versions: dict[int, int] = {}
    changes = []
    for player, reached, value, twice in draws:
        version = versions[player] = versions.get(player, 0) + 1
        changes += [Change(player, version, reached, value)] * (1 + twice)
    return changes


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    forget()


def make_ready() -> None:
    token = filling.begin(BOARD, empty=False)
    assert token is not None
    assert filling.end(BOARD, token, whole=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draws=HISTORIES, random=st.randoms(use_true_random=False), size=st.integers(1, 7))
def test_a_board_is_what_the_newest_of_each_player_makes_it(
    valkey: Redis, draws: list[tuple[int, int, int, bool]], random: Random, size: int
) -> None:
    valkey.flushall()
    changes, model = histories(draws), Model({})
    random.shuffle(changes)
    make_ready()
    for change in changes:
        model.apply(change)
        filling.apply({BOARD: [change]})
    rows, ranks = model.rows, model.ranks()
    walked: list[Row] = []
    listing = reading.listing(BOARD, FromOffset(0), limit=size)
    while listing.rows:
        assert listing.total == len(rows)
        assert listing.ranks == ranks[len(walked) : len(walked) + size]
        walked += listing.rows
        listing = reading.listing(BOARD, Behind(walked[-1]), limit=size)
    assert walked == rows
    for place, row in enumerate(rows):
        found = reading.rank(BOARD, row.player_id)
        assert found is not None
        assert (found.rank, found.sort_value, found.total_count) == (ranks[place], row.sort_value, len(rows))
        assert row in reading.listing(BOARD, Around(row.player_id), limit=size).rows
    gone = set(range(1, 13)) - {row.player_id for row in rows}
    assert all(reading.rank(BOARD, player) is None for player in gone)
    assert valkey.zcard("leaderboards:v1:{points:1:EU}:order") == len(rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    draws=HISTORIES,
    position=st.builds(
        Row, st.integers(0, 13), st.sampled_from([-30, -20, -10, 0, 10, 20, 30, 40]), st.integers(0, 5)
    ),
)
def test_a_page_behind_any_position_begins_with_the_first_that_comes_after_it(
    valkey: Redis, draws: list[tuple[int, int, int, bool]], position: Row
) -> None:
    valkey.flushall()
    model = Model({})
    for change in histories(draws):
        model.apply(change)
        filling.apply({BOARD: [change]})
    make_ready()
    at = (position.sort_value, position.reached_us, position.player_id)
    expected = [row for row in model.rows if (row.sort_value, row.reached_us, row.player_id) > at]
    assert reading.listing(BOARD, Behind(position), limit=1000).rows == expected
