"""What was taken back from players."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from achievements.models import RevokedUnlock


@dataclass(frozen=True, slots=True)
class RevokedInfo:
    """An unlock that was taken back; `number` rises from one to the next."""

    number: int
    key: str
    points: int
    unlocked_at: datetime
    event_id: UUID
    revoked_at: datetime
    reason: str


def listed(player_id: int, *, game_id: int, before: int | None, limit: int) -> list[RevokedInfo]:
    """Return what was taken back from a player in a game, newest first, before a number."""
    rows = RevokedUnlock.objects.filter(player_id=player_id, game_id=game_id).select_related("achievement")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [
        RevokedInfo(
            row.pk,
            row.achievement.key,
            row.points,
            row.unlocked_at,
            row.event_id,
            row.revoked_at,
            row.reason,
        )
        for row in rows.order_by("-id")[:limit]
    ]
