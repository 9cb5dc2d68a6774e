"""Every write of progress: the checks of the rulebook, then what each report makes of how far its player is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from accounts.services import create_players
from achievements import advancing, progressing
from achievements.advancing import Item, Outcome
from achievements.models import Authority, State, Type
from achievements.selectors import definitions
from achievements.selectors.definitions import GameCatalogue
from achievements.services.unlocks import Caller, state_refusal, window_refusal
from core import clock, shifts
from core.db import LostRace, retry_conflicts
from core.group_commit import GroupCommit
from core.refusals import Conflict, Forbidden, Invalid, NotFound, Refused, Unavailable

EVENTS_KEPT = timedelta(days=14)
_ROUNDS = 4  # a catalogue that changes meanwhile costs one more
_RACES = 10


@dataclass(frozen=True, slots=True)
class ProgressRequest:
    """A report as it was sent: the player is `steps` far at least, or with `adds` so many steps further.

    Attributes:
        adds: then there is an `event_id`, which counts once.

    """

    player: str
    achievement: str
    steps: int
    adds: bool = False
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a player is after a report."""

    current: int
    target: int
    unlocked: bool


def report(*, game: GameInfo, request: ProgressRequest, by: Caller, at: datetime) -> Reached:
    """Record one report, together with those that wait in this process at the moment.

    Raises:
        Refused: an unknown achievement, a draft (but for testers), an archived one, one outside its window, one that is
            not incremental or driven by a stat, one that clients may not report, more steps than the target has, a
            banned or erased player, an event that is another player's or achievement's.

    Publishes:
        ProgressChanged where the player came nearer, AchievementsUnlocked where he reached the target.

    """
    catalogue, is_fresh = definitions.catalogue(game.id), False
    for _ in range(_ROUNDS):
        refused = _refusal(catalogue, request, game=game, by=by, at=at)
        if refused is None:
            item = _item(catalogue, request, game=game, by=by)
            outcome = _record(item)
            if outcome.refused is not None:
                raise outcome.refused
            if not outcome.is_outdated:
                return Reached(outcome.current, item.target, outcome.unlocked)
        elif is_fresh:
            raise refused
        # Never say no from a kept catalogue: it may have changed in another process.
        catalogue, is_fresh = definitions.fresh_catalogue(game.id), True
    raise Unavailable("The game's definitions are changing right now. Send it again; repeating it is safe.")


def forget_events(*, now: datetime) -> int:
    """Delete the events of reports older than EVENTS_KEPT, in short transactions; return how many."""
    deleted = 0
    while not shifts.is_over() and (batch := progressing.forget_some(now - EVENTS_KEPT)):
        deleted += batch
    return deleted


def _refusal(
    catalogue: GameCatalogue, request: ProgressRequest, *, game: GameInfo, by: Caller, at: datetime
) -> Refused | None:
    definition = catalogue.by_key.get(request.achievement)
    if definition is None:
        return NotFound("The game has no such achievement.")
    if by.is_player and definition.authority != Authority.CLIENT:
        return Forbidden("Only a server key may report this achievement: its authority is `server`.")
    if definition.type != Type.INCREMENTAL:
        return Conflict("This achievement has no steps: only an incremental one takes progress.")
    if definition.is_driven:
        return Conflict("This achievement's progress is that of its stats; it can't be reported.")
    if definition.target is not None and request.steps > definition.target:
        return Invalid.value("/steps", f"The target is {definition.target:,}: send that at most.")
    is_tester = definition.state == State.DRAFT and bool(accounts.testers(game, {request.player}))
    return state_refusal(definition, is_tester=is_tester) or window_refusal(definition, at=at)


def _item(catalogue: GameCatalogue, request: ProgressRequest, *, game: GameInfo, by: Caller) -> Item:
    definition = catalogue.by_key[request.achievement]
    assert definition.target is not None  # an incremental one has a target
    return Item(
        studio_id=game.studio_id,
        external_id=request.player,
        game_id=game.id,
        version=catalogue.version,
        achievement_id=definition.id,
        points=definition.points,
        target=definition.target,
        steps=request.steps,
        event_id=request.event_id if request.adds else None,
        a_minute=catalogue.pace_of(definition.id),
        is_of_device=by.is_player,
    )


def _record(item: Item) -> Outcome:
    if transaction.get_connection().in_atomic_block:
        return _run([item])[0]
    return _groups[item.a_minute is not None].submit(item)


def _run(items: Sequence[Item]) -> list[Outcome]:
    """Reckon reports in one transaction; again when what was looked up changed meanwhile."""
    for _ in range(_RACES):
        try:
            return retry_conflicts(lambda: _advanced(items))
        except LostRace:
            continue
    raise Unavailable("Too many reports of the same players at once. Send it again; repeating it is safe.")


def _advanced(items: Sequence[Item]) -> list[Outcome]:
    with transaction.atomic():
        return advancing.advance_all(items, create_players=create_players, at=clock.now())


# Reports that a rule judges take more statements, for which no others wait.
_groups: dict[bool, GroupCommit[Item, Outcome]] = {is_paced: GroupCommit(_run) for is_paced in (False, True)}
