"""What happened to somebody in a studio's games, newest first, from all that is kept of it.

Of an unlock its times and its event are kept, not the key that sent it: where it came from is told from what else is
known, an act of the portal in the audit log, or the definition as it is today.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts import named
from accounts.finding import Known
from accounts.portal import deeds
from achievements.selectors import definitions, persons
from achievements.selectors.definitions import Definition
from achievements.selectors.persons import Claimed, Met, Place, Revoked
from achievements.selectors.unlocks import HeldUnlock
from care import spelling
from core import reviewing, spoken
from core.audit import entries
from core.audit.entries import Entry, Wanted
from core.clock import from_microseconds, microseconds
from stats.selectors import persons as playing
from stats.selectors.persons import Playing

LATE: Final = timedelta(minutes=5)
_AT_ONCE = timedelta(milliseconds=100)
GRANT, REVOKE = "achievement.grant", "achievements.revoke"
_MOST_GRANTS = 500  # that the audit log is asked for, around the unlocks of a page
_MOST_ID = 2**63 - 1
_END = datetime(9999, 1, 1, tzinfo=UTC)
BEGINNING_OF_LISTS: Final = Place(_END, _MOST_ID)
# What of the log says the same as an unlock's and a revoke's own rows.
_TOLD_ELSEWHERE = (GRANT, REVOKE)


class Position(NamedTuple):
    """Where an event stands: its time, which source it is of, and its id there."""

    at: datetime
    source: int
    id: int


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `tone` colours its dot, `badge` is a kind and words, `flag` its review's id."""

    position: Position
    title: str
    text: str = ""
    tone: str = ""
    key: str = ""
    icon_url: str = ""
    points: int | None = None
    badge: tuple[str, str] | None = None
    game_id: int | None = None
    flag: UUID | None = None

    @property
    def at(self) -> datetime:
        """When it happened, in UTC."""
        return self.position.at.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose timeline is asked for, of which games, from where on, and how much."""

    studio_id: int
    person: Known
    game_ids: Collection[int]
    limit: int
    after: Position | None = None

    def before(self, source: int) -> Place:
        """Return where a source goes on: events of one time come in the order of their sources."""
        if self.after is None:
            return BEGINNING_OF_LISTS
        at, last, pk = self.after
        return Place(at, pk if source == last else (_MOST_ID if source > last else -1))


@dataclass(slots=True)
class _Raw:
    """What sources told before it is put into words."""

    rows: list[tuple[Position, object]] = field(default_factory=list)

    def first(self, limit: int) -> list[tuple[Position, object]]:
        return sorted(self.rows, key=lambda row: (-microseconds(row[0].at), row[0].source, -row[0].id))[
            :limit
        ]


def _unlocks(asked: Asked, source: int, raw: _Raw) -> None:
    listed = persons.unlocks(
        asked.person.id, game_ids=asked.game_ids, before=asked.before(source), limit=asked.limit
    )
    raw.rows += [(Position(one.unlocked_at, source, one.achievement_id), one) for one in listed]


def _revokes(asked: Asked, source: int, raw: _Raw) -> None:
    listed = persons.revoked(
        asked.person.id, game_ids=asked.game_ids, before=asked.before(source), limit=asked.limit
    )
    raw.rows += [(Position(one.revoked_at, source, one.id), one) for one in listed]


def _conditions(asked: Asked, source: int, raw: _Raw) -> None:
    listed = persons.met(
        asked.person.id, game_ids=asked.game_ids, before=asked.before(source), limit=asked.limit
    )
    raw.rows += [(Position(one.met_at, source, one.achievement_id), one) for one in listed]


def _acts(asked: Asked, source: int, raw: _Raw) -> None:
    wanted = Wanted(object_id=str(asked.person.uuid), without=_TOLD_ELSEWHERE)
    listed = entries.page(asked.studio_id, wanted, after=asked.before(source), limit=asked.limit)
    raw.rows += [(Position(one.at, source, one.id), one) for one in listed]


def _sessions(asked: Asked, source: int, raw: _Raw) -> None:
    for one in playing.playing(asked.studio_id, asked.person.id).values():
        if one.game_id in asked.game_ids:
            raw.rows.append((Position(one.first_at, source, 2 * one.game_id), one))
            if one.sessions > 1:
                raw.rows.append((Position(one.started_at, source, 2 * one.game_id + 1), one))


def _beginning(asked: Asked, source: int, raw: _Raw) -> None:
    raw.rows.append((Position(asked.person.since, source, 0), asked.person))


def _flagged(asked: Asked, source: int, raw: _Raw) -> None:
    listed = persons.flagged(
        asked.person.id, game_ids=asked.game_ids, before=asked.before(source), limit=asked.limit
    )
    raw.rows += [(Position(one.unlocked_at, source, one.id), one) for one in listed]


_SOURCES: Final[tuple[Callable[[Asked, int, _Raw], None], ...]] = (
    _unlocks,
    _revokes,
    _conditions,
    _acts,
    _sessions,
    _beginning,
    _flagged,
)
UNLOCKS, REVOKES, CONDITIONS, ACTS, SESSIONS, BEGINNING, FLAGGED = range(len(_SOURCES))
ALL: Final = tuple(range(len(_SOURCES)))


def events(asked: Asked, *, sources: Collection[int] = ALL) -> list[Event]:
    """Return what happened, newest first, at most `limit`; in twelve queries at most, however long the story is."""
    raw = _Raw()
    for source in sources:
        _SOURCES[source](asked, source, raw)
    raw.rows = [row for row in raw.rows if _is_behind(row[0], asked.after)]
    return _told(asked, raw.first(asked.limit))


def _is_behind(position: Position, after: Position | None) -> bool:
    if after is None or position.at != after.at:
        return after is None or position.at < after.at
    return position.source > after.source or (position.source == after.source and position.id < after.id)


def _told(asked: Asked, rows: Collection[tuple[Position, object]]) -> list[Event]:
    listed = [row for _position, row in rows]
    about = {row.achievement_id for row in listed if isinstance(row, HeldUnlock | Revoked | Met | Claimed)}
    known = definitions.definitions_by_id(about, translated=False) if about else {}
    unlocks = [row for row in listed if isinstance(row, HeldUnlock)]
    grants = _grants(asked, unlocks)
    approved = persons.approved(asked.person.id, [row.achievement_id for row in unlocks])
    actors = {row.actor for row in listed if isinstance(row, Revoked | Entry | Claimed)} - {""}
    actors |= {one.actor for one in grants.values()} | {one.actor for one in approved.values()}
    who = named.actors(asked.studio_id, actors)
    told = []
    for position, row in rows:
        if isinstance(row, HeldUnlock):
            event = _unlocked(position, row, known[row.achievement_id], grants, who)
            claim = approved.get(row.achievement_id)
            told.append(event if claim is None else _approved(event, claim, who))
        elif isinstance(row, Claimed):
            told.append(_claimed(position, row, known[row.achievement_id], who))
        elif isinstance(row, Revoked):
            told.append(_revoked(position, row, known[row.achievement_id], who))
        elif isinstance(row, Met):
            told.append(_met(position, row, known[row.achievement_id]))
        elif isinstance(row, Entry):
            told.append(_act(position, row, who))
        elif isinstance(row, Playing):
            told.append(_session(position, row))
        else:
            told.append(
                Event(position, _("Named by your studio for the first time"), asked.person.external_id)
            )
    return told


def _grants(asked: Asked, listed: Collection[HeldUnlock]) -> Mapping[UUID, Entry]:
    """Return the acts that granted some unlocks, by their events."""
    heard = [one.heard_at for one in listed]
    if not heard:
        return {}
    wanted = Wanted(
        object_id=str(asked.person.uuid), action=GRANT, since=min(heard) - LATE, until=max(heard) + LATE
    )
    found = entries.page(asked.studio_id, wanted, limit=_MOST_GRANTS)
    return {UUID(one.details["event"]): one for one in found if one.details.get("event")}


def _unlocked(
    position: Position,
    row: HeldUnlock,
    definition: Definition,
    grants: Mapping[UUID, Entry],
    who: Mapping[str, str],
) -> Event:
    is_late = row.heard_at - row.unlocked_at > LATE
    granted = grants.get(row.event_id)
    text = f"{_by_hand(granted, who) if granted else source_of(definition)} · {_heard(row)}"
    return Event(
        position,
        definition.name,
        text,
        tone="ok",
        key=definition.key,
        icon_url=definition.icon_url,
        points=row.points,
        badge=("info", _("Sent late")) if is_late else None,
        game_id=row.game_id,
    )


def _by_hand(entry: Entry, who: Mapping[str, str]) -> str:
    return _("Granted by %(who)s: “%(why)s”") % {"who": _name(entry.actor, who), "why": entry.reason}


def source_of(definition: Definition) -> str:
    """Return where an unlock comes from that nobody granted, by the definition as it is today."""
    if definition.type == "meta":
        return _("By itself, once what it requires was unlocked")
    if definition.is_driven:
        return _("By stats")
    if definition.authority == "client":
        return _("Server key or player token")
    return _("Server key")


def _heard(row: HeldUnlock) -> str:
    passed = row.heard_at - row.unlocked_at
    if passed > LATE:
        return _("happened %(span)s before it was heard") % {"span": spoken.span(passed)}
    if passed < timedelta(0):
        return _("said %(span)s ahead of Laurel's clock") % {"span": spoken.span(passed)}
    at = f"{row.heard_at.astimezone(UTC):%H:%M:%S}"
    if passed < _AT_ONCE:
        return _("heard %(at)s, at once") % {"at": at}
    return _("heard %(at)s, %(span)s later") % {"at": at, "span": spoken.span(passed)}


def _approved(event: Event, claim: Claimed, who: Mapping[str, str]) -> Event:
    text = _("approved by %(who)s: “%(why)s”") % {"who": _name(claim.actor, who), "why": claim.reason}
    return replace(event, text=f"{event.text} · {text}", badge=("ok", _("Approved")), flag=claim.uuid)


def _claimed(position: Position, row: Claimed, definition: Definition, who: Mapping[str, str]) -> Event:
    """Return what was kept apart: why, while it waits, and else who rejected it."""
    is_open = row.state == reviewing.OPEN
    if is_open:
        text, badge = " ".join(row.why), ("warn", _("Review"))
    else:
        told = {"who": _name(row.actor, who), "why": row.reason}
        text, badge = _("Rejected by %(who)s: “%(why)s”") % told, ("bad", _("Rejected"))
    return Event(
        position,
        definition.name,
        text,
        tone="warn",
        key=definition.key,
        icon_url=definition.icon_url,
        badge=badge,
        game_id=row.game_id,
        flag=row.uuid,
    )


def _revoked(position: Position, row: Revoked, definition: Definition, who: Mapping[str, str]) -> Event:
    told = {"who": _name(row.actor, who), "why": row.reason, "when": spoken.moment(row.unlocked_at)}
    if row.reason:
        text = _("Revoked by %(who)s: “%(why)s” · it was unlocked %(when)s") % told
    else:
        text = _("Revoked by %(who)s, no reason was given · it was unlocked %(when)s") % told
    return Event(
        position,
        definition.name,
        text,
        tone="bad",
        key=definition.key,
        icon_url=definition.icon_url,
        badge=("bad", pgettext("unlock", "Revoked")),
        game_id=row.game_id,
    )


def _met(position: Position, row: Met, definition: Definition) -> Event:
    values = ", ".join(spelling.number(value) for value in row.values)
    text = _("On the way to %(name)s · value %(values)s · event %(event)s") % {
        "name": definition.name,
        "values": values,
        "event": spelling.short(row.event_id),
    }
    if definition.stat is not None and len(row.values) == 1:
        title = _("%(stat)s reached %(target)s") % {
            "stat": definition.stat,
            "target": spelling.number(definition.target),
        }
    else:
        title = _("Part of a goal was reached")
    return Event(position, title, text, game_id=row.game_id)


def _act(position: Position, entry: Entry, who: Mapping[str, str]) -> Event:
    text = _name(entry.actor, who)
    if entry.reason:
        text = _("%(who)s: “%(why)s”") % {"who": text, "why": entry.reason}
    return Event(position, deeds.deed(entry.action), text, tone="warn")


def _session(position: Position, row: Playing) -> Event:
    if position.id % 2 == 0:
        return Event(position, _("Played for the first time"), game_id=row.game_id)
    text = _("It took %(span)s so far") if not row.has_ended else _("It took %(span)s")
    length = spelling.hours(row.session_ms)
    return Event(position, _("Last session began"), text % {"span": length}, game_id=row.game_id)


def _name(actor: str, who: Mapping[str, str]) -> str:
    return str(deeds.ACTORS.get(actor) or who.get(actor) or actor)


def to_cursor(position: Position) -> list[int]:
    """Return a position as a cursor holds it."""
    return [microseconds(position.at), position.source, position.id]


def from_cursor(values: list[int]) -> Position:
    """Return the position that a cursor holds."""
    return Position(from_microseconds(values[0]), values[1], values[2])
