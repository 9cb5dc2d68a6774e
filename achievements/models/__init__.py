"""The rulebook (definitions), the unlocks, and what they add up to."""

from achievements.models.definitions import (
    Achievement,
    AchievementTranslation,
    Authority,
    Catalogue,
    DefinitionDraft,
    DefinitionVersion,
    State,
    Type,
)
from achievements.models.icons import Icon
from achievements.models.plausibility import FlaggedUnlock, Plausibility
from achievements.models.progress import Backfill, ConditionMet, Pace, Progress, ProgressEvent
from achievements.models.reports import PlayerReport, ReportAnswer, ReportState
from achievements.models.totals import (
    AchievementCount,
    CountedUntil,
    GamePlayers,
    Played,
    PlayerGame,
    PlayerTotal,
)
from achievements.models.unlocks import RevokedUnlock, Unlock

__all__ = [
    "Achievement",
    "AchievementCount",
    "AchievementTranslation",
    "Authority",
    "Backfill",
    "Catalogue",
    "ConditionMet",
    "CountedUntil",
    "DefinitionDraft",
    "DefinitionVersion",
    "FlaggedUnlock",
    "GamePlayers",
    "Icon",
    "Pace",
    "Plausibility",
    "Played",
    "PlayerGame",
    "PlayerReport",
    "PlayerTotal",
    "Progress",
    "ProgressEvent",
    "ReportAnswer",
    "ReportState",
    "RevokedUnlock",
    "State",
    "Type",
    "Unlock",
]
