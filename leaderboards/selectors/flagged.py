"""Scores that were kept apart, as the review queue shows them."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from core import spoken
from core.clock import from_microseconds, microseconds
from core.db import run_prepared
from core.reviewing import After, Event, Flagged, Wanted
from leaderboards import evidence
from leaderboards.models import FlaggedScore, Score

KIND = "score"
_COUNT = """
SELECT count(*) FROM (
    SELECT FROM leaderboards_flaggedscore WHERE studio_id = $1 AND state = 'open'
     ORDER BY heard_at DESC, id DESC LIMIT $2) AS waiting
"""


def count(studio_id: int, *, most: int) -> int:
    """Return how many wait for a decision, at most `most`."""
    found: int = run_prepared(_COUNT, [studio_id, most])[0][0]
    return found


_HEARD = """
SELECT heard_at FROM leaderboards_flaggedscore
 WHERE studio_id = $1 AND state = 'open' AND heard_at > $2 ORDER BY heard_at DESC, id DESC LIMIT $3
"""


def heard(studio_id: int, *, since: datetime, most: int) -> list[datetime]:
    """Return when those that wait were heard of after a time, newest first, of at most `most`."""
    return [row[0] for row in run_prepared(_HEARD, [studio_id, since, most])]


def page(studio_id: int, wanted: Wanted, *, after: After | None, limit: int) -> list[Flagged]:
    """Return a studio's behind a place, newest first."""
    rows = FlaggedScore.objects.filter(studio_id=studio_id, state=wanted.state)
    if wanted.game_id is not None:
        rows = rows.filter(game_id=wanted.game_id)
    if wanted.rule:
        rows = rows.filter(rules__contains=[wanted.rule])
    if after is not None:
        heard_at = from_microseconds(after[0])
        rows = rows.filter(Q(heard_at__lt=heard_at) | Q(heard_at=heard_at, pk__lt=after[1]))
    return _flagged(rows.select_related("leaderboard").order_by("-heard_at", "-pk")[:limit])


def find(studio_id: int, uuid: UUID) -> Flagged | None:
    """Return one of a studio's."""
    rows = FlaggedScore.objects.filter(studio_id=studio_id, uuid=uuid).select_related("leaderboard")
    return next(iter(_flagged(rows)), None)


def _flagged(rows: Iterable[FlaggedScore]) -> list[Flagged]:
    return [
        Flagged(
            uuid=row.uuid,
            kind=KIND,
            number=row.pk,
            game_id=row.game_id,
            player_id=row.player_id,
            title=row.leaderboard.name,
            worth=_("%(score)s in %(period)s") % {"score": _score(row), "period": row.period},
            at=row.reached_at,
            heard_at=row.heard_at,
            heard_us=microseconds(row.heard_at),
            rules=tuple(row.rules),
            evidence=evidence.sentences(row.evidence, sort=row.leaderboard.sort),
            circumstances=_circumstances(row),
            state=row.state,
            decided_at=row.decided_at,
            reason=row.reason,
            actor=row.actor,
        )
        for row in rows
    ]


def _score(row: FlaggedScore) -> str:
    board = row.leaderboard
    return evidence.shown(row.sort_value, sort=board.sort, decimals=board.decimals)


def _circumstances(row: FlaggedScore) -> tuple[str, ...]:
    if row.submissions < 2:
        return ()
    is_sum = row.leaderboard.operator == "sum"
    text = (
        _("%(n)s such submissions, added up.") if is_sum else _("%(n)s such submissions; this one is kept.")
    )
    return (text % {"n": spoken.whole(row.submissions)},)


def around(game_id: int, player_id: int, at: datetime, *, limit: int) -> list[Event]:
    """Return a player's scores in a game nearest to a time, counting or not."""
    own = Score.objects.filter(player_id=player_id, period__leaderboard__game_id=game_id)
    own = own.select_related("period__leaderboard")
    held = [
        *own.filter(reached_at__lte=at).order_by("-reached_at")[:limit],
        *own.filter(reached_at__gt=at).order_by("reached_at")[:limit],
    ]
    rows = FlaggedScore.objects.filter(player_id=player_id, game_id=game_id).select_related("leaderboard")
    waiting = rows.exclude(state=FlaggedScore.State.APPROVED).order_by("-heard_at")[:limit]
    told = {
        (row.period.leaderboard.name, row.reached_at): evidence.shown(
            row.sort_value, sort=row.period.leaderboard.sort, decimals=row.period.leaderboard.decimals
        )
        for row in held
    }
    events = [Event(reached_at, "score", name, score) for (name, reached_at), score in told.items()]
    return events + [
        Event(
            row.reached_at,
            "flagged-score",
            row.leaderboard.name,
            f"{_score(row)} · {_('Rejected') if row.state == row.State.REJECTED else _('Being checked')}",
            row.uuid,
        )
        for row in waiting
    ]
