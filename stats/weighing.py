"""A group of reports, weighed one after the other against what is held, inside one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from accounts import selectors as accounts
from core.refusals import Conflict, Forbidden, Gone, Refused, pointer
from stats import recording
from stats.facts import StatsChanged, ValueMoved
from stats.recording import ERASED, Kept, Who, Write
from stats.rules import values as rules
from stats.rules.values import Held
from stats.selectors.definitions import StatInfo

LARGEST_FACT = 1000  # values: a batch may hold fifty times as many, and a listener takes a fact whole


class CreatePlayers(Protocol):
    """Creates the players whom a studio names for the first time."""

    def __call__(self, *, studio_id: int, external_ids: Iterable[str]) -> None:
        """Create them; known ones stay as they are."""


class Consequence(Protocol):
    """What has to happen in the commit of a report (ADR 0017)."""

    def __call__(self, moves: Sequence[ValueMoved]) -> None:
        """Follow values that moved, in their order. Raises LostRace to have all of it run again."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a report says of one stat; it fits what the stat declares."""

    stat: StatInfo
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Item:
    """A report that passed the checks, with at least one change.

    Attributes:
        told_us: when the game says it happened, None for now.
        is_event_named: the sender named the event, so that it counts once.
        is_of_device: a player's own device says so; its clock proves nothing.

    """

    studio_id: int
    game_id: int
    external_id: str
    changes: tuple[Change, ...]
    told_us: int | None
    event_id: UUID
    is_event_named: bool
    is_of_device: bool = False

    @property
    def name(self) -> tuple[int, str]:
        """The player, as a studio names him."""
        return self.studio_id, self.external_id

    @property
    def event(self) -> tuple[int, UUID]:
        """The event, as it is noted."""
        return self.game_id, self.event_id


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one change: what the player holds now, or why it is refused."""

    value: Decimal | None = None
    is_changed: bool = False
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item.

    Attributes:
        is_outdated: a stat changed since the check; nothing was written.
        is_repeated: its event was heard of before; nothing was written.
        results: by change.

    """

    refused: Refused | None = None
    is_outdated: bool = False
    is_repeated: bool = False
    results: tuple[Result, ...] = ()

    @property
    def is_recorded(self) -> bool:
        """Whether anything of it was taken, now or before."""
        return any(result.refused is None for result in self.results)


def weigh_all(
    items: Sequence[Item], *, create_players: CreatePlayers, consequences: Iterable[Consequence] = ()
) -> list[Outcome]:
    """Record items in their order, inside the caller's transaction, with what follows from it at once.

    Raises:
        LostRace: the transaction is to be rolled back and run again.

    Publishes:
        StatsChanged, for each game of which anybody holds other values afterwards.

    """
    who, table = _begun(items, create_players)
    usable = [
        (item, found)
        for item in items
        if (found := who.get(item.name)) and not (found.banned or found.erased)
    ]
    for item, found in usable:
        if item.is_event_named:
            table.events.setdefault(item.event, found.player_id)
    table.fresh = recording.note_events((*event, player_id) for event, player_id in table.events.items())
    table.events |= recording.players_of(table.events.keys() - table.fresh)
    table.note_joined(found.player_id for _, found in usable)
    table.kept = recording.hold(
        (found.player_id, change.stat.id) for item, found in usable for change in item.changes
    )
    outcomes = [
        table.take(item, who.get(item.name), heard_us=table.now_us + place)
        for place, item in enumerate(items, start=1)
    ]
    _take_back_events(items, outcomes, table.fresh)
    recording.write(list(table.writes.values()), list(_announcements(table)))
    if table.moves:
        for consequence in consequences:
            consequence(table.moves)
    return outcomes


def _begun(
    items: Sequence[Item], create_players: CreatePlayers
) -> tuple[dict[tuple[int, str], Who], "_Table"]:
    """Return players by name, and the table with the versions of what is reported.

    Players whom nobody has named before are among them, unless nothing will be held of them: nobody is created for a
    report that was checked by what a stat declared before.
    """
    names = list(dict.fromkeys(item.name for item in items))
    listed, now_us = recording.begin(names, {item.game_id for item in items})
    found = {name: who for name, who in zip(names, listed, strict=True) if who is not None}
    table = _Table(now_us, recording.versions(change.stat.id for item in items for change in item.changes))
    unknown = sorted(
        {
            item.name
            for item in items
            if item.name not in found and not table.is_outdated(item) and _is_a_beginning(item)
        }
    )
    if unknown:
        for studio_id in sorted({studio for studio, _ in unknown}):
            create_players(
                studio_id=studio_id, external_ids=[name for studio, name in unknown if studio == studio_id]
            )
        made, _ = recording.begin(unknown, [])
        found |= {name: who or ERASED for name, who in zip(unknown, made, strict=True)}
    return found, table


def _is_a_beginning(item: Item) -> bool:
    """Say whether somebody who holds nothing would hold something afterwards."""
    return any(isinstance(_weighed(change, None, at_us=0), Held) for change in item.changes)


def _weighed(change: Change, held: Held | None, *, at_us: int) -> Held | Refused:
    try:
        return rules.weigh(change.stat.rule, held, amount=change.amount, at_us=at_us)
    except ValueError as error:
        at = pointer("stats", change.stat.key)
        return Conflict(str(error), errors=[{"pointer": at, "detail": str(error)}])


def _take_back_events(
    items: Sequence[Item], outcomes: Sequence[Outcome], fresh: set[tuple[int, UUID]]
) -> None:
    """Forget the events of what was not recorded: a corrected repetition must count."""
    recorded = {item.event for item, outcome in zip(items, outcomes, strict=True) if outcome.is_recorded}
    recording.forget_events(event for event in fresh if event not in recorded)


@dataclass
class _Table:
    """What is held while a group is weighed, and what is to be written of it."""

    now_us: int
    versions: dict[int, int]
    kept: dict[tuple[int, int], Kept] = field(default_factory=dict)
    events: dict[tuple[int, UUID], int] = field(default_factory=dict)  # whose they are
    fresh: set[tuple[int, UUID]] = field(default_factory=set)
    heard: set[tuple[int, UUID]] = field(default_factory=set)
    writes: dict[tuple[int, int], Write] = field(default_factory=dict)
    stats: dict[int, StatInfo] = field(default_factory=dict)
    moves: list[ValueMoved] = field(default_factory=list)

    def note_joined(self, player_ids: Iterable[int]) -> None:
        """Let events of who was joined to another be the other's; they are somebody else's by their ids."""
        others = set(self.events.values()).difference(player_ids)
        joined = accounts.joined_players(others) if others else {}
        self.events = {event: joined.get(player, player) for event, player in self.events.items()}

    def is_outdated(self, item: Item) -> bool:
        """Say whether a stat changed since a report was checked."""
        return any(self.versions.get(change.stat.id) != change.stat.version for change in item.changes)

    def take(self, item: Item, who: Who | None, *, heard_us: int) -> Outcome:
        """Weigh an item against what is held by now; of an unknown player (None) everything will be refused."""
        if who is not None and who.erased:
            return Outcome(refused=Gone("This person was erased; nothing more is stored about them."))
        if who is not None and who.banned:
            return Outcome(refused=Forbidden("This player is banned from the studio's games."))
        if self.is_outdated(item):
            return Outcome(is_outdated=True)
        if who is not None and item.is_event_named:
            if self.events[item.event] != who.player_id:
                return Outcome(
                    refused=Conflict("The event_id is that of another player's report: give each its own.")
                )
            if item.event not in self.fresh or item.event in self.heard:
                return self._repeated(item, who)
        at_us = heard_us if item.told_us is None else min(item.told_us, heard_us)
        believed_us = heard_us if item.is_of_device else at_us
        outcome = Outcome(
            results=tuple(
                self._put(item, change, who, at_us=at_us, believed_us=believed_us) for change in item.changes
            )
        )
        if outcome.is_recorded:
            self.heard.add(item.event)
        return outcome

    def held(self, who: Who | None, stat: StatInfo) -> Held | None:
        """Return what a player holds by now."""
        if who is None:
            return None
        key = (who.player_id, stat.id)
        held = self.writes.get(key) or self.kept.get(key)
        return None if held is None else Held(held.value, held.reached_us)

    def _repeated(self, item: Item, who: Who) -> Outcome:
        held = [self.held(who, change.stat) for change in item.changes]
        return Outcome(
            is_repeated=True, results=tuple(Result(None if one is None else one.value) for one in held)
        )

    def _put(self, item: Item, change: Change, who: Who | None, *, at_us: int, believed_us: int) -> Result:
        """Note what is to be written; the version rises only with the value."""
        stat, before = change.stat, self.held(who, change.stat)
        after = _weighed(change, before, at_us=at_us)
        if isinstance(after, Refused):
            return Result(refused=after)
        assert who is not None  # somebody unknown of whom something is taken was created
        is_changed = before is None or after.value != before.value
        key = (who.player_id, stat.id)
        last, kept = self.writes.get(key), self.kept.get(key)
        version = known = last.version if last else kept.version if kept else 0
        if after != before:
            if is_changed:
                # By the clock, not by counting: a row that was deleted must not begin anew with an old number.
                version = max(version + 1, self.now_us)
            self.writes[key] = Write(
                who.player_id,
                stat.id,
                stat.studio_id,
                after.value,
                after.reached_us,
                version,
                kept.version if kept else 0,
            )
            self.stats[stat.id] = stat
        if is_changed:
            since_us = None if before is None else known  # versions are by the clock
            self.moves.append(_move(item, change, who, before, after, since_us=since_us, at_us=believed_us))
        return Result(after.value, is_changed)


def _move(
    item: Item,
    change: Change,
    who: Who,
    before: Held | None,
    after: Held,
    *,
    since_us: int | None,
    at_us: int,
) -> ValueMoved:
    stat = change.stat
    return ValueMoved(
        studio_id=item.studio_id,
        game_id=item.game_id,
        external_id=item.external_id,
        player_id=who.player_id,
        stat_id=stat.id,
        stat=stat.key,
        aggregation=stat.rule.aggregation,
        before=None if before is None else before.value,
        after=after.value,
        since_us=since_us,
        reached_us=after.reached_us,
        at_us=at_us,
        event_id=item.event_id,
        is_of_device=item.is_of_device,
    )


def _announcements(table: _Table) -> Iterator[tuple[int, int, StatsChanged]]:
    by_game: dict[tuple[int, int], list[Write]] = {}
    for write in table.writes.values():
        kept = table.kept.get((write.player_id, write.stat_id))
        if kept is None or kept.value != write.value:
            stat = table.stats[write.stat_id]
            by_game.setdefault((stat.studio_id, stat.game_id), []).append(write)
    for (studio_id, game_id), writes in by_game.items():
        for start in range(0, len(writes), LARGEST_FACT):
            told = writes[start : start + LARGEST_FACT]
            stats = [table.stats[stat_id] for stat_id in sorted({write.stat_id for write in told})]
            declared: list[list[int | str]] = [[stat.id, stat.key, stat.rule.aggregation] for stat in stats]
            fact = StatsChanged(game_id, declared, [_announced(table, write) for write in told])
            yield studio_id, len(told), fact


def _announced(table: _Table, write: Write) -> list[int | float | None]:
    kept = table.kept.get((write.player_id, write.stat_id))
    previous = table.stats[write.stat_id].rule.start if kept is None else kept.value
    return [
        write.player_id,
        write.stat_id,
        rules.to_number(write.value),
        None if previous is None else rules.to_number(previous),
        write.version,
        write.reached_us,
    ]
