"""What a board holds otherwise than PostgreSQL, while both change: found, confirmed by a second look, or mended."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from leaderboards import filling, truth
from leaderboards.filling import Change, Member, State
from leaderboards.keys import Board
from leaderboards.truth import Entry

MOST_COUNTED = 100_000  # a board that has more differences is wrong enough
LOOKS = 20
LOOK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Difference:
    """A player whom the board holds otherwise.

    Attributes:
        entry: what PostgreSQL says; None when the player is not on the board.
        member: what should not stand in the order; None when something is missing there.

    """

    player_id: int
    entry: Entry | None
    member: Member | None


def change_of(entry: Entry) -> Change:
    """Return what puts a player where PostgreSQL has him."""
    return Change(entry.player_id, entry.version, entry.reached_us, entry.sort_value)


def differences(board: Board) -> Iterator[list[Difference]]:
    """Yield, chunk by chunk and maybe empty, what the board lacks, then what it has too much.

    Whatever changes meanwhile may be among them: one of both sides is always read first.
    """
    for entries in truth.everyone(board):
        held = filling.held(board, [entry.player_id for entry in entries])
        yield [
            Difference(entry.player_id, entry, None)
            for entry in entries
            if not _is_as_new(held.get(entry.player_id), entry)
        ]
    for members in filling.walk(board):
        yield wrong_among(board, members)


def wrong_among(board: Board, members: Sequence[Member]) -> list[Difference]:
    """Return which of the members, read a moment ago, should not stand in the order, or not there."""
    now = truth.of_players(board, {member.player_id for member in members})
    return [
        Difference(member.player_id, now.get(member.player_id), member)
        for member in members
        if not _belongs(member, now.get(member.player_id))
    ]


def mend(board: Board, found: Sequence[Difference]) -> None:
    """Bring in line with PostgreSQL what is different; what a listener wrote meanwhile stays."""
    for difference in found:
        if difference.member is not None:
            filling.forget(board, difference.member)
    entries = {one.player_id: one.entry for one in found if one.entry is not None}
    entries |= _back_again(board, list(entries))
    filling.apply({board: [change_of(entry) for entry in entries.values()]})


def _back_again(board: Board, player_ids: Sequence[int]) -> dict[int, Entry]:
    """Let players be put back who left the board as of a version that is newer than what PostgreSQL has of them.

    What a board says was in PostgreSQL before, so who is there now came later, under a lower version: a clock went
    back, or a server took over that had lost the last moment.
    """
    left = filling.absences(board, player_ids)
    now = truth.of_players(board, left) if left else {}
    back = {pk: entry for pk, entry in now.items() if entry.version < left[pk]}
    return {pk: entry for pk, entry in back.items() if filling.forget_absence(board, pk, left[pk])}


def check(board: Board) -> int:
    """Return how many players the board holds otherwise than PostgreSQL, not counting what is on its way to it."""
    found = list(islice(chain.from_iterable(differences(board)), MOST_COUNTED))
    return len({difference.player_id for difference in confirmed(board, found)})


def confirmed(board: Board, found: list[Difference]) -> list[Difference]:
    """Return what still differs after further looks, while everything goes on."""
    before = truth.of_players(board, {difference.player_id for difference in found})
    for _ in range(LOOKS):
        if not found:
            break
        time.sleep(LOOK_AGAIN_S)
        found = _still_different(board, found, before)
    return found


def not_ready(boards: Sequence[Board]) -> list[Board]:
    """Return the boards that are not ready and do not become so within a few seconds."""
    waiting = list(boards)
    for _ in range(LOOKS):
        states = filling.states(waiting)
        waiting = [board for board in waiting if states[board] is State.MISSING]
        if not waiting:
            break
        time.sleep(LOOK_AGAIN_S)
    return waiting


def _is_as_new(held: Change | None, entry: Entry) -> bool:
    """Say whether the board holds a standing that was read before, or a newer one."""
    return held is not None and (held.version > entry.version or held == change_of(entry))


def _belongs(member: Member, now: Entry | None) -> bool:
    """Say whether a member that was read before is right, or will be replaced once its listener is there."""
    return member.is_led_to and now is not None and member.version <= now.version


def _still_different(
    board: Board, found: Sequence[Difference], before: Mapping[int, Entry]
) -> list[Difference]:
    players = list({difference.player_id for difference in found})
    there = filling.standing_there(board, [one.member for one in found if one.member is not None])
    held = filling.held(board, players)
    now = truth.of_players(board, players)
    different = {pk for pk in players if not _agrees(held.get(pk), before.get(pk), now.get(pk))}
    return [one for one in found if one.player_id in different or _is_left_over(one.member, there, held)]


def _agrees(held: Change | None, before: Entry | None, now: Entry | None) -> bool:
    """Say whether the board holds what PostgreSQL held at some moment between `before` and `now`."""
    if held is None:
        return now is None or before is None
    if now is None:
        return before is not None
    if held.version == now.version:
        return held == change_of(now)
    return held.version < now.version and (before is None or before.version <= held.version)


def _is_left_over(member: Member | None, there: set[Member], held: Mapping[int, Change]) -> bool:
    """Say whether a member still stands in the order although its player's entry leads elsewhere."""
    if member is None or member not in there:
        return False
    leads_to = held.get(member.player_id)
    return leads_to is None or leads_to.reached_us != member.reached_us
