"""Every write of scores: the checks of what the board declares, then what each submission makes of what is held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.selectors import GameInfo
from accounts.services import create_players
from core.clock import microseconds, rfc3339
from core.db import LostRace, retry_conflicts
from core.group_commit import GroupCommit
from core.ids import new_id
from core.refusals import Conflict, Forbidden, Invalid, NotFound, Refused, Unavailable
from core.rendering import dumps
from leaderboards import weighing
from leaderboards.models import Authority
from leaderboards.rules import periods as period_rules
from leaderboards.rules import plausibility
from leaderboards.rules import scores as rules
from leaderboards.selectors import definitions, spread
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services import periods
from leaderboards.weighing import Item, Outcome, Target

AHEAD = timedelta(minutes=5)
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
LARGEST_METADATA = 4096  # bytes of JSON
_ROUNDS = 4  # each time that the board changed meanwhile costs one more
_RACES = 12  # lost against others who are first to score as somebody in a period


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A submission as it was sent; `score` is a JSON number, read exactly."""

    player: str
    score: Any
    metadata: Mapping[str, Any] | None = None
    event_id: UUID | None = None
    achieved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """What the sender may do: a game's server, a player's own device, or the stat that feeds the board."""

    is_player: bool = False
    offline: bool = False
    is_stat: bool = False


@dataclass(frozen=True, slots=True)
class SpanResult:
    """What a submission came to in one period; `units` is what the player holds there now.

    A period that is final takes nothing any more: then `counted` is false, and nothing else is said.
    """

    span: str
    period: str
    counted: bool
    units: int | None = None
    is_new_best: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a submission came to. `status` is `submitted`, or `already_submitted` for an event that was heard before."""

    status: str
    event_id: UUID
    spans: tuple[SpanResult, ...]


SERVER = Caller()


def submit(
    *, game: GameInfo, key: str, request: ScoreRequest, by: Caller, at: datetime
) -> tuple[BoardInfo, Submitted]:
    """Record one score, together with those that wait in this process at the moment.

    Raises:
        Refused: see `submit_many`.

    Publishes:
        ScoresChanged, when a board shows something else afterwards.

    """
    board, results = submit_many(game=game, key=key, requests=[request], by=by, at=at)
    result = results[0]
    if isinstance(result, Refused):
        raise result
    return board, result


def submit_many(
    *, game: GameInfo, key: str, requests: Sequence[ScoreRequest], by: Caller, at: datetime
) -> tuple[BoardInfo, list[Submitted | Refused]]:
    """Record a batch for one board in one commit, in its order; return for each what it came to or why it is refused.

    Refused are: a score that can't be or is out of the board's bounds, a board that is archived, fed by a stat, not
    begun or over, used up attempts, a period that is final, a time that can't be, a banned or erased player.

    Raises:
        NotFound: the game has no such board.
        Conflict: it is the built-in board of points.

    Publishes:
        ScoresChanged, for each period whose board shows something else afterwards.

    """
    results: list[Submitted | Refused | None] = [None] * len(requests)
    open_items = list(range(len(requests)))
    board = _board(game, key, fresh=False)
    for attempt in range(_ROUNDS):
        checked = [_checked(board, requests[index], by=by, at=at) for index in open_items]
        if attempt == 0 and any(isinstance(item, Refused) for item in checked):
            # Never say no by a kept board: it may have changed in another process.
            board = _board(game, key, fresh=True)
            checked = [_checked(board, requests[index], by=by, at=at) for index in open_items]
        items = [item for item in checked if isinstance(item, Item)]
        outcomes = iter(_record(items, is_batch=len(requests) > 1))
        for index, item in zip(open_items, checked, strict=True):
            results[index] = item if isinstance(item, Refused) else _result(board, item, next(outcomes))
        open_items = [index for index in open_items if results[index] is None]
        if not open_items:
            break
        board = _board(game, key, fresh=True)
    busy = Unavailable("The leaderboard is changing right now. Send it again.")
    return board, [result or busy for result in results]


def _board(game: GameInfo, key: str, *, fresh: bool) -> BoardInfo:
    if key == definitions.POINTS:
        raise Conflict("The `points` board is made of unlocks and takes no scores.")
    found = definitions.fresh_board(game.id, key) if fresh else definitions.board(game.id, key)
    if found is None:
        raise NotFound("The game has no such leaderboard.")
    return found


def _checked(board: BoardInfo, request: ScoreRequest, *, by: Caller, at: datetime) -> Item | Refused:
    """Return what is to be recorded, or why not."""
    refused = _board_refusal(board, request.achieved_at, by=by, at=at) or _time_refusal(
        request.achieved_at, at=at
    )
    if refused is not None:
        return refused
    try:
        units = rules.to_units(request.score, decimals=board.decimals)
        metadata = _metadata(request.metadata)
    except Invalid as invalid:
        return invalid
    except ValueError as error:
        return Invalid.value("/score", str(error))
    if (board.min_units is not None and units < board.min_units) or (
        board.max_units is not None and units > board.max_units
    ):
        return Invalid.value("/score", f"The leaderboard takes scores {_bounds(board)} only.")
    told = request.achieved_at
    sort_value, targets = (
        rules.sort_value(units, sort=board.sort),
        targets_of(board, min(told or at, at), at=at),
    )
    return Item(
        board=board,
        external_id=request.player,
        sort_value=sort_value,
        told_us=microseconds(told) if told is not None and by.offline else None,
        metadata=metadata,
        event_id=request.event_id or new_id(),
        is_event_named=request.event_id is not None,
        targets=targets,
        broken=_broken(board, sort_value, targets[0]),
    )


def _broken(board: BoardInfo, sort_value: int, main: Target) -> tuple[Mapping[str, Any], ...]:
    """Return which rules of plausibility a score breaks; a board without rules is asked nothing."""
    if board.flag_units is None and board.flag_z is None:
        return ()
    is_spread = board.flag_z is not None and main.period_id is not None
    return plausibility.broken(
        sort_value,
        bound=None if board.flag_units is None else rules.sort_value(board.flag_units, sort=board.sort),
        most_z=board.flag_z,
        spread=spread.of_period(main.period_id) if is_spread and main.period_id is not None else None,
    )


def targets_of(board: BoardInfo, moment: datetime, *, at: datetime) -> tuple[Target, ...]:
    """Return the periods that a score of a moment counts in; without one that is over for longer than the grace."""
    targets = []
    for span in board.spans:
        window = board.window(span, moment)
        is_over = window.ends_at is not None and at >= window.ends_at + period_rules.GRACE
        targets.append(Target(span, window.id, None if is_over else periods.begin(board, window)))
    return tuple(targets)


def _board_refusal(board: BoardInfo, told: datetime | None, *, by: Caller, at: datetime) -> Refused | None:
    if by.is_player and board.authority != Authority.CLIENT:
        return Forbidden("Only a server key may submit to this leaderboard: its authority is `server`.")
    if board.stat is not None and not by.is_stat:
        return Conflict("This leaderboard is fed by a stat and takes no submissions.")
    if board.archived:
        return Conflict("This leaderboard is archived and takes no more scores.")
    if board.starts_at is not None and at < board.starts_at:
        return Conflict(
            f"This leaderboard has not begun yet: it takes scores from {rfc3339(board.starts_at)} on."
        )
    if board.starts_at is not None and told is not None and told < board.starts_at:
        return Conflict(f"This leaderboard takes no score from before it began, {rfc3339(board.starts_at)}.")
    if board.ends_at is not None and at >= board.ends_at and not _is_late(board.ends_at, told, at=at):
        return Conflict(f"This leaderboard is over: it took scores until {rfc3339(board.ends_at)}.")
    return None


def _is_late(ends_at: datetime, told: datetime | None, *, at: datetime) -> bool:
    """Say whether a score happened before the board's end and comes within the grace."""
    return told is not None and told < ends_at and at < ends_at + period_rules.GRACE


def _time_refusal(told: datetime | None, *, at: datetime) -> Refused | None:
    if told is None or EARLIEST <= told <= at + AHEAD:
        return None
    return Invalid.value(
        "/achieved_at", "Lies before 1980 or more than 5 minutes ahead of the platform's clock."
    )


def _metadata(value: Mapping[str, Any] | None) -> str | None:
    if value is None:
        return None
    try:
        text = dumps(value)
    except TypeError:
        raise Invalid.value(
            "/metadata", "Holds a whole number of more than 64 bits: send it as text."
        ) from None
    if len(text) > LARGEST_METADATA:
        raise Invalid.value(
            "/metadata", f"Has {len(text):,} bytes as JSON; {LARGEST_METADATA:,} are allowed."
        )
    return text.decode()


def _bounds(board: BoardInfo) -> str:
    lowest, highest = (
        None if units is None else rules.to_number(units, decimals=board.decimals)
        for units in (board.min_units, board.max_units)
    )
    if lowest is None:
        return f"up to {highest}"
    return f"from {lowest} on" if highest is None else f"from {lowest} to {highest}"


def _record(items: Sequence[Item], *, is_batch: bool) -> list[Outcome]:
    if not items:
        return []
    if is_batch or transaction.get_connection().in_atomic_block:
        return _run(items)
    return [_group.submit(items[0])]


def _run(items: Sequence[Item]) -> list[Outcome]:
    """Weigh items in one transaction; again when another one was the first of a player in a period."""
    for _ in range(_RACES):
        try:
            return retry_conflicts(lambda: _weighed(items))
        except LostRace:
            continue
    raise Unavailable(
        "Too many submissions of the same players at once. Send it again; repeating it is safe."
    )


def _weighed(items: Sequence[Item]) -> list[Outcome]:
    with transaction.atomic():
        return weighing.weigh_all(items, create_players=create_players)


_group: GroupCommit[Item, Outcome] = GroupCommit(_run)


def _result(board: BoardInfo, item: Item, outcome: Outcome) -> Submitted | Refused | None:
    """Return what is told of an outcome; None for one that is to be checked again."""
    if outcome.refused is not None or outcome.is_outdated:
        return outcome.refused
    spans = tuple(
        SpanResult(
            target.span,
            target.name,
            counted=held is not None,
            units=None if held is None else rules.sort_value(held.sort_value, sort=board.sort),
            is_new_best=is_new_best,
        )
        for target, held, is_new_best in zip(item.targets, outcome.held, outcome.is_new_best, strict=True)
    )
    status = "already_submitted" if outcome.is_repeated else "submitted"
    return Submitted(status, item.event_id, spans)
