"""What a listener keeps: how rare achievements are, where totals belong, and who is ranked."""

from collections.abc import Sequence

from accounts.facts import PlayersBanned, PlayersChanged, PlayersErased, PlayersExcluded, PlayersJoined
from achievements.facts import (
    AchievementsRevoked,
    AchievementsUnlocked,
    ProgressChanged,
    UnlocksErased,
    UnlocksJoined,
)
from achievements.services import counting, moving, ranking
from core.facts import Fact
from stats.facts import PlaytimeAdded, StatsChanged

FOLLOWER = "achievements"
KINDS = frozenset(
    announcement.kind
    for announcement in (
        AchievementsUnlocked,
        AchievementsRevoked,
        ProgressChanged,
        StatsChanged,
        PlaytimeAdded,
        PlayersChanged,
        PlayersExcluded,
        PlayersBanned,
        PlayersJoined,
        UnlocksJoined,
        PlayersErased,
        UnlocksErased,
    )
)


def apply_facts(facts: Sequence[Fact]) -> None:
    """Count who has played and what they hold; move the totals of who changed the region; keep who is ranked.

    Publishes:
        TotalsMoved, TotalsRanked.

    """
    counting.count(facts)
    moving.follow_regions(facts)
    ranking.follow_exclusions(facts)
