"""What leaderboards announces."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class ScoresChanged:
    """Scores of one period changed what its board shows.

    Attributes:
        game: the game's internal id.
        board: the leaderboard's internal id.
        period: the period's internal id.
        tie_break: the board's tie rule.
        main: whether the period is one of the board's main span.
        scores: `[player_id, region, sort_value, reached µs, version, is_shown, previous region]` each, every player
            once. Who is not shown leaves the board; the previous region is empty unless the player moved.

    """

    kind: ClassVar[str] = "scores_changed"
    game: int
    board: int
    period: int
    tie_break: str
    main: bool
    scores: list[list[int | str | bool]]


@dataclass(frozen=True)
class RanksChanged:
    """Players whose own score moved stand elsewhere on a board than they were last told.

    Attributes:
        game: the game's internal id.
        board: the leaderboard's key.
        seed: random, so that events made from the fact have ids that nobody can guess.
        ranks: `[player_id, rank, previous rank or null, score]` each; the score as the API shows it.

    """

    kind: ClassVar[str] = "ranks_changed"
    game: int
    board: str
    seed: str
    ranks: list[list[int | float | None]]


@dataclass(frozen=True)
class LeaderboardPeriodEnded:
    """A period's standings became final.

    Attributes:
        game: the game's internal id.
        board: the leaderboard's internal id.
        key: the leaderboard's key.
        period: the period's internal id.
        name: the period's id in the API.
        span: which span it is a period of.
        starts_us, ends_us: its bounds in microseconds since 1970; null for all time.
        players: how many stand in the final standings.
        standings_hash: SHA-256 over their CSV, in hex.
        top: `[player_id, rank, units]` of the first hundred.

    """

    kind: ClassVar[str] = "leaderboard_period_ended"
    game: int
    board: int
    key: str
    period: int
    name: str
    span: str
    starts_us: int | None
    ends_us: int | None
    players: int
    standings_hash: str
    top: list[list[int]]
