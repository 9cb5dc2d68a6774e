"""What was kept apart until somebody of the studio looks at it, whichever room keeps it.

The page that shows it knows no room: a setting names a source for each kind of thing (ADR 0040, as in ADR 0012).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final, Protocol
from uuid import UUID

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string

OPEN, APPROVED, REJECTED = "open", "approved", "rejected"
STATES: Final = (OPEN, APPROVED, REJECTED)
MOST_AT_ONCE: Final = 200
_LAST_NUMBER: Final = 2**63 - 1

Position = tuple[int, str, int]  # when it was heard of, its kind, its number: newest first, then by kind
After = tuple[int, int]  # the same for one source


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones are asked for; None and empty for all."""

    state: str = OPEN
    game_id: int | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Flagged:
    """Something that was kept apart.

    Attributes:
        number: rises with each; with `heard_us` the place in the list.
        title: what was claimed, and in `worth` what it is worth, in words.
        at: when the game says that it happened.
        rules: which it broke, by name.
        evidence: why, a sentence for each rule; `circumstances`: what else was known.
        state: open, approved or rejected; then who decided, when and why.

    """

    uuid: UUID
    kind: str
    number: int
    game_id: int
    player_id: int
    title: str
    worth: str
    at: datetime
    heard_at: datetime
    heard_us: int
    rules: tuple[str, ...]
    evidence: tuple[str, ...]
    circumstances: tuple[str, ...]
    state: str
    decided_at: datetime | None
    reason: str
    actor: str

    @property
    def position(self) -> Position:
        """The place in the list."""
        return self.heard_us, self.kind, self.number

    @property
    def name(self) -> str:
        """What a form calls it."""
        return f"{self.kind}:{self.uuid}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a player about that time; `kind` is unlock, flagged, revoked, session or score."""

    at: datetime
    kind: str
    title: str
    note: str = ""
    uuid: UUID | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a decision came to: how many were decided, how many had been before, and why others stay as they are."""

    done: int = 0
    before: int = 0
    left: tuple[str, ...] = ()


class Source(Protocol):
    """A room's part of the list. All of it is a studio's own: another one's is not found."""

    rules: Mapping[str, Promise]

    def count(self, studio_id: int, *, most: int) -> int:
        """Return how many wait for a decision, at most `most`."""

    def heard(self, studio_id: int, *, since: datetime, most: int) -> list[datetime]:
        """Return when those that wait were heard of after a time, newest first, of at most `most`."""

    def page(self, studio_id: int, wanted: Wanted, *, after: After | None, limit: int) -> list[Flagged]:
        """Return those behind a place, newest first."""

    def find(self, studio_id: int, uuid: UUID) -> Flagged | None:
        """Return one of them."""

    def around(self, game_id: int, player_id: int, at: datetime, *, limit: int) -> list[Event]:
        """Return what happened to a player nearest to a time, in no order."""

    def settle(
        self, studio_id: int, uuids: Sequence[UUID], *, approves: bool, reason: str, actor: str, at: datetime
    ) -> Settled:
        """Approve or reject at most MOST_AT_ONCE in one transaction; what is decided stays so."""


@cache
def sources() -> dict[str, Source]:
    """Return the source of each kind, as settings list them."""
    return {kind: import_string(path) for kind, path in settings.REVIEW_SOURCES.items()}


def count(studio_id: int, *, most: int) -> int:
    """Return how many wait for a decision in a studio, at most `most`."""
    return min(most, sum(source.count(studio_id, most=most) for source in sources().values()))


def heard(studio_id: int, *, since: datetime, most: int) -> list[datetime]:
    """Return when those that wait were heard of after a time, newest first, at most `most`."""
    found = [at for source in sources().values() for at in source.heard(studio_id, since=since, most=most)]
    return sorted(found, reverse=True)[:most]


def page(
    studio_id: int, wanted: Wanted, *, kinds: Iterable[str], after: Position | None, limit: int
) -> list[Flagged]:
    """Return those of some kinds behind a place, newest first."""
    found: list[Flagged] = []
    for kind in kinds:
        found += sources()[kind].page(studio_id, wanted, after=_after(kind, after), limit=limit)
    return sorted(found, key=lambda one: (-one.heard_us, one.kind, -one.number))[:limit]


def _after(kind: str, position: Position | None) -> After | None:
    """Return a place as one source has it: of equal times a kind's come before or behind all of another."""
    if position is None:
        return None
    heard_us, named, number = position
    return heard_us, number if kind == named else _LAST_NUMBER if kind > named else 0


def around(game_id: int, player_id: int, at: datetime, *, limit: int) -> list[Event]:
    """Return what happened to a player in a game nearest to a time, in order of time."""
    found = [
        event for source in sources().values() for event in source.around(game_id, player_id, at, limit=limit)
    ]
    nearest = sorted(found, key=lambda event: abs(event.at - at))[:limit]
    return sorted(nearest, key=lambda event: (event.at, event.kind, event.title))
