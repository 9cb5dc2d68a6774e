"""How far the backfills of a game are."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from achievements.models import Backfill


@dataclass(frozen=True, slots=True)
class BackfillInfo:
    """A backfill; `number` rises from one to the next, `total` is None before players were counted."""

    number: int
    uuid: UUID
    achievement: str
    state: str
    is_silent: bool
    checked: int
    total: int | None
    unlocked: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def listed(game_id: int, *, before: int | None, limit: int) -> list[BackfillInfo]:
    """Return a game's backfills, newest first, those before a number."""
    rows = Backfill.objects.filter(game_id=game_id).select_related("achievement").order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [
        BackfillInfo(
            number=row.pk,
            uuid=row.uuid,
            achievement=row.achievement.key,
            state=row.state,
            is_silent=row.is_silent,
            checked=row.checked,
            total=row.total,
            unlocked=row.unlocked,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )
        for row in rows[:limit]
    ]
