"""Every Valkey key that leaderboards owns. All keys of one board share a hash tag: one node of a cluster holds them."""

import re
from typing import NamedTuple

_NAME = re.compile(rb"\{points:(global|[0-9]+):(\*|[A-Za-z0-9_-]+)\}")


class Board(NamedTuple):
    """A `points` board: of a game (its internal id) or of all games (None), in a region or in all (None)."""

    game_id: int | None
    region: str | None

    @property
    def name(self) -> str:
        """What the board is called in keys, cursors and logs."""
        return f"points:{'global' if self.game_id is None else self.game_id}:{self.region or '*'}"


def order(board: Board) -> str:
    """Return the key of a board's order.

    Type: sorted set. Member: 16 bytes, the time at which the score was reached (microseconds since 1970) and the
    player's internal id, both big-endian: equal scores are in the order of the time. Score: the points, negated: the
    set's own order is the board's. TTL: none. Rebuilt: from PostgreSQL's standings by leaderboards.rebuilding.
    """
    return f"leaderboards:v1:{{{board.name}}}:order"


def entries(board: Board) -> str:
    """Return the key of what the board knows of each player.

    Type: hash. Field: 8 bytes, the player's internal id. Value: 16 bytes, the version of the player's total and the
    time at which it was reached, which leads to the member in `order`; or 8 bytes, only the version, for a player who
    left the board, so that an older total does not bring him back. TTL: none. Rebuilt: with `order`.
    """
    return f"leaderboards:v1:{{{board.name}}}:entries"


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


def any_ready() -> str:
    """Return the pattern of every board's `ready`."""
    return "leaderboards:v1:{*}:ready"


def board_of(key: bytes) -> Board | None:
    """Return the board that a key belongs to, None if it is no board's key."""
    match = _NAME.search(key)
    if match is None:
        return None
    game, region = match[1].decode(), match[2].decode()
    return Board(None if game == "global" else int(game), None if region == "*" else region)
