"""A game's achievements as its studio looks at them: who has them, how long that took, and in what order."""

from dataclasses import dataclass
from datetime import datetime

from achievements.selectors import definitions
from achievements.selectors.definitions import Definition
from analytics.distributions import Timing
from analytics.reading import ask
from analytics.rules.windows import Span
from analytics.selectors import spreads


@dataclass(frozen=True, slots=True)
class Row:
    """An achievement.

    Attributes:
        unlocked, players: how many of how many who count have it, as rarity says.
        percent: of these; None where nobody counts.
        in_span, before: unlocks within a span, and in the one before (None: there is none).
        timing: None before it was taken, and where nobody who counts has it.
        tier: how rare it is; None where too few count to tell.
        times_as_of: when times were taken last; None before the first time.

    """

    achievement: Definition
    unlocked: int
    players: int
    in_span: int
    before: int | None
    timing: Timing | None
    tier: str | None
    times_as_of: datetime | None

    @property
    def position(self) -> tuple[int, int, int]:
        """Where it stands: what most have first."""
        return -self.unlocked, self.achievement.sort_order, self.achievement.id

    @property
    def percent(self) -> float | None:
        """How many percent have it, unrounded."""
        return 100 * self.unlocked / self.players if self.players else None


_WITHIN = """
SELECT achievement_id, sum(unlocks) FILTER (WHERE day >= $3::date)::bigint,
       sum(unlocks) FILTER (WHERE day < $3::date)::bigint
  FROM analytics_achievementday WHERE game_id = $1 AND day BETWEEN $2::date AND $4::date GROUP BY achievement_id
"""


def rows(game_id: int, span: Span) -> list[Row]:
    """Return a game's published achievements with their figures, what most have first; five queries."""
    before = span.before()
    listed = [one for one in definitions.fresh_catalogue(game_id).by_key.values() if one.is_published]
    rarities = definitions.rarities([one.id for one in listed])
    since = before.since if before else span.since
    counted = {row[0]: row[1:] for row in ask(_WITHIN, [game_id, since, span.since, span.until])}
    taken = spreads.taken(game_id)
    timings = taken.timings if taken else {}
    found = []
    for one in listed:
        within, earlier = counted.get(one.id, (0, 0))
        rarity = rarities[one.id]
        found.append(
            Row(
                achievement=one,
                unlocked=rarity.unlocked,
                players=rarity.players,
                in_span=within or 0,
                before=(earlier or 0) if before else None,
                timing=timings.get(one.id),
                tier=rarity.tier,
                times_as_of=taken.as_of if taken else None,
            )
        )
    return sorted(found, key=lambda row: row.position)
