"""Every write of leaderboards: what happened is brought to the boards, and boards are kept whole."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from achievements.facts import AchievementsUnlocked, OverallChanged, TotalsMoved
from core.facts import Fact
from leaderboards import filling, rebuilding, truth
from leaderboards.filling import OFF, Change, State
from leaderboards.keys import Board

FOLLOWER = "leaderboards"
KINDS = frozenset({AchievementsUnlocked.kind, OverallChanged.kind, TotalsMoved.kind})
_Totals = dict[int, list[Any]]  # by player: the fields of achievements.facts.Total as the log has them


def apply_facts(facts: Sequence[Fact]) -> None:
    """Bring totals to the boards of their game and of all games, each in all regions and in the player's.

    What is written is absolute and guarded by versions. Boards that turn out not to be ready are healed once the
    cursor has moved: a new game's board is ready after its first unlock.

    Raises:
        redis.RedisError: Valkey is away; the follower waits.

    """
    not_ready = filling.apply({board: list(changes.values()) for board, changes in changes_of(facts).items()})
    if not_ready:
        transaction.on_commit(lambda: rebuilding.heal(not_ready), robust=True)


def check_boards() -> None:
    """Heal every board that is not ready, or not known to have survived the server's last start."""
    boards = truth.boards()
    states = filling.states(boards)
    rebuilding.heal([board for board in boards if states[board] is not State.READY])


def changes_of(facts: Sequence[Fact]) -> dict[Board, dict[int, Change]]:
    """Return what facts change on each board, by player: the newest of each only, whatever order they come in."""
    totals: dict[int | None, _Totals] = defaultdict(dict)
    changes: dict[Board, dict[int, Change]] = defaultdict(dict)
    for fact in facts:
        if fact.kind == AchievementsUnlocked.kind:
            _keep_newest(totals[fact.payload["game"]], fact.payload["totals"])
        elif fact.kind == OverallChanged.kind:
            _keep_newest(totals[None], fact.payload["totals"])
        else:
            for game, previous, *total in fact.payload["moves"]:
                _keep_newest(totals[game or None], [total])
                if previous:
                    player, version = total[0], total[5]
                    _put(changes[Board(game or None, previous)], Change(player, version, 0, OFF))
    for game_id, newest in totals.items():
        everywhere = changes[Board(game_id, None)]
        for player, region, points, _, reached_us, version in newest.values():
            everywhere[player] = change = Change(player, version, reached_us, points)
            if region:
                _put(changes[Board(game_id, region)], change)
    return changes


def _keep_newest(newest: _Totals, totals: Iterable[list[Any]]) -> None:
    for total in totals:
        known = newest.get(total[0])
        if known is None or known[5] < total[5]:
            newest[total[0]] = total


def _put(changes: dict[int, Change], change: Change) -> None:
    known = changes.get(change.player_id)
    if known is None or known.version < change.version:
        changes[change.player_id] = change
