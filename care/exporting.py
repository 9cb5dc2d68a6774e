"""A person's data of one studio as a zip file: every list as CSV and as JSON, as docs/player-export.md describes.

The file is made whole before it is sent, so that a failure is answered as one; what is larger than a few megabytes lies
on disk meanwhile. Every list is read a thousand rows at a time, and written to both forms from the same rows.
"""

import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, NamedTuple
from uuid import UUID

from accounts import finding
from accounts.finding import Known
from accounts.selectors import GameInfo, PlayerInfo
from achievements.selectors import definitions, persons
from achievements.selectors.persons import Place
from care.selectors.profile import Profile
from care.selectors.timeline import BEGINNING_OF_LISTS
from core import csv_files
from core.audit import entries
from core.audit.entries import Wanted
from core.clock import rfc3339
from core.rendering import dumps
from history.selectors import persons as history
from leaderboards.selectors import persons as boards
from stats.selectors import persons as stats

SCHEMA: Final = "laurel.player-export/1"
READ_AT_ONCE: Final = 1_000
_IN_MEMORY: Final = 4 * 1024 * 1024  # bytes; what is larger goes to disk
_MOST_ACTS: Final = 1_000_000

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data of which studio is written."""

    studio_id: int
    studio_uuid: UUID
    studio_name: str
    profile: Profile

    @property
    def person(self) -> Known:
        """Who it is."""
        return self.profile.person

    @property
    def games(self) -> dict[int, GameInfo]:
        """The studio's games, by internal id."""
        return {one.game.id: one.game for one in self.profile.games}


class Section(NamedTuple):
    """A list of the file: its name, its columns, and who reads its rows."""

    name: str
    columns: tuple[str, ...]
    rows: Callable[[Subject], Iterator[Row]]


def write(subject: Subject, *, at: datetime) -> IO[bytes]:
    """Return the file, open at its beginning; whoever takes it closes it."""
    return zipped(lambda archive: add_subject(archive, subject, at=at))


def zipped(fill: Callable[[zipfile.ZipFile], None]) -> IO[bytes]:
    """Return a zip file that was filled, open at its beginning; whoever takes it closes it."""
    file: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            fill(archive)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def add_subject(archive: zipfile.ZipFile, subject: Subject, *, at: datetime, folder: str = "") -> None:
    """Write what a studio has of a person, into a folder of an archive."""
    archive.writestr(f"{folder}player.json", dumps(_head(subject, at)))
    for section in SECTIONS:
        add_list(archive, f"{folder}{section.name}", section.columns, section.rows(subject))


def _head(subject: Subject, at: datetime) -> dict[str, Any]:
    person = subject.person
    return {
        "schema": SCHEMA,
        "exported_at": at,
        "studio": {"id": str(subject.studio_uuid), "name": subject.studio_name},
        "player": {
            "id": str(person.uuid),
            "display_name": person.display_name,
            "region": person.region,
            "avatar_url": person.avatar_url,
            "visibility": person.visibility,
            "time_zone": person.time_zone,
        },
    }


def add_list(archive: zipfile.ZipFile, name: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a list as CSV, and meanwhile as JSON beside it: an archive takes one file at a time."""
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as beside:
        beside.write(b"[")
        with archive.open(f"{name}.csv", "w") as file:
            file.write(csv_files.line(columns).encode())
            for number, row in enumerate(rows):
                file.write(csv_files.line(row).encode())
                beside.write(b",\n" if number else b"\n")
                beside.write(dumps(dict(zip(columns, row, strict=True))))
        beside.write(b"\n]\n")
        beside.seek(0)
        with archive.open(f"{name}.json", "w") as file:
            shutil.copyfileobj(beside, file)


def _ids(subject: Subject) -> Iterator[Row]:
    after = 0
    while rows := finding.ids(subject.studio_id, subject.person.id, after_id=after, limit=READ_AT_ONCE):
        yield from (row[1:] for row in rows)
        after = rows[-1].id


def _games(subject: Subject) -> Iterator[Row]:
    playing = stats.playing(subject.studio_id, subject.person.id)
    for one in subject.profile.played:
        own = playing.get(one.game.id)
        times = (own.first_at, own.seen_at) if own else (None, None)
        yield (
            *_game(subject, one.game.id),
            one.points,
            one.unlocked,
            one.played_ms // 1000,
            one.sessions,
            *times,
            one.tests,
        )


def _unlocks(subject: Subject) -> Iterator[Row]:
    before = BEGINNING_OF_LISTS
    while rows := persons.unlocks(
        subject.person.id, game_ids=list(subject.games), before=before, limit=READ_AT_ONCE
    ):
        names = _names(row.achievement_id for row in rows)
        for row in rows:
            yield (
                *_game(subject, row.game_id),
                *names[row.achievement_id],
                row.points,
                row.unlocked_at,
                row.heard_at,
                str(row.event_id),
            )
        before = Place(rows[-1].unlocked_at, rows[-1].achievement_id)


def _revoked(subject: Subject) -> Iterator[Row]:
    before = BEGINNING_OF_LISTS
    while rows := persons.revoked(
        subject.person.id, game_ids=list(subject.games), before=before, limit=READ_AT_ONCE
    ):
        names = _names(row.achievement_id for row in rows)
        for row in rows:
            yield (
                *_game(subject, row.game_id),
                *names[row.achievement_id],
                row.points,
                row.unlocked_at,
                row.heard_at,
                str(row.event_id),
                row.revoked_at,
                row.reason,
            )
        before = Place(rows[-1].revoked_at, rows[-1].id)


def _steps(subject: Subject) -> Iterator[Row]:
    after = 0
    while rows := persons.stepped(
        subject.person.id, game_ids=list(subject.games), after_id=after, limit=READ_AT_ONCE
    ):
        names = _names(row.achievement_id for row in rows)
        for row in rows:
            yield (*_game(subject, row.game_id), *names[row.achievement_id], row.current, row.updated_at)
        after = rows[-1].achievement_id


def _conditions(subject: Subject) -> Iterator[Row]:
    before = BEGINNING_OF_LISTS
    while rows := persons.met(
        subject.person.id, game_ids=list(subject.games), before=before, limit=READ_AT_ONCE
    ):
        names = _names(row.achievement_id for row in rows)
        for row in rows:
            for condition, value in zip(row.conditions, row.values, strict=True):
                known = names[row.achievement_id]
                yield (
                    *_game(subject, row.game_id),
                    *known,
                    condition,
                    value,
                    row.met_at,
                    str(row.event_id),
                )
        before = Place(rows[-1].met_at, rows[-1].achievement_id)


def _stats(subject: Subject) -> Iterator[Row]:
    after = 0
    while rows := stats.held(
        subject.studio_id,
        subject.person.id,
        game_ids=list(subject.games),
        after_id=after,
        limit=READ_AT_ONCE,
    ):
        for row in rows:
            value = int(row.value) if row.value == int(row.value) else float(row.value)
            yield (*_game(subject, row.game_id), row.key, row.name, value, row.reached_at)
        after = rows[-1].stat_id


def _scores(subject: Subject) -> Iterator[Row]:
    before: int | None = None
    while rows := boards.scored(
        subject.studio_id,
        subject.person.id,
        game_ids=list(subject.games),
        before_id=before,
        limit=READ_AT_ONCE,
    ):
        for row in rows:
            yield (
                *_game(subject, row.game_id),
                row.board,
                row.name,
                row.span,
                row.period,
                row.score,
                row.reached_at,
                row.attempts,
                row.metadata,
                row.event_id,
                row.hidden_at,
            )
        before = rows[-1].period_id


def _days(subject: Subject) -> Iterator[Row]:
    for row in history.done(subject.person.id, level="day", game_ids=list(subject.games)):
        yield (
            row.at.isoformat(),
            *_game(subject, row.game_id),
            row.unlocks,
            row.points,
            row.playtime_ms // 1000,
        )


def _months(subject: Subject) -> Iterator[Row]:
    for row in history.done(subject.person.id, level="month", game_ids=list(subject.games)):
        yield (
            f"{row.at:%Y-%m}",
            *_game(subject, row.game_id),
            row.unlocks,
            row.points,
            row.playtime_ms // 1000,
        )


def _browsers(subject: Subject) -> Iterator[Row]:
    after = 0
    while rows := finding.browsers(subject.studio_id, subject.person.id, after_id=after, limit=READ_AT_ONCE):
        yield from (row[1:] for row in rows)
        after = rows[-1].id


def _acts(subject: Subject) -> Iterator[Row]:
    """Yield what the studio did to the person and why; who of the studio did it is that one's data."""
    wanted = Wanted(object_id=str(subject.person.uuid))
    for one in entries.stream(subject.studio_id, wanted, limit=_MOST_ACTS):
        yield (one.at, one.action, one.reason)


def _game(subject: Subject, game_id: int) -> tuple[str, str]:
    game = subject.games[game_id]
    return str(game.uuid), game.title


def _names(ids: Iterator[int]) -> dict[int, tuple[str, str]]:
    found = definitions.definitions_by_id(ids, translated=False)
    return {pk: (one.key, one.name) for pk, one in found.items()}


_GAME = ("game_id", "game")
_ACHIEVEMENT = (*_GAME, "achievement", "name")
_UNLOCK = (*_ACHIEVEMENT, "points", "unlocked_at", "heard_at", "event_id")
_ACTIVITY = (*_GAME, "unlocks", "points", "playtime_seconds")
SECTIONS: Final[tuple[Section, ...]] = (
    Section("ids", ("external_id", "known_since", "banned_at", "off_boards_since", "tokens_from"), _ids),
    Section(
        "games",
        (
            *_GAME,
            "points",
            "unlocked",
            "playtime_seconds",
            "sessions",
            "first_seen_at",
            "last_seen_at",
            "tester",
        ),
        _games,
    ),
    Section("unlocks", _UNLOCK, _unlocks),
    Section("revoked", (*_UNLOCK, "revoked_at", "reason"), _revoked),
    Section("progress", (*_ACHIEVEMENT, "steps", "updated_at"), _steps),
    Section("conditions", (*_ACHIEVEMENT, "condition", "value", "met_at", "event_id"), _conditions),
    Section("stats", (*_GAME, "stat", "name", "value", "reached_at"), _stats),
    Section(
        "scores",
        (
            *_GAME,
            "leaderboard",
            "name",
            "span",
            "period",
            "score",
            "reached_at",
            "submissions",
            "metadata",
            "event_id",
            "hidden_at",
        ),
        _scores,
    ),
    Section("days", ("day", *_ACTIVITY), _days),
    Section("months", ("month", *_ACTIVITY), _months),
    Section("browsers", ("user_agent", "signed_in_at", "expires_at", "ended_at"), _browsers),
    Section("acts", ("at", "action", "reason"), _acts),
)


def file_name(person: Known | PlayerInfo, *, at: datetime) -> str:
    """Return what the file is called: no part of it is what somebody else may choose."""
    return f"player-{person.uuid}-{rfc3339(at)[:10]}.zip"
