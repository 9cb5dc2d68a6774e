"""The replay's own reckoning: what it reads, what it expects, and what it calls a difference."""

import gzip
import json
from pathlib import Path

import pytest

from achievements.replay.comparing import board_differences, player_differences
from achievements.replay.expectations import Place, as_sent, expect
from achievements.replay.files import Game, Unlock, Unusable, read_games
from tests.achievements import samples

NOW = "2026-11-23T12:00:00Z"
HEADER = "player,game,achievement,unlocked_at\n"


def write(folder: Path, definitions: list[dict[str, object]], *unlocks: str) -> Path:
    lines = "".join(json.dumps(game) + "\n" for game in definitions)
    (folder / "definitions.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for name, rows in zip(("unlocks.csv.gz", "unlocks_stackexchange_badges.csv.gz"), unlocks, strict=True):
        (folder / name).write_bytes(gzip.compress((HEADER + rows).encode()))
    return folder


def game_of(points: dict[str, int], *unlocks: tuple[str, str, str]) -> Game:
    return Game("g", "G (g)", {}, points, tuple(Unlock(at, player, key) for at, player, key in unlocks))


def test_unlocks_are_read_in_the_order_of_time_and_unknown_achievements_are_added(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        [
            {"game": "g", "title": "G", "achievements": [{"key": "a", "points": 5}]},
            {"game": "h", "title": "H", "achievements": []},
        ],
        "p2,g,a,2020-01-02T00:00:00Z\np1,g,a,2020-01-01T00:00:00Z\np1,g,b,\n",
        "p1,h,c,2020-01-01T00:00:00Z\n",
    )
    game, other = read_games(folder)
    assert [(u.player, u.achievement) for u in game.unlocks] == [("p1", "b"), ("p1", "a"), ("p2", "a")]
    assert game.points == {"a": 5, "b": 10}
    assert other.points == {"c": 10}
    assert [g.name for g in read_games(folder, ["h"])] == ["h"]


def test_a_missing_file_or_game_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"unlocks.csv.gz is missing"):
        read_games(tmp_path)
    folder = write(tmp_path, [], "", "")
    with pytest.raises(Unusable, match="no such game"):
        read_games(folder, ["steam:1"])
    (folder / "definitions.jsonl.gz").write_bytes(b"plain text")
    with pytest.raises(Unusable, match="can't be read"):
        read_games(folder)


@pytest.mark.parametrize("at", ["", "1970-01-01T00:00:00Z", "2026-11-23T12:00:01Z"])
def test_a_time_that_can_not_be_is_not_sent(at: str) -> None:
    assert as_sent(Unlock(at, "p", "a"), NOW) == {"player": "p", "achievement": "a"}


def test_repeats_count_once_with_the_time_heard_first() -> None:
    game = game_of({"a": 10}, ("2020-01-01T00:00:00Z", "p", "a"), ("2021-01-01T00:00:00Z", "p", "a"))
    expected = expect(game, NOW)
    assert expected.unlocked == {"p": {"a": "2020-01-01T00:00:00Z"}}
    assert expected.board == (Place(1, "p", 10),)


def test_equal_points_share_a_rank_and_who_reached_them_first_is_listed_first() -> None:
    game = game_of(
        {"a": 10, "b": 10, "zero": 0},
        ("", "late", "a"),
        ("", "early", "a"),
        ("", "first", "a"),
        ("", "early", "b"),
        ("", "late", "b"),
        ("", "early", "zero"),
        ("", "last", "a"),
        ("", "nobody", "zero"),
    )
    assert expect(game, NOW).board == (
        Place(1, "early", 20),
        Place(1, "late", 20),
        Place(3, "first", 10),
        Place(3, "last", 10),
        Place(5, "nobody", 0),
    )


def listed(**unlocked_at: str | None) -> list[dict[str, object]]:
    return [
        {"key": key, "unlocked": at is not None, "unlocked_at": at, "points": 10}
        for key, at in unlocked_at.items()
    ]


def test_a_list_that_says_what_the_files_say_has_no_difference() -> None:
    rows = listed(a="2020-01-01T00:00:00.000Z", b="2026-11-23T12:00:00.123Z", c=None)
    points = {"a": 10, "b": 10, "c": 10}
    assert not list(player_differences("p", {"a": "2020-01-01T00:00:00Z", "b": ""}, points, rows))


def test_every_way_in_which_a_list_can_be_wrong_is_a_difference() -> None:
    rows = listed(a="2020-01-01T00:00:01Z", b=None, c="2020-01-01T00:00:00Z")
    points = {"a": 10, "b": 10, "c": 10, "d": 5}
    found = list(player_differences("p", {"a": "2020-01-01T00:00:00Z", "b": "", "d": ""}, points, rows))
    assert len(found) == 6
    together = " ".join(found)
    for wrong in (
        "'d' is not listed",
        "'b' is not unlocked",
        "no file says",
        "not at 2020-01-01T00:00:00Z",
        "20 points, not 25",
    ):
        assert wrong in together


def test_every_line_of_a_board_that_differs_is_a_difference() -> None:
    board = [Place(1, "a", 30), Place(2, "b", 20), Place(2, "c", 20), Place(4, "d", 5)]
    assert not list(board_differences(board, list(board)))
    assert len(list(board_differences(board, board[:-1]))) == 2
    assert len(list(board_differences(board, [board[0], board[2], board[1], board[3]]))) == 2
    assert len(list(board_differences(board, [*board[:3], Place(3, "d", 5)]))) == 1


@pytest.mark.slow
@pytest.mark.skipif(not samples.REAL_DATA.is_dir(), reason=samples.NO_REAL_DATA)
def test_all_real_unlocks_have_a_game_and_an_achievement() -> None:
    games = read_games(samples.REAL_DATA)
    expected = [expect(game, NOW) for game in games]
    assert sum(len(game.unlocks) for game in games) == 26_105 + 107_956
    assert sum(len(keys) for e in expected for keys in e.unlocked.values()) == 116_409
    assert sum(len(e.board) for e in expected) == 38_911
    assert all(
        set(keys) <= set(game.points)
        for game, e in zip(games, expected, strict=True)
        for keys in e.unlocked.values()
    )
