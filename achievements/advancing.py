"""A group of reports of progress, reckoned one after the other, inside one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from accounts import selectors as accounts
from achievements import pacing, progressing, rules, unlocking
from achievements.facts import ProgressChanged
from achievements.pacing import Growth
from achievements.progressing import Event, Kept, Pair, Who, Write
from achievements.weighing import record_weighed
from core.db import LostRace
from core.ids import new_id
from core.refusals import Conflict, Forbidden, Gone, Refused

_OTHERS_EVENT = "The event_id is that of another player's or achievement's report: give each report its own."


class CreatePlayers(Protocol):
    """Creates the players whom a studio names for the first time."""

    def __call__(self, *, studio_id: int, external_ids: Iterable[str]) -> None:
        """Create them; known ones stay as they are."""


@dataclass(frozen=True, slots=True)
class Item:
    """A report that passed the catalogue's checks.

    Attributes:
        event_id: given where steps are added.
        a_minute: how many steps may come in any minute, by a rule of the game.
        is_of_device: a player's own device says so.

    """

    studio_id: int
    external_id: str
    game_id: int
    version: int
    achievement_id: int
    points: int
    target: int
    steps: int
    event_id: UUID | None
    a_minute: int | None = None
    is_of_device: bool = False

    @property
    def name(self) -> tuple[int, str, int]:
        """The player as a studio names him, and the game."""
        return self.studio_id, self.external_id, self.game_id

    @property
    def event(self) -> Event | None:
        """The event, as it is noted."""
        return None if self.event_id is None else (self.game_id, self.event_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a report; `is_outdated`: the catalogue changed since the check, nothing was written."""

    refused: Refused | None = None
    is_outdated: bool = False
    current: int = 0
    unlocked: bool = False


def advance_all(items: Sequence[Item], *, create_players: CreatePlayers, at: datetime) -> list[Outcome]:
    """Record reports in their order, inside the caller's transaction.

    Raises:
        LostRace: the transaction is to be rolled back and run again.

    Publishes:
        ProgressChanged, for each game, of what changed and did not unlock; AchievementsUnlocked of what did.

    """
    progressing.keep_achievements(item.game_id for item in items)
    who, now_us = _who(items, create_players)
    told = [(item, one, one.player_id) for item, one in zip(items, who, strict=True)]
    usable = [
        (item, (player_id, item.achievement_id))
        for item, one, player_id in told
        if player_id is not None and _refusal(item, one) is None
    ]
    table = _Table(now_us)
    for item, pair in usable:
        if item.event is not None:
            table.events.setdefault(item.event, pair)
    table.fresh = progressing.note_events(table.events.items())
    table.events |= progressing.pairs_of(table.events.keys() - table.fresh)
    table.note_joined(pair[0] for _, pair in usable)
    table.kept, table.unlocked = progressing.hold(pair for _, pair in usable)
    outcomes = [table.take(item, one) for item, one in zip(items, who, strict=True)]
    pacing.follow(table.growths)
    progressing.write(table.writes(), table.announcements())
    _unlock(list(table.reached.values()), at=at)
    return outcomes


def _who(items: Sequence[Item], create_players: CreatePlayers) -> tuple[list[Who], int]:
    """Return the items' players, those too whom nobody has named before.

    Nobody is created for a report that will be refused: an outdated one, or one whose event is somebody else's.
    """
    who, now_us = progressing.look_up([item.name for item in items])
    unknown = [
        (place, items[place])
        for place, one in enumerate(who)
        if one.player_id is None and one.version == items[place].version
    ]
    if not unknown:
        return who, now_us
    taken = progressing.pairs_of(item.event for _, item in unknown if item.event is not None)
    new = [item for _, item in unknown if item.event not in taken]
    for studio_id in sorted({item.studio_id for item in new}):
        create_players(
            studio_id=studio_id,
            external_ids=[item.external_id for item in new if item.studio_id == studio_id],
        )
    again, _ = progressing.look_up([item.name for _, item in unknown])
    for (place, item), one in zip(unknown, again, strict=True):
        is_erased = one.player_id is None and item.event not in taken
        who[place] = one._replace(erased=is_erased or one.erased)
    return who, now_us


def _refusal(item: Item, who: Who) -> Outcome | None:
    """Return why a report can't count, whatever was reported before."""
    if who.version != item.version:
        return Outcome(is_outdated=True)
    if who.erased:
        return Outcome(refused=Gone("This person was erased; nothing more is stored about them."))
    if who.player_id is None:
        return Outcome(refused=Conflict(_OTHERS_EVENT))
    if who.banned:
        return Outcome(refused=Forbidden("This player is banned from the studio's games."))
    return None


def _unlock(items: Sequence[Item], *, at: datetime) -> None:
    """Record the unlocks of those who reached the target, as any unlock is recorded."""
    asked = [
        unlocking.Item(
            studio_id=item.studio_id,
            external_id=item.external_id,
            game_id=item.game_id,
            version=item.version,
            achievement_id=item.achievement_id,
            points=item.points,
            unlocked_at=None,
            event_id=item.event_id or new_id(),
            is_of_device=item.is_of_device,
        )
        for item in items
    ]
    if any(outcome.unlocked_at is None for outcome in record_weighed(asked, at=at)):
        raise LostRace("a player or a catalogue changed meanwhile")


@dataclass
class _Table:
    """What is held while a group is reckoned, and what is to be written of it."""

    now_us: int
    events: dict[Event, Pair] = field(default_factory=dict)  # whose they are
    fresh: set[Event] = field(default_factory=set)
    kept: dict[Pair, Kept] = field(default_factory=dict)
    unlocked: set[Pair] = field(default_factory=set)
    changed: dict[Pair, tuple[Item, int]] = field(default_factory=dict)
    reached: dict[Pair, Item] = field(default_factory=dict)
    growths: list[Growth] = field(default_factory=list)  # of those that a rule judges

    def note_joined(self, player_ids: Iterable[int]) -> None:
        """Let events of who was joined to another be the other's; they are somebody else's by their ids."""
        others = {player for player, _ in self.events.values()}.difference(player_ids)
        joined = accounts.joined_players(others) if others else {}
        self.events = {event: (joined.get(pair[0], pair[0]), pair[1]) for event, pair in self.events.items()}

    def take(self, item: Item, who: Who) -> Outcome:
        """Reckon a report onto how far its player is by now."""
        refusal = _refusal(item, who)
        if refusal is not None:
            return refusal
        assert who.player_id is not None  # it would have been refused
        pair = (who.player_id, item.achievement_id)
        if item.event is not None and self.events[item.event] != pair:
            return Outcome(refused=Conflict(_OTHERS_EVENT))
        if pair not in self.unlocked and self._is_new(item):
            self._advance(item, pair)
        unlocked = pair in self.unlocked
        current = rules.shown_progress(self._current(pair), target=item.target, unlocked=unlocked)
        return Outcome(current=current, unlocked=unlocked)

    def writes(self) -> list[Write]:
        """Return what is to be written."""
        return [
            Write(*pair, current, self._next_version(pair), self._version(pair))
            for pair, (_, current) in self.changed.items()
        ]

    def announcements(self) -> list[tuple[int, ProgressChanged]]:
        """Return what is told of those who did not reach the target, by studio, a fact for each game."""
        facts: dict[int, tuple[int, ProgressChanged]] = {}
        for pair, (item, current) in self.changed.items():
            if pair in self.reached:
                continue
            _, fact = facts.setdefault(
                item.game_id, (item.studio_id, ProgressChanged(item.game_id, str(new_id()), []))
            )
            fact.changes.append([*pair, self._before(pair), current, item.target, self._next_version(pair)])
        return list(facts.values())

    def _is_new(self, item: Item) -> bool:
        """Say whether a report was not heard of; the second time in a group it was."""
        if item.event is None:
            return True
        is_new = item.event in self.fresh
        self.fresh.discard(item.event)
        return is_new

    def _advance(self, item: Item, pair: Pair) -> None:
        before = self._current(pair)
        adds = item.event_id is not None
        current = rules.advance(before, item.steps, adds=adds, target=item.target)
        if current != before:
            self.changed[pair] = item, current
            if item.a_minute is not None:
                self.growths.append(Growth(pair, item.a_minute, before, current, self.now_us))
        if current >= item.target:
            self.unlocked.add(pair)
            self.reached[pair] = item

    def _current(self, pair: Pair) -> int:
        return self.changed[pair][1] if pair in self.changed else self._before(pair)

    def _before(self, pair: Pair) -> int:
        return self.kept[pair].current if pair in self.kept else 0

    def _version(self, pair: Pair) -> int:
        return self.kept[pair].version if pair in self.kept else 0

    def _next_version(self, pair: Pair) -> int:
        """Return a version by the clock, not by counting: a row that is begun anew must not repeat an old one."""
        return max(self._version(pair) + 1, self.now_us)
