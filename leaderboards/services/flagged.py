"""What somebody of the studio decides about scores that were kept apart (REVIEW_SOURCES)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import selectors as accounts
from core import audit
from core.clock import from_microseconds, microseconds
from core.db import LostRace, array_literal, retry_conflicts, run_prepared
from core.refusals import Forbidden, Gone, Unavailable
from core.reviewing import MOST_AT_ONCE, Settled
from leaderboards import evidence, weighing
from leaderboards.models import FlaggedScore, Leaderboard
from leaderboards.selectors import definitions, flagged
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services.scores import targets_of
from leaderboards.weighing import Item, Outcome

_RACES = 12
_State = FlaggedScore.State


def settle(
    studio_id: int, uuids: Sequence[UUID], *, approves: bool, reason: str, actor: str, at: datetime
) -> Settled:
    """Approve or reject a studio's, at most MOST_AT_ONCE, in one transaction; what is decided stays so.

    An approved one is weighed as any score is, as of its time, in the periods that still take scores. Who is banned,
    and what came for a period that is final by now, keeps waiting.

    Publishes:
        ScoresChanged, for each period whose board shows something else afterwards.

    """
    wanted = list(dict.fromkeys(uuids))[:MOST_AT_ONCE]
    for _round in range(_RACES):
        try:
            return retry_conflicts(
                lambda: _settle(studio_id, wanted, approves=approves, reason=reason, actor=actor, at=at)
            )
        except LostRace:
            continue
    raise Unavailable("Too many scores of the same players at once. Send it again; repeating it is safe.")


def _settle(
    studio_id: int, uuids: Sequence[UUID], *, approves: bool, reason: str, actor: str, at: datetime
) -> Settled:
    """Decide. What waits is locked last, as submissions lock it, and must be what was weighed."""
    with transaction.atomic():
        rows = FlaggedScore.objects.filter(studio_id=studio_id, uuid__in=uuids).select_related("leaderboard")
        found = list(rows.order_by("pk"))
        waiting = [row for row in found if row.state == _State.OPEN]
        left = _feed(studio_id, waiting, at=at) if approves else {}
        decided = [row for row in waiting if row.pk not in left]
        _decide(decided, _State.APPROVED if approves else _State.REJECTED, reason=reason, actor=actor, at=at)
        _note(studio_id, decided, approves=approves, reason=reason, actor=actor, at=at)
    return Settled(len(decided), len(found) - len(waiting), tuple(sorted(left.values())))


def _feed(studio_id: int, rows: Sequence[FlaggedScore], *, at: datetime) -> dict[int, str]:
    """Weigh what was kept apart; return why some of it, by its key, stays where it is."""
    names = accounts.players_shown({row.player_id for row in rows}, studio_id=studio_id)
    named = [
        (row, names[row.player_id]["external_id"])
        for row in rows
        if "external_id" in names.get(row.player_id, {})
    ]
    if not named:
        return {}
    boards = {row.leaderboard_id: definitions.info_of(row.leaderboard) for row in rows}
    items = [_item(boards[row.leaderboard_id], row, name, at=at) for row, name in named]
    outcomes = weighing.weigh_all(items, create_players=_create_nobody)
    left = {}
    for (row, name), outcome in zip(named, outcomes, strict=True):
        if outcome.is_outdated:
            raise LostRace("the leaderboard changed meanwhile")
        if (why := _left(outcome, name)) is not None:
            left[row.pk] = why
    return left


def _create_nobody(*, studio_id: int, external_ids: Iterable[str]) -> None:
    """Whose score waits is known."""
    raise LostRace("a player is gone meanwhile")


def _left(outcome: Outcome, name: str) -> str | None:
    if outcome.refused is None:
        return None
    if isinstance(outcome.refused, Forbidden | Gone):
        return _("%(player)s is banned: let the player back first.") % {"player": name}
    return f"{name}: {outcome.refused.detail}"


def _item(board: BoardInfo, row: FlaggedScore, external_id: str, *, at: datetime) -> Item:
    reached_us = microseconds(row.reached_at)
    return Item(
        board=board,
        external_id=external_id,
        sort_value=row.sort_value,
        told_us=None,
        metadata=row.metadata,
        event_id=row.event_id,
        is_event_named=False,  # it was heard of when it was kept apart
        targets=targets_of(board, min(from_microseconds(reached_us), at), at=at),
        reached_us=reached_us,
    )


_DECIDE = """
UPDATE leaderboards_flaggedscore t SET state = $4, decided_at = $5::timestamptz, reason = $6, actor = $7
  FROM (SELECT f.id FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS w (id, sort_value, submissions)
          JOIN leaderboards_flaggedscore f
            ON f.id = w.id AND f.sort_value = w.sort_value AND f.submissions = w.submissions
         WHERE f.state = 'open' ORDER BY f.player_id, f.leaderboard_id, f.period FOR UPDATE OF f) AS i
 WHERE t.id = i.id RETURNING t.id
"""


def _decide(rows: Sequence[FlaggedScore], state: str, *, reason: str, actor: str, at: datetime) -> None:
    if not rows:
        return
    columns = [
        array_literal(row.pk for row in rows),
        array_literal(row.sort_value for row in rows),
        array_literal(row.submissions for row in rows),
    ]
    if len(run_prepared(_DECIDE, [*columns, str(state), at, reason, actor])) != len(rows):
        raise LostRace("somebody decided, or the player submitted more, meanwhile")


def _note(
    studio_id: int,
    rows: Sequence[FlaggedScore],
    *,
    approves: bool,
    reason: str,
    actor: str,
    at: datetime,
) -> None:
    players = accounts.players_shown({row.player_id for row in rows})
    games = accounts.games_by_id({row.game_id for row in rows})
    for row in rows:
        board: Leaderboard = row.leaderboard
        audit.record(
            studio_id=studio_id,
            actor=actor,
            action="score.approve" if approves else "score.reject",
            kind="player",
            object_id=players[row.player_id]["id"],
            reason=reason,
            at=at,
            details={
                "game": str(games[row.game_id].uuid),
                "leaderboard": board.key,
                "period": row.period,
                "score": evidence.shown(row.sort_value, sort=board.sort, decimals=board.decimals),
            },
        )


class _Source:
    """Scores, as the review queue asks for them."""

    rules = evidence.RULES
    count = staticmethod(flagged.count)
    heard = staticmethod(flagged.heard)
    page = staticmethod(flagged.page)
    find = staticmethod(flagged.find)
    around = staticmethod(flagged.around)
    settle = staticmethod(settle)


SOURCE = _Source()
