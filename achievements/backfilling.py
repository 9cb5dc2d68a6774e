"""Which changes of definitions leave somebody without what he meets by now, and who asks for them to be looked at."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from achievements.models import Backfill, State, Type
from achievements.selectors.definitions import Definition

_DECIDING = ("state", "type", "target", "stat", "goal", "requires", "requires_count")
_WINDOW = ("available_from", "available_until")


def deciding(definition: Definition) -> tuple[str, ...]:
    """Return which fields decide who meets an achievement; of a meta, which no report meets again, its window too."""
    return (*_DECIDING, *_WINDOW) if definition.type == Type.META else _DECIDING


def under_way(*, at: datetime) -> "QuerySet[Backfill]":
    """Return the backfills to work on: those that have not ended, but for metas that open later.

    A goal that opens later waits for a report (ADR 0024).
    """
    is_early = Q(achievement__type=Type.META, achievement__available_from__gt=at)
    return Backfill.objects.filter(~is_early, state__in=(Backfill.State.WAITING, Backfill.State.RUNNING))


def may_be_met(before: Definition | None, after: Definition) -> bool:
    """Say whether a change may leave somebody who meets an achievement without it; `before` is None for a new one."""
    if after.state != State.PUBLISHED or after.type == Type.STANDARD:
        return False
    if before is None:
        return after.type == Type.META or after.is_driven  # nobody has taken a step of a new one
    return any(getattr(before, name) != getattr(after, name) for name in deciding(after))


def ask(*, game_id: int, achievement_ids: Iterable[int], is_silent: bool) -> None:
    """Have players looked at once the caller's transaction is committed; for each achievement one at most waits.

    The newest change says whether players are told.
    """
    wanted = list(achievement_ids)
    if not wanted:
        return
    Backfill.objects.bulk_create(
        [Backfill(game_id=game_id, achievement_id=pk, is_silent=is_silent) for pk in wanted],
        ignore_conflicts=True,
    )
    waiting = Backfill.objects.filter(achievement_id__in=wanted, state=Backfill.State.WAITING)
    # Who has begun to wait for others' transactions has to begin anew: there are newer ones now. So has who counted.
    waiting.update(is_silent=is_silent, started_at=None, total=None)
