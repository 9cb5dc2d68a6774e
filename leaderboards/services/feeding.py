"""Boards that a stat feeds: what a report made of the stat is submitted as any score is, once, in the log's order."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid5

import structlog

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from core import clock
from core.clock import from_microseconds
from core.facts import Fact
from core.refusals import NotFound, Refused, Unavailable
from leaderboards.selectors import definitions
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services import scores
from leaderboards.services.scores import Caller, ScoreRequest
from stats.facts import StatsChanged, ValuesJoined

log = structlog.get_logger(__name__)

FOLLOWER = "feeding"
KINDS = frozenset({StatsChanged.kind, ValuesJoined.kind})
_STAT = Caller(offline=True, is_stat=True)
_EVENTS = UUID("6f2d4ef3-2b5c-4d0e-9a57-5a3c4f1f7d10")  # a name space of ours: events made of facts
_AT_ONCE = 1_000


class _Value(NamedTuple):
    """What a fact says of a player's stat; numbers as the API shows them.

    Attributes:
        added, taken: the numbers whose difference a board that sums has not got yet.

    """

    player_id: int
    value: Decimal
    added: tuple[Decimal, ...]
    taken: tuple[Decimal, ...]
    reached_at: datetime
    event_id: UUID


def apply_facts(facts: Sequence[Fact]) -> None:
    """Submit what stats became to the boards that they feed; a fact that is heard again counts once.

    A board that sums takes what was added, so that a period holds what was added in it; any other takes the value. So
    it is where two values became one.
    What a board would refuse of a submission (its bounds, a period that is final, a banned player) is passed by.

    Raises:
        Unavailable: a board changes too often just now; to be tried again.

    Publishes:
        ScoresChanged.

    """
    told: dict[tuple[int, str], list[_Value]] = defaultdict(list)
    joined = accounts.joined_players(row[0] for fact in facts for row in fact.payload["values"])
    for fact in facts:
        for key, value in _values(fact):
            whose = joined.get(value.player_id, value.player_id)
            told[fact.payload["game"], key].append(value._replace(player_id=whose))
    fed = [
        board
        for board in definitions.fed_boards({game_id for game_id, _ in told})
        if (board.game_id, board.stat) in told
    ]
    games = accounts.games_by_id(board.game_id for board in fed)
    for board in fed:
        _submit(games[board.game_id], board, told[board.game_id, board.stat or ""])


def _values(fact: Fact) -> Iterator[tuple[str, _Value]]:
    of_kind = _changed if fact.kind == StatsChanged.kind else _joined
    keys = {stat_id: key for stat_id, key, *_ in fact.payload["stats"]}
    for player_id, stat_id, *row in fact.payload["values"]:
        yield keys[stat_id], of_kind(player_id, stat_id, *row)


def _changed(
    player_id: int, stat_id: int, value: float, previous: float | None, version: int, reached_us: int
) -> _Value:
    now, before = _exact(value), _exact(previous or 0)
    event_id = _event(player_id, stat_id, version)
    return _Value(player_id, now, (now,), (before,), from_microseconds(reached_us), event_id)


def _joined(
    player_id: int,
    stat_id: int,
    value: float,
    kept: float,
    brought: float,
    begun: float,
    version: int,
    reached_us: int,
    _: int,
) -> _Value:
    """Return the one value that two became, behind both: what is told of either may still come."""
    now = _exact(value)
    added, taken = (now, _exact(begun)), (_exact(kept), _exact(brought))
    event_id = _event(player_id, stat_id, version)
    return _Value(player_id, now, added, taken, from_microseconds(reached_us + 1), event_id)


def _event(player_id: int, stat_id: int, version: int) -> UUID:
    return uuid5(_EVENTS, f"{player_id} {stat_id} {version}")


def _exact(number: float) -> Decimal:
    """Return a number as the API shows it, digit by digit."""
    return Decimal(str(number))


def _submit(game: GameInfo, board: BoardInfo, values: Sequence[_Value]) -> None:
    names = {
        player_id: shown["external_id"]
        for player_id, shown in accounts.players_shown(
            {value.player_id for value in values}, studio_id=game.studio_id
        ).items()
        if "external_id" in shown
    }
    requests = [
        _request(board, value, names[value.player_id])
        for value in values
        if value.player_id in names and not _is_there(board, value)
    ]
    for start in range(0, len(requests), _AT_ONCE):
        try:
            _, results = scores.submit_many(
                game=game,
                key=board.key,
                requests=requests[start : start + _AT_ONCE],
                by=_STAT,
                at=clock.now(),
            )
        except NotFound:
            return  # deleted meanwhile
        _require_taken(board, results)


def _is_there(board: BoardInfo, value: _Value) -> bool:
    """Say whether a board has the one of two values already by what was told of both: no attempt is counted for it."""
    if len(value.taken) < 2:
        return False
    if board.operator == "sum":
        return not _added(board, value)
    return board.operator == "best" and value.value in value.taken


def _request(board: BoardInfo, value: _Value, player: str) -> ScoreRequest:
    score = _added(board, value) if board.operator == "sum" else _rounded(value.value, board.decimals)
    return ScoreRequest(player, score, event_id=value.event_id, achieved_at=value.reached_at)


def _added(board: BoardInfo, value: _Value) -> Decimal:
    """Return what a board that sums is to add; of rounded numbers, so that sums of them are those of the stat."""
    added = sum((_rounded(one, board.decimals) for one in value.added), Decimal(0))
    return added - sum((_rounded(one, board.decimals) for one in value.taken), Decimal(0))


def _rounded(value: Decimal, decimals: int) -> Decimal:
    return round(value, decimals) + 0  # no negative zero


def _require_taken(board: BoardInfo, results: Iterable[object]) -> None:
    refused = [result for result in results if isinstance(result, Refused)]
    busy = next((result for result in refused if isinstance(result, Unavailable)), None)
    if busy is not None:
        raise busy
    if refused:
        log.info("values not taken", board=board.key, values=len(refused), why=str(refused[0]))
