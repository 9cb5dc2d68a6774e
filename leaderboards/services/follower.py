"""What leaderboards hear: what happened is brought to the boards in Valkey, and boards are kept whole."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import selectors as accounts
from accounts.erased import erased_players
from accounts.facts import PlayersChanged, PlayersExcluded
from achievements.facts import (
    AchievementsRevoked,
    AchievementsUnlocked,
    OverallChanged,
    TotalsMoved,
    TotalsRanked,
)
from achievements.selectors import standings as points
from core.facts import Fact
from leaderboards import estimating, filling, rebuilding, scores, truth
from leaderboards.facts import ScoresChanged
from leaderboards.filling import OFF, Change, State
from leaderboards.keys import Board
from leaderboards.services import excluding, moving, telling

FOLLOWER = "leaderboards"
KINDS = frozenset(
    {
        AchievementsUnlocked.kind,
        AchievementsRevoked.kind,
        OverallChanged.kind,
        TotalsMoved.kind,
        TotalsRanked.kind,
        ScoresChanged.kind,
        PlayersChanged.kind,
        PlayersExcluded.kind,
    }
)
_OF_TOTALS = (AchievementsUnlocked.kind, AchievementsRevoked.kind)
_Totals = dict[
    int, list[Any]
]  # by player: the fields of achievements.facts.Total as the log has them, and maybe ranked


def apply_facts(facts: Sequence[Fact]) -> None:
    """Bring totals and scores to their boards, in all regions and in the player's.

    Scores follow a player's region, and leave the boards of a studio that excludes him. What is written is absolute and
    guarded by versions. Boards that turn out not to be ready are healed once the cursor has moved: a new game's board
    is ready after its first unlock.

    Raises:
        redis.RedisError: Valkey is away; the follower waits.

    Publishes:
        ScoresChanged, for the scores of players who changed their region, were excluded or taken back.

    """
    regions = moving.regions(facts)
    # First: it locks the periods of both at once, and those are locked before rows.
    excluding.follow_exclusions(facts, share=moving.periods_of(regions))
    moving.follow_regions(regions)
    large = estimating.large()
    changes = changes_of(facts, unranked=points.unranked(_with_totals(facts)))
    told = _with_scores(facts)
    _take_off(changes, accounts.joined_players(told).keys() | erased_players(told))
    moved = {board: len(listed) for board, listed in changes.items() if board.name in large}
    counted, stale = estimating.count_changes(moved)
    to_heal = stale | filling.apply(
        {board: list(listed.values()) for board, listed in changes.items() if board not in counted}
    )
    filling.note_changed(counted)
    telling.note_moves(facts)
    if to_heal:
        transaction.on_commit(lambda: _heal(to_heal), robust=True)


def check_boards() -> None:
    """Heal every board that is not ready, may not have survived the server's last start, or has outgrown Valkey."""
    boards, large, stale = truth.boards(), estimating.large(), estimating.stale()
    states = filling.states(boards)
    ready = [board for board in boards if states[board] is State.READY]
    grown = {
        board for board, size in filling.sizes(ready).items() if size > settings.LEADERBOARD_EXACT_PLAYERS
    }
    rebuilding.heal(
        board
        for board in boards
        if board in grown
        or board.name in stale
        or (states[board] is not State.READY and board.name not in large)
    )


def tidy_boards() -> int:
    """Remove the boards of periods that were reset or are long final; return how many. Raises redis.RedisError.

    A board that everybody left is in no list of boards to check, nor is that of a final period: one that is not ready
    is healed here.
    """
    left = set(filling.ready_boards()) - set(truth.boards())
    kept = truth.kept(left)
    for board in left - kept:
        filling.drop_for_good(board)
    states = filling.states(list(kept))
    rebuilding.heal(board for board in kept if states[board] is not State.READY)
    return len(left) - len(kept)


def _heal(boards: Collection[Board]) -> None:
    """Heal boards; what late facts made of one whose period is over is removed."""
    kept = truth.kept(boards)
    for board in set(boards) - kept:
        filling.drop_for_good(board)
    rebuilding.heal(kept)


def changes_of(
    facts: Sequence[Fact], *, unranked: Collection[tuple[int, int]] = frozenset()
) -> dict[Board, dict[int, Change]]:
    """Return what facts change on each board, by player: the newest of each only, whatever order they come in.

    `unranked` are `(game, player)` who are on no board of the game's points by now.
    """
    totals: dict[int | None, _Totals] = defaultdict(dict)
    changes: dict[Board, dict[int, Change]] = defaultdict(dict)
    for fact in facts:
        if fact.kind in _OF_TOTALS:
            _keep_newest(totals[fact.payload["game"]], fact.payload["totals"])
        elif fact.kind == OverallChanged.kind:
            _keep_newest(totals[None], fact.payload["totals"])
        elif fact.kind == TotalsMoved.kind:
            _take_moves(totals, changes, fact.payload["moves"])
        elif fact.kind == TotalsRanked.kind:
            for game_id, *total in fact.payload["totals"]:
                _keep_newest(totals[game_id], [total])
        elif fact.kind == ScoresChanged.kind:
            _put_scores(changes, fact.payload)
    for game_id, newest in totals.items():
        _put_totals(changes, game_id, newest, unranked)
    return changes


def _take_off(changes: dict[Board, dict[int, Change]], players: Collection[int]) -> None:
    """Let players be on no board: they were joined to others or erased, and are told of behind what says so.

    What they have in periods that were over by then stays.
    """
    if not players:
        return
    stays = scores.holders(players, {board.period_id for board in changes if board.period_id is not None})
    for board, listed in changes.items():
        for player in listed.keys() & set(players):
            if (player, board.period_id) not in stays:
                listed[player] = listed[player]._replace(sort_value=OFF)


def _with_totals(facts: Sequence[Fact]) -> set[int]:
    """Return the players whose totals in a game facts tell of."""
    found: set[int] = set()
    for fact in facts:
        if fact.kind in _OF_TOTALS:
            found.update(total[0] for total in fact.payload["totals"])
        elif fact.kind == TotalsMoved.kind:
            found.update(player for _, _, player, *_ in fact.payload["moves"])
    return found


def _with_scores(facts: Sequence[Fact]) -> set[int]:
    """Return the players whom facts put on boards, or take off them."""
    found = _with_totals(facts)
    for fact in facts:
        if fact.kind == OverallChanged.kind:
            found.update(total[0] for total in fact.payload["totals"])
        elif fact.kind == ScoresChanged.kind:
            found.update(score[0] for score in fact.payload["scores"])
    return found


def _take_moves(
    totals: dict[int | None, _Totals], changes: dict[Board, dict[int, Change]], moves: Iterable[list[Any]]
) -> None:
    for game, previous, *total in moves:
        _keep_newest(totals[game or None], [total])
        if previous:
            player, version = total[0], total[5]
            _put(changes[Board(game or None, previous)], Change(player, version, 0, OFF))


def _put_totals(
    changes: dict[Board, dict[int, Change]],
    game_id: int | None,
    newest: _Totals,
    unranked: Collection[tuple[int, int]],
) -> None:
    everywhere = changes[Board(game_id, None)]
    for player, region, score, _, reached_us, version, *said in newest.values():
        is_ranked = said[0] if said else (game_id, player) not in unranked
        everywhere[player] = change = Change(player, version, reached_us, -score if is_ranked else OFF)
        if region:
            _put(changes[Board(game_id, region)], change)


def _put_scores(changes: dict[Board, dict[int, Change]], payload: Mapping[str, Any]) -> None:
    whole = Board(payload["game"], None, payload["period"], payload["tie_break"])
    for player, region, sort_value, reached_us, version, is_shown, previous in payload["scores"]:
        change = Change(player, version, reached_us, sort_value if is_shown else OFF)
        _put(changes[whole], change)
        if region:
            _put(changes[whole._replace(region=region)], change)
        if previous:
            _put(changes[whole._replace(region=previous)], Change(player, version, 0, OFF))


def _keep_newest(newest: _Totals, totals: Iterable[list[Any]]) -> None:
    for total in totals:
        known = newest.get(total[0])
        if known is None or known[5] < total[5]:
            newest[total[0]] = total


def _put(changes: dict[int, Change], change: Change) -> None:
    known = changes.get(change.player_id)
    if known is None or known.version < change.version:
        changes[change.player_id] = change
