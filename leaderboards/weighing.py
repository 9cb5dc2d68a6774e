"""A group of submissions, weighed one after the other against what is held, inside one transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from accounts import selectors as accounts
from core.refusals import Conflict, Forbidden, Gone, Refused
from leaderboards import flagging, submitting
from leaderboards.facts import ScoresChanged
from leaderboards.models import PeriodState
from leaderboards.rules import scores as rules
from leaderboards.rules.scores import Held
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.submitting import ERASED, Kept, State, Who, Write

OFFLINE_US = 14 * 86_400 * 1_000_000  # how far back a game's own time is ranked by


class CreatePlayers(Protocol):
    """Creates the players whom a studio names for the first time."""

    def __call__(self, *, studio_id: int, external_ids: Iterable[str]) -> None:
        """Create them; known ones stay as they are."""


class Target(NamedTuple):
    """A period that a submission is meant for; without `period_id` it is over."""

    span: str
    name: str
    period_id: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """A submission that passed the checks of its board.

    Attributes:
        told_us: when the game says it happened, if ties are ranked by that.
        is_event_named: the sender named the event, so that it counts once.
        targets: the board's periods, that of the main span first.
        broken: which rules of plausibility it breaks; then it is kept apart.
        reached_us: when it counts as reached, whatever else is known; of one that was kept apart before.

    """

    board: BoardInfo
    external_id: str
    sort_value: int
    told_us: int | None
    metadata: str | None
    event_id: UUID
    is_event_named: bool
    targets: tuple[Target, ...]
    broken: tuple[Mapping[str, Any], ...] = ()
    reached_us: int | None = None

    @property
    def name(self) -> tuple[int, str]:
        """The player, as a studio names him."""
        return self.board.studio_id, self.external_id

    @property
    def event(self) -> tuple[int, UUID]:
        """The event, as it is noted."""
        return self.board.id, self.event_id

    @property
    def period_ids(self) -> list[int]:
        """The periods that are not over."""
        return [target.period_id for target in self.targets if target.period_id is not None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item.

    Attributes:
        is_outdated: the board changed since the check; nothing was written.
        is_repeated: its event was heard of before; nothing was written.
        held: by target what the player holds there now, None where the period is final.
        is_new_best: by target.

    """

    refused: Refused | None = None
    is_outdated: bool = False
    is_repeated: bool = False
    held: tuple[Held | None, ...] = ()
    is_new_best: tuple[bool, ...] = ()


def weigh_all(items: Sequence[Item], *, create_players: CreatePlayers) -> list[Outcome]:
    """Record items in their order, inside the caller's transaction.

    Raises:
        LostRace: the transaction is to be rolled back and run again.

    Publishes:
        ScoresChanged, for each period whose board shows something else afterwards.

    """
    period_ids = sorted({pk for item in items for pk in item.period_ids})
    who, now_us = _who(items, period_ids, create_players)
    table = _Table(now_us, submitting.states(period_ids))
    usable = [item for item in items if not (who[item.name].banned or who[item.name].erased)]
    for item in usable:
        if item.is_event_named:
            table.events.setdefault(item.event, who[item.name].player_id)
    table.fresh = submitting.note_events((*event, player_id) for event, player_id in table.events.items())
    table.events |= submitting.players_of(table.events.keys() - table.fresh)
    table.note_joined(who[item.name].player_id for item in usable)
    table.kept = submitting.hold((who[item.name].player_id, pk) for item in usable for pk in item.period_ids)
    table.flags = flagging.hold(_place(item, who[item.name]) for item in usable if item.broken)
    outcomes = [
        table.take(item, who[item.name], heard_us=now_us + place) for place, item in enumerate(items, start=1)
    ]
    _take_back_events(items, outcomes, table.fresh)
    submitting.write(list(table.writes.values()), list(_announcements(table)))
    flagging.write(table.apart)
    return outcomes


def _who(
    items: Sequence[Item], period_ids: Sequence[int], create_players: CreatePlayers
) -> tuple[dict[tuple[int, str], Who], int]:
    """Return every player by name, those too whom nobody has named before."""
    names = list(dict.fromkeys(item.name for item in items))
    listed, now_us = submitting.begin(names, period_ids)
    found = {name: who for name, who in zip(names, listed, strict=True) if who is not None}
    unknown = [name for name in names if name not in found]
    if unknown:
        for studio_id in {studio for studio, _ in unknown}:
            create_players(
                studio_id=studio_id, external_ids=[name for studio, name in unknown if studio == studio_id]
            )
        made, _ = submitting.begin(unknown, [])
        found |= {name: who or ERASED for name, who in zip(unknown, made, strict=True)}
    return found, now_us


def _take_back_events(
    items: Sequence[Item], outcomes: Sequence[Outcome], fresh: set[tuple[int, UUID]]
) -> None:
    """Forget the events of what was not recorded: a corrected repetition must count."""
    recorded = {
        item.event
        for item, outcome in zip(items, outcomes, strict=True)
        if outcome.refused is None and not outcome.is_outdated
    }
    submitting.forget_events(event for event in fresh if event not in recorded)


@dataclass
class _Table:
    """What is held while a group is weighed, and what is to be written of it."""

    now_us: int
    states: dict[int, State]
    kept: dict[tuple[int, int], Kept] = field(default_factory=dict)
    events: dict[tuple[int, UUID], int] = field(default_factory=dict)  # whose they are
    fresh: set[tuple[int, UUID]] = field(default_factory=set)
    heard: set[tuple[int, UUID]] = field(default_factory=set)
    writes: dict[tuple[int, int], Write] = field(default_factory=dict)
    shown: dict[int, dict[int, Write]] = field(default_factory=dict)
    boards: dict[int, tuple[BoardInfo, bool]] = field(default_factory=dict)
    flags: dict[flagging.Place, flagging.Flag] = field(default_factory=dict)
    apart: dict[flagging.Place, flagging.Write] = field(default_factory=dict)

    def note_joined(self, player_ids: Iterable[int]) -> None:
        """Let events of who was joined to another be the other's; they are somebody else's by their ids."""
        others = set(self.events.values()).difference(player_ids)
        joined = accounts.joined_players(others) if others else {}
        self.events = {event: joined.get(player, player) for event, player in self.events.items()}

    def take(self, item: Item, who: Who, *, heard_us: int) -> Outcome:
        """Weigh an item against what is held by now."""
        if who.erased:
            return Outcome(refused=Gone("This person was erased; nothing more is stored about them."))
        if who.banned:
            return Outcome(refused=Forbidden("This player is banned from the studio's games."))
        if any(self._state(pk).board_version != item.board.version for pk in item.period_ids):
            return Outcome(is_outdated=True)
        if item.is_event_named and self.events[item.event] != who.player_id:
            return Outcome(
                refused=Conflict("The event_id is that of another player's score: give each score its own.")
            )
        if item.is_event_named and (item.event not in self.fresh or item.event in self.heard):
            return self._repeated(item, who)
        outcome = self._weigh(item, who, at_us=_reached(item, heard_us))
        if outcome.refused is None:
            self.heard.add(item.event)
        return outcome

    def held(self, player_id: int, period_id: int | None) -> Held | None:
        """Return what a player holds by now."""
        if period_id is None:
            return None
        key = (player_id, period_id)
        if (write := self.writes.get(key)) is not None:
            return Held(write.sort_value, write.reached_us, write.attempts)
        kept = self.kept.get(key)
        return None if kept is None else Held(kept.sort_value, kept.reached_us, kept.attempts)

    def is_shown(self, write: Write) -> bool:
        """Say whether what is written stands on the board."""
        kept = self.kept.get((write.player_id, write.period_id))
        return write.excluded_us is None if kept is None else kept.is_shown

    def _state(self, period_id: int) -> State:
        return self.states.get(period_id) or State(0, PeriodState.DISCARDED)

    def _is_open(self, target: Target) -> bool:
        return target.period_id is not None and self._state(target.period_id).period_state in (
            PeriodState.OPEN,
            PeriodState.FINALISING,
        )

    def _repeated(self, item: Item, who: Who) -> Outcome:
        held = tuple(self.held(who.player_id, target.period_id) for target in item.targets)
        if item.broken:
            held = tuple(
                _as_if(item, one, self.now_us) if self._is_open(target) else None
                for one, target in zip(held, item.targets, strict=True)
            )
        return Outcome(is_repeated=True, held=held, is_new_best=(False,) * len(held))

    def _weigh(self, item: Item, who: Who, *, at_us: int) -> Outcome:
        main, limit = item.targets[0], item.board.attempts_limit
        taken = [target if self._is_open(target) else None for target in item.targets]
        if not any(taken):
            return Outcome(
                refused=Conflict(f"The period {main.name} is final: scores for it are not taken any more.")
            )
        if limit is not None and taken[0] is None:
            return Outcome(
                refused=Conflict(f"The period {main.name} is final: no attempt is left for it any more.")
            )
        before = self.held(who.player_id, main.period_id)
        if limit is not None and before is not None and before.attempts >= limit:
            return Outcome(refused=Conflict(f"The player has used all his attempts ({limit:,} in a period)."))
        try:
            weighed = [
                target and _weighed_for(item, self.held(who.player_id, target.period_id), at_us)
                for target in taken
            ]
            if item.broken:
                self._keep_apart(item, who, at_us=at_us)
        except ValueError as error:
            return Outcome(refused=Conflict(str(error)))
        for target, one in zip(taken, weighed, strict=True):
            if target is not None and one is not None and not item.broken:
                self._put(item, who, target, one)
        return Outcome(
            held=tuple(one.held if one else None for one in weighed),
            is_new_best=tuple(bool(one and one.is_new_best) for one in weighed),
        )

    def _keep_apart(self, item: Item, who: Who, *, at_us: int) -> None:
        """Note what is to wait, weighed with what waits for the player already."""
        place = _place(item, who)
        before = self.flags.get(place)
        if before is None:
            weighed = _weighed_for(item, None, at_us)
            flag = flagging.Flag(None, weighed.held, item.metadata, item.event_id, item.broken)
        else:
            weighed = _weighed_for(item, before.held, at_us)
            flag = replace(before, held=weighed.held)
            if weighed.counts:
                flag = replace(flag, metadata=item.metadata, event_id=item.event_id, broken=item.broken)
        self.flags[place] = flag
        board = item.board
        self.apart[place] = flagging.Write(flag, board.game_id, board.studio_id, self.now_us, board.decimals)

    def _put(self, item: Item, who: Who, target: Target, weighed: rules.Weighed) -> None:
        """Note what is to be written; the version rises only with what boards show."""
        assert target.period_id is not None  # it is open
        key = (who.player_id, target.period_id)
        last, kept = self.writes.get(key), self.kept.get(key)
        version = last.version if last else kept.version if kept else 0
        about = last or kept
        metadata, event_id = (about.metadata, about.event_id) if about else (None, item.event_id)
        if weighed.counts:
            # By the clock, not by counting: a row that was deleted must not begin anew with an old number.
            version, metadata, event_id = max(version + 1, self.now_us), item.metadata, item.event_id
        write = self.writes[key] = Write(
            player_id=who.player_id,
            period_id=target.period_id,
            studio_id=item.board.studio_id,
            region=kept.region if kept else who.region,  # who moved is moved by a listener
            sort_value=weighed.held.sort_value,
            reached_us=weighed.held.reached_us,
            attempts=weighed.held.attempts,
            metadata=metadata,
            event_id=event_id,
            excluded_us=who.excluded_us,
            version=version,
            expected=kept.version if kept else 0,
        )
        if weighed.counts or who.player_id in self.shown.get(target.period_id, {}):
            self.shown.setdefault(target.period_id, {})[who.player_id] = write
            self.boards[target.period_id] = item.board, target == item.targets[0]


def _place(item: Item, who: Who) -> flagging.Place:
    """Return where an item waits if it is kept apart."""
    return who.player_id, item.board.id, item.targets[0].name


def _weighed_for(item: Item, held: Held | None, at_us: int) -> rules.Weighed:
    """Return what an item makes of what is held. Raises ValueError where that can't be kept exactly."""
    return rules.weigh(held, sort_value=item.sort_value, at_us=at_us, operator=item.board.operator)


def _as_if(item: Item, held: Held | None, at_us: int) -> Held | None:
    """Return what a player would hold if an item counted."""
    try:
        return _weighed_for(item, held, at_us).held
    except ValueError:
        return held


def _reached(item: Item, heard_us: int) -> int:
    """Return when a score counts as reached: when it was heard of, or when the game says, where that is trusted."""
    if item.reached_us is not None:
        return item.reached_us
    told = item.told_us
    return told if told is not None and heard_us - OFFLINE_US <= told <= heard_us else heard_us


def _announcements(table: _Table) -> Iterator[tuple[int, int, ScoresChanged]]:
    for period_id, shown in table.shown.items():
        board, is_main = table.boards[period_id]
        rows: list[list[int | str | bool]] = [
            [
                write.player_id,
                write.region,
                write.sort_value,
                write.reached_us,
                write.version,
                table.is_shown(write),
                "",
            ]
            for write in shown.values()
        ]
        fact = ScoresChanged(board.game_id, board.id, period_id, board.tie_break, is_main, rows)
        yield board.studio_id, len(rows), fact
