"""Which files studios' members may have made in the background, in the order in which they are offered."""

from analytics.exports.facts import FACTS
from analytics.exports.unlocks import UNLOCKS
from core.exports.kinds import Export

EXPORTS: list[Export] = [UNLOCKS, FACTS]
