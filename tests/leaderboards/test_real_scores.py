"""Real boards, full of ties: their order and ranks against a recomputation by SQL's window functions."""

import csv
import json
from collections import defaultdict
from typing import Any

import pytest
from django.db import connection

from accounts.models import Game
from leaderboards.keys import Board
from leaderboards.models import Leaderboard, Period
from leaderboards.selectors.standings import Around, FromOffset, page, rank
from tests import factories
from tests.achievements import samples
from tests.faults import FULL
from tests.leaderboards.world import World, ranked, walk

DATA = samples.REAL_DATA
RULES = ("shared", "dense", "earliest")
# All page sizes at full length (FAULTS=full); else those where borders fall otherwise, and a few for each other rule.
SIZES = range(1, 1001) if FULL else (1, 2, 3, 7, 16, 40, 99, 100, 101, 999, 1000)
SIZES_OF_OTHERS = SIZES if FULL else (3, 16, 100)
_WINDOWS = {"shared": "rank()", "dense": "dense_rank()", "earliest": "row_number()"}
_RECOMPUTE = """
    WITH best AS (
        SELECT DISTINCT ON (player) player, score, place FROM sent WHERE board = %(board)s
         ORDER BY player, score {direction}, place
    )
    SELECT {window} OVER (ORDER BY {by}), x.player_id, best.score
      FROM best JOIN accounts_playeridentity x ON x.external_id = best.player
     ORDER BY best.score {direction}, best.place
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=samples.NO_REAL_DATA),
]


@pytest.fixture
def rows() -> dict[str, list[dict[str, str]]]:
    """Return the submissions of each board, as they stand in the file."""
    by_board = defaultdict(list)
    with (DATA / "scores.csv").open() as file:
        for row in csv.DictReader(file):
            by_board[row["board"]].append(row)
    return by_board


@pytest.fixture
def declared() -> dict[str, dict[str, str]]:
    """Return what is known of each board."""
    boards: dict[str, dict[str, str]] = json.loads((DATA / "boards.json").read_text())
    return boards


def load(rows: dict[str, list[dict[str, str]]]) -> None:
    """Put all submissions into a table of their own, in the order of the file."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS sent")
        cursor.execute("CREATE UNLOGGED TABLE sent (board text, player text, score bigint, place bigint)")
        listed = [
            (board, row["player"], int(row["score"]), place)
            for board, submitted in rows.items()
            for place, row in enumerate(submitted)
        ]
        cursor.executemany("INSERT INTO sent VALUES (%s, %s, %s, %s)", listed)


def recomputed(board: str, *, direction: str, rule: str) -> list[tuple[int, int, int]]:
    """Return `(rank, player, score)` in order."""
    by = f"best.score {direction}" + (", best.place" if rule == "earliest" else "")
    sql = _RECOMPUTE.format(direction=direction, window=_WINDOWS[rule], by=by)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"board": board})
        found: list[tuple[int, int, int]] = cursor.fetchall()
        return found


def submit(world: World, key: str, rows: list[dict[str, str]]) -> None:
    """Send a board's submissions in batches of at most 1,000."""
    for start in range(0, len(rows), 1000):
        scores: list[dict[str, Any]] = [
            {"player": row["player"], "score": int(row["score"])}
            | ({"achieved_at": row["submitted_at"]} if row["submitted_at"] else {})
            for row in rows[start : start + 1000]
        ]
        answer = world.api().post(f"/leaderboards/{world.game.uuid}/{key}/scores/batch", {"scores": scores})
        assert answer.json()["rejected"] == 0


def order_of(board: Leaderboard) -> Board:
    return Board(board.game_id, None, Period.objects.get(leaderboard=board).pk, board.tie_break)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", RULES)
def test_every_board_has_the_order_and_ranks_of_its_submissions_on_pages_of_any_size(
    world: World, rows: dict[str, list[dict[str, str]]], declared: dict[str, dict[str, str]], rule: str
) -> None:
    assert len(declared) == 192
    load(rows)
    game = Game.objects.get(pk=world.game.id)
    boards = {}
    for number, (name, about) in enumerate(declared.items()):
        key = f"board-{number}"
        boards[name] = factories.leaderboard(game, key, sort=about["direction"], tie_break=rule)
        submit(world, key, rows[name])
    world.follow()
    for name, board in boards.items():
        sign = -1 if board.sort == "desc" else 1
        expected = recomputed(name, direction=board.sort, rule=rule)
        order = order_of(board)
        # A page that is larger than the board is the board: one size more than it has, and the largest.
        sizes = SIZES if rule == RULES[0] else SIZES_OF_OTHERS
        for size in {*(size for size in sizes if size <= len(expected) + 1), 1000}:
            found = [(rank, player, -sign * score) for rank, player, score in ranked(walk(order, size=size))]
            assert found == expected, (name, size)


@pytest.mark.parametrize("rule", RULES)
def test_every_player_is_told_the_rank_that_the_pages_show(
    world: World, rows: dict[str, list[dict[str, str]]], declared: dict[str, dict[str, str]], rule: str
) -> None:
    name = "tft:ladder"  # 858 of its 1,000 ratings are tied
    load({name: rows[name]})
    board = factories.leaderboard(
        Game.objects.get(pk=world.game.id), "ladder", sort=declared[name]["direction"], tie_break=rule
    )
    submit(world, "ladder", rows[name])
    world.follow()
    order, expected = order_of(board), recomputed(name, direction=board.sort, rule=rule)
    for place, (expected_rank, player, _) in enumerate(expected):
        found = rank(order, player)
        assert found is not None
        assert found.rank == expected_rank
        around = page(order, Around(player), limit=3)
        assert (
            dict(zip([row.player_id for row in around.rows], around.ranks, strict=True))[player]
            == expected_rank
        )
        assert page(order, FromOffset(place), limit=1).ranks == [expected_rank]
