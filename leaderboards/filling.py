"""Writing boards in Valkey: absolute, guarded by versions, so that repeating or reordering anything changes nothing."""

import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from core import clock
from core.redis import WORKER_TIMEOUT_S, client
from core.redis import forget as forget_keys
from leaderboards import keys
from leaderboards.keys import Board
from leaderboards.scripting import Call, Script

CHANGES_A_CALL = 250  # everybody else waits while a script runs: so many take it one or two milliseconds
LEASE_S = 60  # the board of a rebuild that died is rebuilt so much later
OFF = -(2**63)  # instead of a sort value: the player is taken off the board
_SCANNED_A_CALL = 1000

_APPLY = Script("apply")
_BEGIN = Script("begin")
_END = Script("end")
_FORGET = Script("forget")
_FORGET_ABSENCE = Script("forget_absence")
_CHANGE = struct.Struct(">QQQq")
_PLAYER = struct.Struct(">Q")
_ENTRY = struct.Struct(">QQ")
_MEMBER = struct.Struct(">QQ")


class Change(NamedTuple):
    """A player's place on a board as of a version of his total or score; with the sort value OFF he leaves it."""

    player_id: int
    version: int
    reached_us: int
    sort_value: int


class Member(NamedTuple):
    """What stands in a board's order, and the entry that ought to lead to it, as both were found."""

    player_id: int
    reached_us: int
    sort_value: int
    entry: bytes

    @property
    def is_led_to(self) -> bool:
        """Whether the player's entry means this member."""
        return len(self.entry) == _ENTRY.size and _ENTRY.unpack(self.entry)[1] == self.reached_us

    @property
    def version(self) -> int:
        """The version of the total that the entry names; 0 without one."""
        return int.from_bytes(self.entry[:8], "big")


class State(Enum):
    """What a board is in Valkey: whole, whole before the server's last start, or not whole."""

    READY = "ready"
    UNVERIFIED = "unverified"
    MISSING = "missing"


def apply(changes: Mapping[Board, Sequence[Change]]) -> set[Board]:
    """Apply changes, each player once a board; return the boards that are not ready. Raises redis.RedisError."""
    boards: list[Board] = []
    calls: list[Call] = []
    for board, listed in changes.items():
        for packed in _packed(listed):
            boards.append(board)
            calls.append(Call(_keys(board), ["", 0, packed]))
    if not calls:
        return set()
    answers = _APPLY.run_many(_client(), calls)
    note_changed(boards)
    return {board for board, is_ready in zip(boards, answers, strict=True) if not is_ready}


def note_changed(boards: Iterable[Board]) -> None:
    """Note which boards changed, for snapshots: of a region's none are taken. Raises redis.RedisError."""
    if whole := {board.name for board in boards if board.region is None}:
        _client().sadd(keys.changed(), *whole)


def begin(board: Board, *, empty: bool) -> str | None:
    """Begin a rebuild, emptying the board first or not; return its token, None while another one runs."""
    token = secrets.token_hex(8)
    begun = _BEGIN.run(_client(), Call(_keys(board), [token, LEASE_S, int(empty)]))
    return token if begun else None


def fill(board: Board, token: str, changes: Sequence[Change]) -> bool:
    """Apply a rebuild's changes (none: renew its lease); False when it lost its lease, since the board was emptied."""
    calls = [Call(_keys(board), [token, LEASE_S, packed]) for packed in _packed(changes) or [b""]]
    answers: list[int] = _APPLY.run_many(_client(), calls)
    return min(answers) >= 0


def end(board: Board, token: str, *, whole: bool) -> bool:
    """End a rebuild; with `whole` the board is ready, unless the rebuild lost its lease. Return whether it had it."""
    call = Call([keys.ready(board), keys.build(board)], [token, server() if whole else ""])
    return bool(_END.run(_client(), call))


def forget(board: Board, member: Member) -> bool:
    """Take a member off, and the entry that means it, unless the player's entry is another one by now."""
    packed = _MEMBER.pack(member.reached_us, member.player_id)
    places = [keys.order(board), keys.entries(board), *_scores(board)]
    return bool(_FORGET.run(_client(), Call(places, [packed, member.entry])))


def absences(board: Board, player_ids: Sequence[int]) -> dict[int, int]:
    """Return as of which version players left the board, of those who did."""
    if not player_ids:
        return {}
    found = _client().hmget(keys.entries(board), [_PLAYER.pack(pk) for pk in player_ids])
    return {
        pk: int.from_bytes(entry, "big")
        for pk, entry in zip(player_ids, found, strict=True)
        if entry is not None and not _is_placed(entry)
    }


def forget_absence(board: Board, player_id: int, version: int) -> bool:
    """Forget that a player left the board, unless the board knows something else of him by now."""
    call = Call([keys.entries(board)], [_PLAYER.pack(player_id), version.to_bytes(8, "big")])
    return bool(_FORGET_ABSENCE.run(_client(), call))


def drop(board: Board) -> None:
    """Take a board's order out of Valkey; a rebuild of it that runs ends. Raises redis.RedisError."""
    _client().unlink(*_keys(board), keys.asked(board))


def drop_for_good(board: Board) -> None:
    """Take out a board that nobody asks for any more, with whom to tell of it. Raises redis.RedisError."""
    drop(board)
    at = int(clock.now().timestamp())
    told = (keys.told(board, at=at), keys.told(board, at=at - keys.WEEK_S))
    _client().unlink(keys.watched(board), keys.moved(board), *told)


def drop_everything() -> None:
    """Take all boards out of Valkey, and what is known of them: PostgreSQL answers. Raises redis.RedisError."""
    forget_keys("boards", keys.everything())


def server() -> str:
    """Return the id of the server's present run."""
    run_id: str = _client().info("server")["run_id"]
    return run_id


def states(boards: Sequence[Board]) -> dict[Board, State]:
    """Return what each board is, in two round trips."""
    pipeline = _client().pipeline(transaction=False)
    for board in boards:
        pipeline.get(keys.ready(board))
    run_id = server().encode()
    return {
        board: State.MISSING if found is None else State.READY if found == run_id else State.UNVERIFIED
        for board, found in zip(boards, pipeline.execute(), strict=True)
    }


def sizes(boards: Sequence[Board]) -> dict[Board, int]:
    """Return how many players each board's order holds, in one round trip."""
    pipeline = _client().pipeline(transaction=False)
    for board in boards:
        pipeline.zcard(keys.order(board))
    return dict(zip(boards, pipeline.execute(), strict=True)) if boards else {}


def take_turn_to_ask(board: Board, *, for_s: int) -> bool:
    """Say whether nobody asked for a rebuild of the board within the last seconds; then the caller does."""
    return bool(_client().set(keys.asked(board), 1, nx=True, ex=for_s))


def ready_boards() -> list[Board]:
    """Return every board that is ready, by going through all keys of the server."""
    found = (keys.board_of(key) for key in _client().scan_iter(match=keys.any_ready(), count=_SCANNED_A_CALL))
    return [board for board in found if board is not None]


def held(board: Board, player_ids: Sequence[int]) -> dict[int, Change]:
    """Return what the board holds of players; those who are not in its order are left out."""
    if not player_ids:
        return {}
    players = [_PLAYER.pack(pk) for pk in player_ids]
    entries = _client().hmget(keys.entries(board), players)
    leads = [
        (pk, *_ENTRY.unpack(entry))
        for pk, entry in zip(player_ids, entries, strict=True)
        if _is_placed(entry)
    ]
    if not leads:
        return {}
    scores = _client().zmscore(keys.order(board), [_MEMBER.pack(reached, pk) for pk, _, reached in leads])
    return {
        pk: Change(pk, version, reached, int(score))
        for (pk, version, reached), score in zip(leads, scores, strict=True)
        if score is not None
    }


def standing_there(board: Board, members: Sequence[Member]) -> set[Member]:
    """Return which of the members stand in a board's order (still)."""
    if not members:
        return set()
    packed = [_MEMBER.pack(member.reached_us, member.player_id) for member in members]
    scores = _client().zmscore(keys.order(board), packed)
    return {member for member, score in zip(members, scores, strict=True) if score is not None}


def walk(board: Board) -> Iterator[list[Member]]:
    """Yield all that stand in a board's order the whole time, in no order, some of them twice."""
    cursor = 0
    while True:
        cursor, found = _client().zscan(keys.order(board), cursor, count=_SCANNED_A_CALL)
        members = [(_MEMBER.unpack(member), int(score)) for member, score in found]
        if members:
            yield _with_entries(board, members)
        if cursor == 0:
            return


def sample(board: Board, size: int) -> list[Member]:
    """Return so many that stand in a board's order, drawn by lot; all of them if there are fewer."""
    drawn = _client().execute_command("ZRANDMEMBER", keys.order(board), size, "WITHSCORES")
    return _with_entries(board, [(_MEMBER.unpack(member), int(score)) for member, score in drawn])


def _with_entries(board: Board, members: Sequence[tuple[tuple[int, int], int]]) -> list[Member]:
    """Return `((reached, player), sort value)` each with the entry that the board has of the player."""
    if not members:
        return []
    entries = _client().hmget(keys.entries(board), [_PLAYER.pack(pk) for (_, pk), _ in members])
    return [
        Member(pk, reached, sort_value, entry or b"")
        for ((reached, pk), sort_value), entry in zip(members, entries, strict=True)
    ]


def _is_placed(entry: bytes | None) -> bool:
    return entry is not None and len(entry) == _ENTRY.size


def _packed(changes: Sequence[Change]) -> list[bytes]:
    return [
        b"".join([_CHANGE.pack(*change) for change in changes[start : start + CHANGES_A_CALL]])
        for start in range(0, len(changes), CHANGES_A_CALL)
    ]


def _keys(board: Board) -> tuple[str, ...]:
    return keys.order(board), keys.entries(board), keys.ready(board), keys.build(board), *_scores(board)


def _scores(board: Board) -> tuple[str, ...]:
    return (keys.scores(board),) if board.is_dense else ()


def _client() -> Any:
    """Return the client for workers; redis-py's types know answers in text only, and these are bytes."""
    return client("boards", timeout_s=WORKER_TIMEOUT_S)
