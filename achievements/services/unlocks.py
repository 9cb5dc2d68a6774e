"""Every write of unlocks: the checks of the rulebook, then the one statement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from accounts.services import create_players
from achievements import metrics
from achievements.completing import record_and_complete
from achievements.models import Authority, State, Type
from achievements.selectors import definitions
from achievements.selectors.definitions import Definition, GameCatalogue
from achievements.unlocking import Item, Outcome
from achievements.weighing import record_weighed
from core import clock
from core.db import LostRace, retry_conflicts
from core.group_commit import GroupCommit
from core.ids import new_id
from core.refusals import Conflict, Forbidden, Gone, Invalid, NotFound, Refused, Unavailable

AHEAD = timedelta(minutes=5)
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_ROUNDS = 4  # a new player, a new catalogue, a concurrent unlock: each costs one more


@dataclass(frozen=True, slots=True)
class UnlockRequest:
    """An unlock as it was sent."""

    player: str
    achievement: str
    unlocked_at: datetime | None = None
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """What the sender may do: a game's server, a player's own device, or a member of the studio who grants it.

    What a member grants is weighed by no rule of plausibility.
    """

    is_player: bool = False
    offline: bool = False
    is_studio: bool = False


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What an unlock came to. `status` is `unlocked` or `already_unlocked`; totals are given when it is new.

    One that `is_apart` is told as any other, and counts once somebody approves it (ADR 0040).
    """

    status: str
    event_id: UUID
    unlocked_at: datetime
    points: int
    total_points: int
    total_unlocked: int
    available: int
    is_apart: bool = False


SERVER = Caller()
STUDIO = Caller(is_studio=True)


def unlock(*, game: GameInfo, request: UnlockRequest, by: Caller, at: datetime) -> Unlocked:
    """Record one unlock, together with those that wait in this process at the moment.

    Raises:
        Refused: see `unlock_many`.

    Publishes:
        AchievementsUnlocked, when it is new.

    """
    result = unlock_many(game=game, requests=[request], by=by, at=at)[0]
    if isinstance(result, Refused):
        raise result
    return result


def unlock_many(
    *, game: GameInfo, requests: Sequence[UnlockRequest], by: Caller, at: datetime
) -> list[Unlocked | Refused]:
    """Record a batch of one game in one commit; return for each, in order, what it came to or why it is refused.

    Refused are: an unknown achievement, a draft (but for testers), an archived one, one outside its window, a meta or
    stat-driven one, a time that can't be, one that clients may not unlock, a banned or erased player.

    Publishes:
        AchievementsUnlocked with those that are new.

    """
    results: list[Unlocked | Refused | None] = [None] * len(requests)
    open_items = list(range(len(requests)))
    catalogue = definitions.catalogue(game.id)
    for attempt in range(_ROUNDS):
        wanted = [requests[index] for index in open_items]
        refusals = _refusals(catalogue, wanted, game=game, by=by, at=at)
        if attempt == 0 and any(refusals):
            # Never say no from a kept catalogue: it may have changed in another process.
            catalogue = definitions.fresh_catalogue(game.id)
            refusals = _refusals(catalogue, wanted, game=game, by=by, at=at)
        checked = []
        for index, refused in zip(open_items, refusals, strict=True):
            results[index] = refused
            if refused is None:
                checked.append(index)
        items = [_item(catalogue, requests[index], game=game, by=by) for index in checked]
        for index, result in zip(checked, _settle(items, catalogue, by=by), strict=True):
            results[index] = result
        open_items = [index for index in checked if results[index] is None]
        if not open_items:
            break
        catalogue = definitions.fresh_catalogue(game.id)
    metrics.count(results)
    return [
        result or Unavailable("The game's definitions are changing right now. Send it again.")
        for result in results
    ]


def _settle(items: list[Item], catalogue: GameCatalogue, *, by: Caller) -> list[Unlocked | Refused | None]:
    """Record items, creating the players that nobody has named yet; None for what must be checked again."""
    if len(items) > 1 and transaction.get_connection().in_atomic_block:
        # The locks of what is written last until commit. Whoever waits for a player to be created must hold none of a
        # player's rows yet, or batches that name each other's new players wait for each other.
        named = {item.external_id for item in items}
        unknown_ids = accounts.unknown_players(items[0].studio_id, named)
        if unknown_ids:
            create_players(studio_id=items[0].studio_id, external_ids=unknown_ids)
    run = _way_of(by, catalogue)
    outcomes = _record(items, run)
    unknown = [index for index, outcome in enumerate(outcomes) if outcome.player_id is None]
    if unknown:
        create_players(
            studio_id=items[0].studio_id, external_ids={items[index].external_id for index in unknown}
        )
        # Heard of once: whom the batch named first stays first among equals, known before or not.
        again = [replace(items[index], first_heard_us=outcomes[index].heard_us) for index in unknown]
        for index, outcome in zip(unknown, _record(again, run), strict=True):
            outcomes[index] = outcome
    return [_result(item, outcome, catalogue) for item, outcome in zip(items, outcomes, strict=True)]


def _result(item: Item, outcome: Outcome, catalogue: GameCatalogue) -> Unlocked | Refused | None:
    if outcome.erased or outcome.player_id is None:  # of whoever is no one's even now, the name was erased
        return Gone("This person was erased; nothing more is stored about them.")
    if outcome.banned:
        return Forbidden("This player is banned from the studio's games.")
    if outcome.unlocked_at is None or outcome.event_id is None:
        return None  # the catalogue is another one by now: check again
    return Unlocked(
        status="unlocked" if outcome.recorded else "already_unlocked",
        event_id=outcome.event_id,
        unlocked_at=outcome.unlocked_at,
        points=item.points,
        total_points=outcome.points,
        total_unlocked=outcome.unlocked,
        available=catalogue.available,
        is_apart=outcome.is_apart,
    )


_Way = Callable[[Sequence[Item]], list[Outcome]]


def _way_of(by: Caller, catalogue: GameCatalogue) -> _Way:
    """Return how items are recorded: those of a game without rules of plausibility without a thought of them."""
    is_weighed = catalogue.plausibility is not None and not by.is_studio
    return _ways[by.offline, is_weighed]


def _record(items: list[Item], way: _Way) -> list[Outcome]:
    if len(items) == 1 and not transaction.get_connection().in_atomic_block:
        return [_groups[way].submit(items[0])]
    return way(items)


def _run(items: Sequence[Item], *, offline: bool, is_weighed: bool) -> list[Outcome]:
    """Record items; again when the catalogue changed between an unlock and what it completes."""
    record = record_weighed if is_weighed else record_and_complete
    for _ in range(_ROUNDS):
        try:
            return retry_conflicts(lambda: record(items, at=clock.now(), offline=offline))
        except LostRace:
            continue
    raise Unavailable("The game's definitions are changing right now. Send it again.")


_ways: dict[tuple[bool, bool], _Way] = {
    (offline, is_weighed): partial(_run, offline=offline, is_weighed=is_weighed)
    for offline in (False, True)
    for is_weighed in (False, True)
}
_groups: dict[_Way, GroupCommit[Item, Outcome]] = {way: GroupCommit(way) for way in _ways.values()}


def _item(catalogue: GameCatalogue, request: UnlockRequest, *, game: GameInfo, by: Caller) -> Item:
    definition = catalogue.by_key[request.achievement]
    return Item(
        studio_id=game.studio_id,
        external_id=request.player,
        game_id=game.id,
        version=catalogue.version,
        achievement_id=definition.id,
        points=definition.points,
        unlocked_at=request.unlocked_at,
        event_id=request.event_id or new_id(),
        is_of_device=by.is_player,
    )


def _refusals(
    catalogue: GameCatalogue, requests: Sequence[UnlockRequest], *, game: GameInfo, by: Caller, at: datetime
) -> list[Refused | None]:
    """Return why each may not be unlocked by what a catalogue says, None where it may."""
    named = [(request.player, catalogue.by_key.get(request.achievement)) for request in requests]
    players = {player for player, one in named if one is not None and one.state == State.DRAFT}
    testers = accounts.testers(game, players) if players else set()
    return [_refusal(catalogue, request, testers=testers, by=by, at=at) for request in requests]


def _refusal(
    catalogue: GameCatalogue, request: UnlockRequest, *, testers: set[str], by: Caller, at: datetime
) -> Refused | None:
    definition = catalogue.by_key.get(request.achievement)
    if definition is None:
        return NotFound("The game has no such achievement.")
    if by.is_player and definition.authority != Authority.CLIENT:
        return Forbidden("Only a server key may unlock this achievement: its authority is `server`.")
    if definition.type == Type.META or definition.is_driven:
        return Conflict(
            "This achievement unlocks by itself when its conditions hold; it can't be unlocked by hand."
        )
    return (
        _time_refusal(request.unlocked_at, at=at)
        or state_refusal(definition, is_tester=request.player in testers)
        or window_refusal(definition, at=request.unlocked_at or at)
    )


def _time_refusal(told: datetime | None, *, at: datetime) -> Refused | None:
    if told is None or EARLIEST <= told <= at + AHEAD:
        return None
    return Invalid.value(
        "/unlocked_at", "Lies before 1980 or more than 5 minutes ahead of the platform's clock."
    )


def state_refusal(definition: Definition, *, is_tester: bool) -> Refused | None:
    """Return why an achievement can't be reached in its state, None if it can."""
    if definition.state == State.ARCHIVED:
        return Conflict("This achievement is archived and can't be unlocked any more.")
    if definition.state == State.DRAFT and not is_tester:
        return Conflict("This achievement is a draft: publish it, or make the player a tester of the game.")
    return None


def window_refusal(definition: Definition, *, at: datetime) -> Refused | None:
    """Return why an achievement can't be reached at a time, None if it can."""
    if definition.available_from is not None and at < definition.available_from:
        return Conflict("This achievement's window has not begun yet.")
    if definition.available_until is not None and at >= definition.available_until:
        return Conflict("This achievement's window is over.")
    return None
