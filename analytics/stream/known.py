"""What facts of one read are about, each looked up once and named as its studio names it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from accounts import selectors as accounts
from accounts.facts import IdsMoved, PlayersBanned, PlayersChanged, PlayersExcluded
from accounts.selectors import Named
from achievements.facts import AchievementsRevoked, AchievementsUnlocked, ProgressChanged, UnlocksJoined
from achievements.selectors import definitions
from core.facts import Fact
from leaderboards.facts import LeaderboardPeriodEnded, ScoresChanged
from leaderboards.selectors import definitions as leaderboards
from leaderboards.selectors import periods
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.selectors.periods import PeriodInfo
from stats.facts import PlaytimeAdded, StatsChanged, ValuesJoined

# Where the rows of a fact are, a line each; each of them begins with a player.
ROWS = {
    AchievementsUnlocked.kind: "unlocks",
    AchievementsRevoked.kind: "revokes",
    ProgressChanged.kind: "changes",
    UnlocksJoined.kind: "dropped",
    StatsChanged.kind: "values",
    ValuesJoined.kind: "values",
    PlaytimeAdded.kind: "played",
    ScoresChanged.kind: "scores",
    PlayersChanged.kind: "players",
    PlayersExcluded.kind: "players",
    PlayersBanned.kind: "players",
}
_OF_ACHIEVEMENTS = {
    AchievementsUnlocked.kind,
    AchievementsRevoked.kind,
    ProgressChanged.kind,
    UnlocksJoined.kind,
}
_OF_BOARDS = {ScoresChanged.kind, LeaderboardPeriodEnded.kind}


@dataclass(frozen=True, slots=True)
class Known:
    """What facts are about, by internal id."""

    players: dict[int, Named]
    achievements: dict[int, str]
    boards: dict[int, BoardInfo]
    periods: dict[int, PeriodInfo]

    def player(self, player_id: int) -> dict[str, str | None] | None:
        """Return a player as lines name him; None for one who was erased."""
        named = self.players.get(player_id)
        if named is None:
            return None
        shown: dict[str, str | None] = {"id": named.id, "external_id": named.external_id}
        return shown if named.was is None else {**shown, "was": named.was}


def look_up(facts: Sequence[Fact], *, studio_id: int) -> Known:
    """Return what facts of a studio are about, in at most four queries."""
    achievements = {row[1] for fact in facts if fact.kind in _OF_ACHIEVEMENTS for row in rows_of(fact)}
    of_boards = [fact.payload for fact in facts if fact.kind in _OF_BOARDS]
    boards, scored_in = {each["board"] for each in of_boards}, {each["period"] for each in of_boards}
    found = definitions.definitions_by_id(achievements, translated=False) if achievements else {}
    return Known(
        players=accounts.players_named(_players(facts), studio_id=studio_id),
        achievements={pk: definition.key for pk, definition in found.items()},
        boards=leaderboards.boards_by_id(boards) if boards else {},
        periods=periods.by_id(scored_in) if scored_in else {},
    )


def rows_of(fact: Fact) -> list[list[Any]]:
    """Return the rows of a fact that are a line each."""
    rows: list[list[Any]] = fact.payload[ROWS[fact.kind]] if fact.kind in ROWS else []
    return rows


def _players(facts: Iterable[Fact]) -> Iterator[int]:
    for fact in facts:
        if fact.kind == LeaderboardPeriodEnded.kind:
            yield from (row[0] for row in fact.payload["top"])
        elif fact.kind == IdsMoved.kind:
            yield fact.payload["player"]
        else:
            yield from (row[0] for row in rows_of(fact))
