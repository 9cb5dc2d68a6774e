"""What a studio takes off a board and puts back: a player's scores in some of its periods, or all of them at once."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction

from accounts import selectors as accounts
from accounts.selectors import GameInfo, PlayerInfo
from core import audit
from core.db import array_literal, retry_conflicts, run_prepared
from core.refusals import Conflict, NotFound
from leaderboards import locking
from leaderboards.models import FlaggedScore, Leaderboard, Period, PeriodState, Score
from leaderboards.rules import scores as rules
from leaderboards.selectors import definitions, periods
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services import periods as services
from leaderboards.services.moving import CHANGED, NEXT_VERSION, announce

CURRENT, EVERY = "current", "every"  # or a period's id, of which `all` is one


class Action(StrEnum):
    """What is done to a player's scores."""

    HIDE = "hide"
    RESTORE = "restore"
    DELETE = "delete"


_TAKEN = """
WITH wanted AS MATERIALIZED (
    SELECT s.player_id, s.period_id FROM leaderboards_score s
     WHERE s.player_id = $1 AND s.period_id = ANY($2::bigint[]){condition}
     ORDER BY s.period_id FOR UPDATE OF s
)"""
_OF_WANTED = """wanted w, leaderboards_period q, leaderboards_leaderboard b
 WHERE t.player_id = w.player_id AND t.period_id = w.period_id AND q.id = t.period_id AND b.id = q.leaderboard_id"""
_HIDE = f"""{_TAKEN.format(condition=" AND s.hidden_at IS NULL")}
UPDATE leaderboards_score t SET hidden_at = $3::timestamptz, version = {NEXT_VERSION} FROM {_OF_WANTED}
RETURNING {CHANGED}, ''
"""  # noqa: S608 - constants of ours
_RESTORE = f"""{_TAKEN.format(condition=" AND s.hidden_at IS NOT NULL")}
UPDATE leaderboards_score t SET hidden_at = NULL, version = {NEXT_VERSION} FROM {_OF_WANTED}
RETURNING {CHANGED}, ''
"""  # noqa: S608 - constants of ours
# A higher version, so that nothing that was told before brings it back; a later score's is by the clock and above it.
_DELETE = f"""{_TAKEN.format(condition="")}
DELETE FROM leaderboards_score t USING {_OF_WANTED}
RETURNING q.leaderboard_id, b.game_id, b.studio_id, q.id, b.tie_break, q.span, b.reset, t.player_id, t.region,
          t.sort_value, (extract(epoch FROM t.reached_at) * 1000000)::bigint, {NEXT_VERSION}, false, ''
"""  # noqa: S608 - constants of ours
_PERIOD, _SORT_VALUE = 3, 9  # in a row of CHANGED


def moderate(
    *,
    game: GameInfo,
    key: str,
    player: PlayerInfo,
    action: Action,
    period: str,
    reason: str,
    actor: str,
    at: datetime,
) -> int:
    """Hide, restore or delete what a player holds in a period: an id, `current`, or `every` one that may still change.

    Returns:
        How many entries that changed; if none, nothing is noted.

    Raises:
        NotFound: no such board, or the player has no entry there.
        Conflict: the built-in board of points, the period is final, or the player was joined to another just now.

    Publishes:
        ScoresChanged, for each period.

    """
    board = _board(game, key, "moderated by entry: exclude the player from all boards, or revoke an unlock")

    def act() -> list[tuple[Any, ...]]:
        with transaction.atomic():
            found = _locked_periods(board, period, player.id, alone=action is Action.DELETE, at=at)
            changed = _change(action, player.id, [one.pk for one in found], at=at)
            if not changed:
                accounts.require_himself(player.id)
            if changed:
                announce(changed)
                _note(game, board, player, action, found, changed, reason=reason, actor=actor, at=at)
            return changed

    return len(retry_conflicts(act))


def reset(
    *, game: GameInfo, key: str, reason: str, actor: str, at: datetime, seen_epoch: int | None = None
) -> int:
    """Begin a board anew: its periods that are not final are shown nowhere any more, and all scores count from zero.

    With `seen_epoch` only if it has not begun anew since that epoch was seen: a form may be sent twice.

    Returns:
        The board's new epoch.

    Raises:
        NotFound: the game has no such board.
        Conflict: it is the built-in board of points, or it began anew since.

    """
    board = _board(game, key, "reset")

    def act() -> int:
        with transaction.atomic():
            discarded = services.discard(board.id, at=at)
            FlaggedScore.objects.filter(leaderboard_id=board.id, state=FlaggedScore.State.OPEN).delete()
            epoch: int = Leaderboard.objects.values_list("epoch", flat=True).get(pk=board.id)
            if seen_epoch is not None and epoch != seen_epoch + 1:
                raise Conflict("The board began anew meanwhile, perhaps by this very form. Look at it first.")
            audit.record(
                studio_id=game.studio_id,
                actor=actor,
                action="leaderboard.reset",
                kind="leaderboard",
                object_id=board.uuid,
                reason=reason,
                at=at,
                details={"game": str(game.uuid), "key": board.key, "epoch": epoch, "periods": discarded},
            )
            transaction.on_commit(definitions.forget)
            return epoch

    return retry_conflicts(act)


def _board(game: GameInfo, key: str, what: str) -> BoardInfo:
    if key == definitions.POINTS:
        raise Conflict(f"The `points` board is made of unlocks and can't be {what}.")
    found = definitions.fresh_board(game.id, key)
    if found is None:
        raise NotFound("The game has no such leaderboard.")
    return found


def _locked_periods(
    board: BoardInfo, period: str, player_id: int, *, alone: bool, at: datetime
) -> Sequence[Period]:
    """Lock the periods that are meant and return them; a delete waits for the scores that are on their way to them."""
    wanted = _meant(board, period, player_id, at=at)
    (locking.take_alone if alone else locking.share)(wanted)
    now = list(Period.objects.filter(pk__in=wanted).order_by("id"))
    if period != EVERY and any(one.state == PeriodState.FINAL for one in now):
        raise Conflict("The period is final: its standings don't change any more.")
    found = [one for one in now if one.state in services.LIVE]
    pks = [one.pk for one in found]
    if not Score.objects.filter(player_id=player_id, period_id__in=pks).exists():
        accounts.require_himself(player_id)
        raise NotFound("The player has no such entry on this board.")
    return found


def _meant(board: BoardInfo, period: str, player_id: int, *, at: datetime) -> list[int]:
    if period == EVERY:
        rows = Score.objects.filter(
            player_id=player_id, period__leaderboard_id=board.id, period__state__in=services.LIVE
        )
        return list(rows.values_list("period_id", flat=True))
    named = (
        periods.current(board, board.main_span, at=at) if period == CURRENT else periods.named(board, period)
    )
    return [] if named is None or named.id is None else [named.id]


def _change(
    action: Action, player_id: int, period_ids: Sequence[int], *, at: datetime
) -> list[tuple[Any, ...]]:
    """Change the entries; return what ScoresChanged says of those that did."""
    params: list[Any] = [player_id, array_literal(period_ids)]
    if action is Action.HIDE:
        return run_prepared(_HIDE, [*params, at])
    return run_prepared(_RESTORE if action is Action.RESTORE else _DELETE, params)


def _note(
    game: GameInfo,
    board: BoardInfo,
    player: PlayerInfo,
    action: Action,
    found: Sequence[Period],
    changed: Sequence[tuple[Any, ...]],
    *,
    reason: str,
    actor: str,
    at: datetime,
) -> None:
    """Keep what was done, with the scores: of a deleted one nothing else is left."""
    names = {period.pk: period.name for period in found}
    scores = {
        names[row[_PERIOD]]: rules.to_number(
            rules.sort_value(row[_SORT_VALUE], sort=board.sort), decimals=board.decimals
        )
        for row in changed
    }
    audit.record(
        studio_id=game.studio_id,
        actor=actor,
        action=f"entry.{action.value}",
        kind="player",
        object_id=player.uuid,
        reason=reason,
        at=at,
        details={"game": str(game.uuid), "leaderboard": board.key, "scores": scores},
    )
