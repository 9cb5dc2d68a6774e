"""Every Valkey key that leaderboards owns. All keys of one board share a hash tag: one node of a cluster holds them."""

import re
from typing import NamedTuple, cast

from leaderboards.rules.ranks import TieBreak

WEEK_S = 7 * 86_400
_POINTS = re.compile(rb"\{points:(global|[0-9]+):(\*|[A-Za-z0-9_-]+)\}")
_SCORES = re.compile(rb"\{scores:([0-9]+):([0-9]+):(shared|dense|earliest):(\*|[A-Za-z0-9_-]+)\}")


class Board(NamedTuple):
    """One order of players: by points or by the scores of one period, in a region or in all (None).

    Attributes:
        game_id: the game's internal id; None for the points of all games.
        period_id: the period whose scores they are; None for points.
        tie_break: the rule, which never changes once there are scores; points are `shared`.

    """

    game_id: int | None
    region: str | None
    period_id: int | None = None
    tie_break: TieBreak = "shared"

    @property
    def name(self) -> str:
        """What the order is called in keys, cursors and logs."""
        region = self.region or "*"
        if self.period_id is None:
            return f"points:{'global' if self.game_id is None else self.game_id}:{region}"
        return f"scores:{self.game_id}:{self.period_id}:{self.tie_break}:{region}"

    @property
    def is_dense(self) -> bool:
        """Whether ranks ask how many different scores there are."""
        return self.tie_break == "dense"


def order(board: Board) -> str:
    """Return the key of a board's order.

    Type: sorted set. Member: 16 bytes, the time at which the score was reached (microseconds since 1970) and the
    player's internal id, both big-endian: equal scores are in the order of the time. Score: the sort value (points
    are negated, so are scores where more is better): the set's own order is the board's. TTL: none. Rebuilt: from
    PostgreSQL's standings by leaderboards.rebuilding.
    """
    return f"leaderboards:v1:{{{board.name}}}:order"


def entries(board: Board) -> str:
    """Return the key of what the board knows of each player.

    Type: hash. Field: 8 bytes, the player's internal id. Value: 16 bytes, the version of the player's total and the
    time at which it was reached, which leads to the member in `order`; or 8 bytes, only the version, for a player who
    left the board, so that an older total does not bring him back. TTL: none. Rebuilt: with `order`.
    """
    return f"leaderboards:v1:{{{board.name}}}:entries"


def scores(board: Board) -> str:
    """Return the key of a board's different scores, which only `dense` boards keep.

    Type: sorted set. Member: 8 bytes, the sort value, big-endian and signed. Score: the sort value. TTL: none. Rebuilt:
    with `order`.
    """
    return f"leaderboards:v1:{{{board.name}}}:scores"


def ready(board: Board) -> str:
    """Return the key that says that the board is whole; without it PostgreSQL answers.

    Type: string, the id of the server run in which the board was last known to be whole: after a restart, which may
    lose a last second, it is compared with PostgreSQL. TTL: none. Rebuilt: with `order`, set last.
    """
    return f"leaderboards:v1:{{{board.name}}}:ready"


def build(board: Board) -> str:
    """Return the key of the rebuild that runs: one at a time, and whatever empties the board ends it.

    Type: string, the rebuild's token. TTL: the lease, renewed with every step. Rebuilt: never, a rebuild sets it.
    """
    return f"leaderboards:v1:{{{board.name}}}:build"


def asked(board: Board) -> str:
    """Return the key that keeps a rebuild from being asked for again and again.

    Type: string, "1". TTL: as long as the task may wait in its queue. Rebuilt: never.
    """
    return f"leaderboards:v1:{{{board.name}}}:asked"


def changed() -> str:
    """Return the key of the boards that changed since their last snapshot.

    Type: set. Member: a board's name. TTL: none. Rebuilt: never; the next change of a board notes it again.
    """
    return "leaderboards:v1:changed"


def watched(board: Board) -> str:
    """Return the key of the players whose ranks somebody asks for.

    Type: sorted set. Member: 8 bytes, the player's internal id. Score: when somebody asked last, in seconds since 1970.
    TTL: a week after the last one; old ones are taken out. Rebuilt: never; who is asked for again is noted again.
    """
    return f"leaderboards:v1:{{{board.name}}}:watched"


def moves() -> str:
    """Return the key of notes of who moved, which are not sorted by board yet.

    Type: list. Element: JSON, players' internal ids by the name of the board. TTL: none, the oldest are cut off.
    Rebuilt: never; what is lost is told with the next move.
    """
    return "leaderboards:v1:moves"


def moving() -> str:
    """Return the key of the boards on which players moved who are to be told of it.

    Type: set. Member: a board's name. TTL: none. Rebuilt: never; the next move notes it again.
    """
    return "leaderboards:v1:moving"


def moved(board: Board) -> str:
    """Return the key of the players of a board whose own score moved and who were not told of it yet.

    Type: sorted set. Member: 8 bytes, the player's internal id. Score: when he may be told, in seconds since 1970. TTL:
    none, they leave as they are told. Rebuilt: never; what is lost is told with the next move.
    """
    return f"leaderboards:v1:{{{board.name}}}:moved"


def told(board: Board, *, at: int) -> str:
    """Return the key of what players of a board were told last in the week of `at`, in seconds since 1970.

    Type: hash. Field: 8 bytes, the player's internal id. Value: 24 bytes, rank, sort value, and when, in seconds since
    1970, big-endian. TTL: two weeks after the last one. Rebuilt: never; without it the next move has no previous rank.
    """
    return f"leaderboards:v1:{{{board.name}}}:told:{at // WEEK_S}"


def any_ready() -> str:
    """Return the pattern of every board's `ready`."""
    return "leaderboards:v1:{*}:ready"


def everything() -> str:
    """Return the pattern of all keys."""
    return "leaderboards:v1:*"


def board_of(key: bytes) -> Board | None:
    """Return the board that a key belongs to, None if it is no board's key."""
    if match := _POINTS.search(key):
        game, region = match[1].decode(), match[2].decode()
        return Board(None if game == "global" else int(game), _region(region))
    if match := _SCORES.search(key):
        game, period, rule, region = (part.decode() for part in match.groups())
        return Board(int(game), _region(region), int(period), cast("TieBreak", rule))
    return None


def _region(name: str) -> str | None:
    return None if name == "*" else name
