"""Boards as Valkey has them: one command a question, whatever the depth."""

import struct
from collections.abc import Sequence
from typing import Any

from core.redis import client
from leaderboards import keys
from leaderboards.keys import Board
from leaderboards.listing import Around, Behind, FromOffset, Listing, Place, Rank, Row, Where
from leaderboards.rules.ranks import rank_of
from leaderboards.scripting import Call, Script

_PAGE = Script("page", reads=True)
_RANK = Script("rank", reads=True)
_PLACE = Script("place", reads=True)
_AMONG = Script("among", reads=True)
_MEMBER = struct.Struct(">QQ")
_PLAYER = struct.Struct(">Q")


class NotReady(Exception):
    """The board is not whole in Valkey; PostgreSQL knows."""


def listing(board: Board, where: Where, *, limit: int) -> Listing:
    """Return a page of a board. Raises NotReady, redis.RedisError."""
    answer = _PAGE.run(client("boards"), Call(_keys(board), [limit, *_way(where)]))
    if answer is None:
        raise NotReady(board.name)
    total, first_place, before, scores_before, flat = answer
    return Listing(board.tie_break, total, first_place, before, _rows(flat), scores_before)


def rank(board: Board, player_id: int) -> Rank | None:
    """Return where a player stands, None when not on the board. Raises NotReady, redis.RedisError."""
    return _rank(board, _RANK.run(client("boards"), Call(_keys(board), [_PLAYER.pack(player_id)])))


def ranks(boards: Sequence[Board], player_id: int) -> list[Rank | NotReady | None]:
    """Return where a player stands on several boards, in one round trip. Raises redis.RedisError."""
    player = _PLAYER.pack(player_id)
    answers = _RANK.run_many(client("boards"), [Call(_keys(board), [player]) for board in boards])
    return [_rank_or_not_ready(board, answer) for board, answer in zip(boards, answers, strict=True)]


def ranks_of(board: Board, player_ids: Sequence[int]) -> list[Rank | NotReady | None]:
    """Return where several players stand on one board, in one round trip. Raises redis.RedisError."""
    calls = [Call(_keys(board), [_PLAYER.pack(player_id)]) for player_id in player_ids]
    answers = _RANK.run_many(client("boards"), calls)
    return [_rank_or_not_ready(board, answer) for answer in answers]


def among(board: Board, player_ids: Sequence[int]) -> list[Row]:
    """Return the rows of those of several players who are on a board. Raises NotReady, redis.RedisError."""
    answer = _AMONG.run(client("boards"), Call(_keys(board), [_PLAYER.pack(player) for player in player_ids]))
    if answer is None:
        raise NotReady(board.name)
    return _rows(answer)


def place(board: Board, sort_value: int) -> Place:
    """Return what rank a score would have that came now. Raises NotReady, redis.RedisError."""
    answer = _PLACE.run(client("boards"), Call(_keys(board), [sort_value]))
    if answer is None:
        raise NotReady(board.name)
    before, same, scores_before, total = answer
    rank = rank_of(board.tie_break, place=before + same, before=before, scores_before=scores_before)
    return Place(rank, before, total)


def _keys(board: Board) -> tuple[str, ...]:
    found = keys.order(board), keys.entries(board), keys.ready(board)
    return (*found, keys.scores(board)) if board.is_dense else found


def _way(where: Where) -> tuple[str | int | bytes, ...]:
    match where:
        case FromOffset(offset):
            return "offset", offset
        case Behind(row):
            return "behind", row.sort_value, _MEMBER.pack(row.reached_us, row.player_id)
        case Around(player_id):
            return "around", _PLAYER.pack(player_id)


def _rows(flat: Sequence[bytes]) -> list[Row]:
    """Read what ZRANGE answers: member, score, member, score and so on."""
    members = _MEMBER.iter_unpack(b"".join(flat[::2]))
    return [
        Row(player_id, int(score), at) for (at, player_id), score in zip(members, flat[1::2], strict=True)
    ]


def _rank(board: Board, answer: Any) -> Rank | None:
    if answer is None:
        raise NotReady(board.name)
    if not answer:
        return None
    sort_value, reached, place, before, same, scores_before, total = answer
    return Rank(
        rank=rank_of(board.tie_break, place=place, before=before, scores_before=scores_before),
        sort_value=int(sort_value),
        reached_us=int.from_bytes(reached, "big"),
        total_count=total,
        tied=same > 1,
        before=before,
    )


def _rank_or_not_ready(board: Board, answer: Any) -> Rank | NotReady | None:
    try:
        return _rank(board, answer)
    except NotReady as not_ready:
        return not_ready
