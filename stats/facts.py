"""What happens in stats that others follow."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ValueMoved:
    """A report moved a value, inside its transaction: what REPORT_CONSEQUENCES are called with (ADR 0017).

    Attributes:
        before: None if the player held none, even where the stat declares a default.
        since_us: when the platform heard of `before`; None with it.
        reached_us: when the game says that it happened, in microseconds since 1970.
        at_us: the same as far as it is believed: of what a player's device says, when the platform heard of it.
        event_id: the report's.
        is_of_device: a player's own device says so; its clock proves nothing.

    """

    studio_id: int
    game_id: int
    external_id: str
    player_id: int
    stat_id: int
    stat: str
    aggregation: str
    before: Decimal | None
    after: Decimal
    since_us: int | None
    reached_us: int
    at_us: int
    event_id: UUID
    is_of_device: bool


@dataclass(frozen=True)
class StatsChanged:
    """Players hold other values of a game's stats than before.

    Values are absolute, so a listener may hear the fact twice; of two facts about a player's stat the one with the
    higher version is newer. What a report added is `value - previous`, exactly.

    Attributes:
        game: the game's internal id.
        stats: `[stat_id, key, aggregation]` of each stat that `values` is about.
        values: `[player_id, stat_id, value, previous, version, reached_us]` each; numbers as the API shows them.
            `previous` is the stat's default, or null, for somebody's first value; `reached_us` is when the game
            says it was reached, in microseconds since 1970. What was reset is told with the default as its value,
            or 0 without one, and when it was reset.

    """

    kind: ClassVar[str] = "stats_changed"
    game: int
    stats: list[list[int | str]]
    values: list[list[int | float | None]]


@dataclass(frozen=True)
class PlaytimeAdded:
    """Players played on in one game.

    Intervals of a player in a game never overlap, and each is told once; together they are the player's playtime.

    Attributes:
        game: the game's internal id.
        played: `[player_id, from_us, until_us, total_ms]` each: from when until when, in microseconds since 1970, and
            the player's playtime in the game from now on, in milliseconds.

    """

    kind: ClassVar[str] = "playtime_added"
    game: int
    played: list[list[int]]


@dataclass(frozen=True)
class ValuesJoined:
    """Of players who were joined to others, two values of stats of one game became one each.

    What reports changed comes to both values, and not to the one that is held now: a maximum is one of both, and no sum
    of them.

    Attributes:
        game: the game's internal id.
        stats: `[stat_id, key]` of each.
        values: `[player_id, stat_id, value, kept, brought, begun, version, reached_us, at_us]` each: whose value it is;
            the numbers that are held now, were held by him and by who is gone, and were held by either before the first
            report; when it was reached at the latest, and when it became one.

    """

    kind: ClassVar[str] = "values_joined"
    game: int
    stats: list[list[int | str]]
    values: list[list[int | float]]
