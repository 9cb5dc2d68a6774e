"""Periods turn: open, then finalising while late scores still count, then final, their standings kept for ever.

Each step is one short transaction and may be repeated: whoever dies between two of them is gone on from.
"""

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from core import shifts
from core.clock import microseconds
from core.db import run_prepared
from core.facts import publish
from leaderboards import locking, standings
from leaderboards.facts import LeaderboardPeriodEnded
from leaderboards.models import Period, PeriodState
from leaderboards.rules.periods import GRACE
from leaderboards.selectors import definitions, periods
from leaderboards.selectors.definitions import BoardInfo

log = structlog.get_logger(__name__)

TOP = 100  # lines of the standings that the fact carries
SUBMISSIONS_KEPT = timedelta(days=14)
_DELETED_AT_ONCE = 5_000

# A board that ends as a whole ends its period with it.
_END = """
    UPDATE leaderboards_period q SET state = 'finalising'
      FROM leaderboards_leaderboard b
     WHERE b.id = q.leaderboard_id AND q.state = 'open' AND least(q.ends_at, b.ends_at) <= $1::timestamptz
    RETURNING q.id
"""
_DUE = """
    SELECT q.id FROM leaderboards_period q JOIN leaderboards_leaderboard b ON b.id = q.leaderboard_id
     WHERE q.state = 'finalising' AND least(q.ends_at, b.ends_at) <= $1::timestamptz
     UNION ALL
    SELECT id FROM leaderboards_period WHERE state = 'final' AND standings_hash IS NULL
     ORDER BY id
"""


def turn_periods(*, now: datetime) -> int:
    """Let every period whose time has come go on; return how many became final.

    One that can't become final is logged and tried again the next time: the others don't wait for it.
    """
    run_prepared(_END, [now])
    periods.forget()
    due = [row[0] for row in run_prepared(_DUE, [now - GRACE])]
    return sum(_finalised(pk, now=now) for pk in due if not shifts.is_over())


def finalise(period_id: int, *, now: datetime) -> bool:
    """Close a period and keep what its standings come to; return whether this call did, and not another.

    Nothing is done where another one goes through the standings already.

    Publishes:
        LeaderboardPeriodEnded, once.

    """
    with transaction.atomic():
        locking.take_alone([period_id])
        Period.objects.filter(pk=period_id, state=PeriodState.FINALISING).update(
            state=PeriodState.FINAL, finalised_at=now
        )
    period = Period.objects.select_related("leaderboard").get(pk=period_id)
    board = definitions.info_of(period.leaderboard)
    found = _summary(period_id, board)
    if found is None:
        return False
    with transaction.atomic():
        is_first = Period.objects.filter(pk=period_id, state=PeriodState.FINAL, standings_hash=None).update(
            players=found.players, standings_hash=found.sha256
        )
        periods.forget()
        if is_first:
            publish(_ended(period, board.key, found), studio_id=board.studio_id)
    if is_first:
        log.info("period final", board=board.key, period=period.name, players=found.players)
    return bool(is_first)


def forget_submissions(*, now: datetime) -> int:
    """Delete the events of submissions older than SUBMISSIONS_KEPT, in short transactions; return how many."""
    deleted = 0
    while not shifts.is_over() and (batch := _forget_some(now - SUBMISSIONS_KEPT)):
        deleted += batch
    return deleted


def _finalised(period_id: int, *, now: datetime) -> bool:
    try:
        return finalise(period_id, now=now)
    except Exception:
        log.exception("period can't become final", period=period_id)
        return False


def _summary(period_id: int, board: BoardInfo) -> standings.Summary | None:
    """Return what a final period's standings come to; None where another one is at it, or has kept it."""
    with transaction.atomic():  # it writes nothing, so that no follower waits for it
        unhashed = Period.objects.filter(pk=period_id, state=PeriodState.FINAL, standings_hash=None)
        if not locking.try_hashing(period_id) or not unhashed.exists():
            return None
        return standings.summary(
            period_id, tie_break=board.tie_break, sort=board.sort, decimals=board.decimals, top=TOP
        )


def _ended(period: Period, key: str, found: standings.Summary) -> LeaderboardPeriodEnded:
    return LeaderboardPeriodEnded(
        game=period.leaderboard.game_id,
        board=period.leaderboard_id,
        key=key,
        period=period.pk,
        name=period.name,
        span=period.span,
        starts_us=_microseconds(period.starts_at),
        ends_us=_microseconds(period.ends_at),
        players=found.players,
        standings_hash=found.sha256.hex(),
        top=[[line.player_id, line.rank, line.units] for line in found.top],
    )


def _microseconds(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)


_FORGET = """
    WITH gone AS (
        DELETE FROM leaderboards_submission WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM leaderboards_submission WHERE heard_at < $1::timestamptz ORDER BY heard_at LIMIT $2))
        RETURNING 1
    ) SELECT count(*) FROM gone
"""


def _forget_some(before: datetime) -> int:
    deleted: int = run_prepared(_FORGET, [before, _DELETED_AT_ONCE])[0][0]
    return deleted
