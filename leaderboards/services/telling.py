"""Telling players where they stand once their own score moved: at most once a minute for a board, many at a time.

What is noted for it is in Valkey alone. If that is lost, somebody is not told of a rank; nobody is told a wrong one.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from achievements.facts import AchievementsUnlocked
from core.facts import Fact, publish
from core.ids import new_id
from core.redis import WORKER_TIMEOUT_S, client
from leaderboards import estimating, keys, truth
from leaderboards.facts import RanksChanged, ScoresChanged
from leaderboards.keys import Board
from leaderboards.listing import Rank
from leaderboards.models import Period
from leaderboards.rules import scores as rules
from leaderboards.selectors import definitions, standings
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.services.periods import LIVE

EVERY_S = 60
AT_ONCE = 1_000  # players of a board in one fact
_NOTES_AT_ONCE = 20
_MOST_NOTES = 1_000  # of at most 3,000 players each: the oldest are lost where nobody tells for minutes
_TOLD_FOR_S = 2 * keys.WEEK_S
_PLAYER = struct.Struct(">Q")
_TOLD = struct.Struct(">qqq")


class Told(NamedTuple):
    """What a player was told last."""

    rank: int
    sort_value: int
    at: int


def note_moves(facts: Sequence[Fact]) -> None:
    """Note whose own score moved on a game's points board or a board's main span. Raises redis.RedisError.

    The listener that brings thousands of changes a second to the boards calls this: it costs one command a call, and
    `tell_ranks` does the rest.
    """
    moved: dict[Board, set[int]] = {}
    for fact in facts:
        if fact.kind == AchievementsUnlocked.kind:
            board = Board(fact.payload["game"], None)
            moved.setdefault(board, set()).update(total[0] for total in fact.payload["totals"])
        elif fact.kind == ScoresChanged.kind and fact.payload["main"]:
            payload = fact.payload
            board = Board(payload["game"], None, payload["period"], payload["tie_break"])
            moved.setdefault(board, set()).update(
                row[0] for row in payload["scores"] if row[5] and not row[6]
            )
    note = {board.name: list(players) for board, players in moved.items() if players}
    if note:
        pipeline = _valkey().pipeline(transaction=False)
        pipeline.rpush(keys.moves(), orjson.dumps(note))
        pipeline.ltrim(keys.moves(), -_MOST_NOTES, -1)
        pipeline.execute()


def tell_ranks(*, now: datetime) -> int:
    """Tell every player who may be told by now where he stands; return how many are. Raises redis.RedisError.

    Publishes:
        RanksChanged, for each board.

    """
    _sort_notes(at=int(now.timestamp()))
    names: set[bytes] = _valkey().smembers(keys.moving())
    boards = [board for name in names if (board := keys.board_of(b"{%s}" % name)) is not None]
    return sum(_tell(board, at=int(now.timestamp())) for board in boards)


def _sort_notes(*, at: int) -> None:
    """Put who moved on the list of his board; who waits there already keeps his place."""
    while notes := _valkey().lpop(keys.moves(), _NOTES_AT_ONCE):
        moved: dict[str, set[int]] = {}
        for note in notes:
            for name, players in orjson.loads(note).items():
                moved.setdefault(name, set()).update(players)
        pipeline = _valkey().pipeline(transaction=False)
        for name, found in moved.items():
            _put_on_list(pipeline, name, list(found), at=at)
        pipeline.sadd(keys.moving(), *moved)
        pipeline.execute()


def _put_on_list(pipeline: Any, name: str, players: Sequence[int], *, at: int) -> None:
    board = keys.board_of(b"{%s}" % name.encode())
    if board is None:
        return
    for start in range(0, len(players), AT_ONCE):  # nobody waits long for one command
        due = {_PLAYER.pack(player): at for player in players[start : start + AT_ONCE]}
        pipeline.zadd(keys.moved(board), due, nx=True)


def _tell(board: Board, *, at: int) -> int:
    """Tell the players of one board; those who were told a moment ago wait for their minute.

    All wait while the board is filled: PostgreSQL would count the ranks of a thousand one by one. Of a board that
    Valkey does not hold any more nobody is told.
    """
    if not _is_quick(board):
        if not truth.kept([board]):
            _valkey().unlink(keys.moved(board))
        _cross_off(board)
        return 0
    told, count = _last_told(board, _due(board, at=at), at=at), 0
    early = {player: last.at + EVERY_S for player, last in told.items() if last and last.at + EVERY_S > at}
    if early:
        _valkey().zadd(
            keys.moved(board), {_PLAYER.pack(player): due for player, due in early.items()}, xx=True
        )
    wanted = _claimed(board, [player for player in told if player not in early])
    if wanted:
        ranks = dict(zip(wanted, standings.ranks_of(board, wanted), strict=True))
        count = _announce(board, ranks, told, at=at)
    _cross_off(board)
    return count


def _is_quick(board: Board) -> bool:
    """Say whether many ranks can be asked at once: the board is in Valkey, or a large one that is estimated."""
    return bool(_valkey().exists(keys.ready(board))) or estimating.sketch_of(board) is not None


def _cross_off(board: Board) -> None:
    """Take a board off the list once nobody waits on it; who moves in between must not be forgotten there."""
    valkey = _valkey()
    if valkey.exists(keys.moved(board)):
        return
    valkey.srem(keys.moving(), board.name)
    if valkey.exists(keys.moved(board)):
        valkey.sadd(keys.moving(), board.name)


def _announce(board: Board, ranks: dict[int, Rank | None], told: dict[int, Told | None], *, at: int) -> int:
    """Publish who stands elsewhere than he was told, or has another score; return how many do."""
    news = {
        player: rank for player, rank in ranks.items() if rank is not None and _differs(rank, told[player])
    }
    about = _about(board)
    if not news or about is None:
        return 0
    key, studio_id, info = about
    rows: list[list[int | float | None]] = [
        [player, rank.rank, last.rank if (last := told[player]) else None, _score(info, rank.sort_value)]
        for player, rank in news.items()
    ]
    assert board.game_id is not None  # the board over all games is told to nobody
    publish(RanksChanged(board.game_id, key, new_id().hex, rows), studio_id=studio_id, size=len(rows))
    values = {
        _PLAYER.pack(player): _TOLD.pack(rank.rank, rank.sort_value, at) for player, rank in news.items()
    }
    pipeline = _valkey().pipeline(transaction=False)
    pipeline.hset(keys.told(board, at=at), mapping=values)
    pipeline.expire(keys.told(board, at=at), _TOLD_FOR_S)
    pipeline.execute()
    return len(rows)


def _differs(rank: Rank, last: Told | None) -> bool:
    return last is None or (rank.rank, rank.sort_value) != (last.rank, last.sort_value)


def _about(board: Board) -> tuple[str, int, BoardInfo | None] | None:
    """Return a board's key, its studio and what it declares; None for one that is gone, or whose period is over.

    The event names no period: an old one's rank would be taken for the present one.
    """
    if board.period_id is None:
        studio_id = None if board.game_id is None else definitions.studio_of(board.game_id)
        return None if studio_id is None else (POINTS, studio_id, None)
    live = Period.objects.select_related("leaderboard").filter(state__in=LIVE)
    period = live.filter(pk=board.period_id).first()
    if period is None:
        return None
    info = definitions.info_of(period.leaderboard)
    return info.key, info.studio_id, info


def _score(info: BoardInfo | None, sort_value: int) -> int | float:
    if info is None:
        return -sort_value
    return rules.to_number(rules.sort_value(sort_value, sort=info.sort), decimals=info.decimals)


def _due(board: Board, *, at: int) -> list[int]:
    members = _valkey().zrange(keys.moved(board), "-inf", at, byscore=True, offset=0, num=AT_ONCE)
    return [_PLAYER.unpack(member)[0] for member in members]


def _last_told(board: Board, players: Sequence[int], *, at: int) -> dict[int, Told | None]:
    """Return what players were told last, in this week or the one before; None for who was told nothing."""
    if not players:
        return {}
    fields = [_PLAYER.pack(player) for player in players]
    pipeline = _valkey().pipeline(transaction=False)
    for week in (at, at - keys.WEEK_S):
        pipeline.hmget(keys.told(board, at=week), fields)
    return {
        player: Told(*_TOLD.unpack(value)) if (value := now or before) is not None else None
        for player, now, before in zip(players, *pipeline.execute(), strict=True)
    }


def _claimed(board: Board, players: Iterable[int]) -> list[int]:
    """Take players off the list; return those whom no other worker took. Who moves from now on is noted again."""
    listed = list(players)
    pipeline = _valkey().pipeline(transaction=False)
    for player in listed:
        pipeline.zrem(keys.moved(board), _PLAYER.pack(player))
    return [player for player, removed in zip(listed, pipeline.execute(), strict=True) if removed]


def _valkey() -> Any:
    """Return the client for workers; redis-py's types know answers in text only, and these are bytes."""
    return client("boards", timeout_s=WORKER_TIMEOUT_S)
