"""What achievements announces."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class AchievementsUnlocked:
    """Unlocks of one game were recorded; written by the statement that records them (achievements/unlocking.py).

    Attributes:
        game: the game's internal id.
        unlocks: `[player_id, achievement_id, points, unlocked_at µs, heard_at µs, event_id]` each.
        totals: what they add up to in this game now, a row for each player of the batch: the fields of `Total`. Players
            whom the studio excludes from its boards are among them.
        silent: nobody is to be told; a definition changed, and its backfill found them.

    """

    kind: ClassVar[str] = "achievements_unlocked"
    game: int
    unlocks: list[list[int | str]]
    totals: list[list[int | str]]
    silent: bool = False


@dataclass(frozen=True)
class AchievementsRevoked:
    """Unlocks of one game were taken back, for a reason that the audit log keeps; they are stored no more.

    Attributes:
        game: the game's internal id.
        revokes: `[player_id, achievement_id, points, unlocked_at µs, heard_at µs, revoked_at µs]` each: what the unlock
            was, and when it was taken back.
        totals: as in `AchievementsUnlocked`; of who holds nothing any more, points and unlocks are 0.

    """

    kind: ClassVar[str] = "achievements_revoked"
    game: int
    revokes: list[list[int]]
    totals: list[list[int | str]]


@dataclass(frozen=True)
class UnlocksJoined:
    """Unlocks in one game are another player's, who was found to be the same person; nobody is told.

    Attributes:
        game: the game's internal id.
        gone: `[player_id, achievement_id]` of each unlock of who is gone.
        come: the same of who is the person: those that he did not have.
        dropped: `[player_id, achievement_id, points, unlocked_at µs]` of unlocks of what both had: the later of two,
            and whose it was.

    """

    kind: ClassVar[str] = "unlocks_joined"
    game: int
    gone: list[list[int]]
    come: list[list[int]]
    dropped: list[list[int]]


@dataclass(frozen=True)
class UnlocksErased:
    """Unlocks in one game are stored no more, since their player was erased; nobody is told.

    Attributes:
        game: the game's internal id.
        erased: `[player_id, achievement_id, points, unlocked_at µs]` of each.

    """

    kind: ClassVar[str] = "unlocks_erased"
    game: int
    erased: list[list[int]]


@dataclass(frozen=True)
class ProgressChanged:
    """Players came nearer to incremental achievements of one game, by steps or by stats, and did not unlock them.

    Attributes:
        game: the game's internal id.
        seed: random, so that events made from the fact have ids that nobody can guess.
        changes: `[player_id, achievement_id, previous, current, target, version]` each, every pair once; a higher
            version is newer.

    """

    kind: ClassVar[str] = "progress_changed"
    game: int
    seed: str
    changes: list[list[int]]


@dataclass(frozen=True)
class OverallChanged:
    """Players' totals over all games changed; no studio's fact, since they span studios.

    Attributes:
        totals: a row for each player: the fields of `Total`.

    """

    kind: ClassVar[str] = "overall_changed"
    totals: list[list[int | str]]


@dataclass(frozen=True)
class TotalsMoved:
    """Players moved to another region, and their totals with them.

    Attributes:
        moves: `[game_id (0: over all games), previous region, *fields of Total]` each.

    """

    kind: ClassVar[str] = "totals_moved"
    moves: list[list[int | str]]


@dataclass(frozen=True)
class TotalsRanked:
    """A studio took players off its games' boards of points, or back; or players are another person's or erased.

    Attributes:
        totals: `[game_id (null: over all games), *fields of Total, is ranked]` each, every player once a game.

    """

    kind: ClassVar[str] = "totals_ranked"
    totals: list[list[int | str | bool]]


@dataclass(frozen=True)
class ReportAnswered:
    """A player's report that an achievement did not unlock was answered, which he is to be told.

    Attributes:
        game: the game's internal id.
        achievement: its internal id.
        player: the player's internal id.
        report: the report's id.
        answer: the text.
        seed: random, so that the event made from the fact has an id that nobody can guess.

    """

    kind: ClassVar[str] = "report_answered"
    game: int
    achievement: int
    player: int
    report: str
    answer: str
    seed: str


@dataclass(frozen=True, slots=True)
class Total:
    """A player's points and unlocks in a game, or over all games; a higher `version` is newer."""

    player_id: int
    region: str
    points: int
    unlocked: int
    reached_us: int
    version: int
