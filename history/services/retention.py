"""Retention: what a level keeps no longer is archived as Parquet, and only then let go."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings

from core import shifts
from core.patience import TRIES, patiently
from history import outgoing
from history.archive import Archive, schema
from history.figures import Figures
from history.outgoing import Busy, Changed, Outgoing
from history.rollups import COLUMNS

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Archived:
    """A file, and how large it is; no key where there was nothing to archive."""

    table: str
    key: str | None
    rows: int
    bytes: int


def apply(*, now: datetime, tries: int = TRIES) -> list[Archived]:
    """Archive and let go all that is kept no longer; return what was done.

    Where it ends early, by a crash, since a table is in use or since its task has taken long enough, what is not
    archived as a whole is still there, and the next time goes on. While somebody else is at it, nothing is done.

    Raises:
        history.archive.Unavailable: the archive can't be written; what is not archived is still there.

    """
    if not outgoing.due(now=now):
        return []
    archive = Archive(settings.ARCHIVE_URL, endpoint=settings.ARCHIVE_S3_ENDPOINT)
    done: list[Archived] = []
    left: set[Outgoing] = set()
    # What is late leaves in slices, so there may be more of the same.
    while waiting := [one for one in outgoing.due(now=now) if one not in left]:
        for one in waiting:
            if shifts.is_over():
                return done
            try:
                archived = _retire(archive, one, now=now, tries=tries)
            except Busy:
                return done
            if archived is None:
                left.add(one)
            else:
                done.append(archived)
    return done


def _retire(archive: Archive, one: Outgoing, *, now: datetime, tries: int) -> Archived | None:
    """Archive rows and let them go; None if they are gone, or in use after some tries."""

    def in_one_go() -> Archived | None:
        with outgoing.alone():
            return _archive(archive, one, now=now) if outgoing.exists(one) else None

    archived = patiently(in_one_go, tries=tries, also=(Changed,))
    if archived is None:
        log.warning("history left for later", table=one.table)
    return archived


def _archive(archive: Archive, one: Outgoing, *, now: datetime) -> Archived:
    there, part = outgoing.figures(one), outgoing.next_part(one)
    key = one.key(part)
    if not there.rows:
        outgoing.let_go(one, archived=there)
        return Archived(one.table, None, 0, 0)
    archived = _written(archive, one, key, there)
    size = archive.size(key) or 0
    outgoing.let_go(one, archived=archived)
    outgoing.note(one, part=part, rows=archived.rows, size=size, at=now)
    log.info("history archived", key=key, rows=archived.rows, bytes=size)
    return Archived(one.table, key, archived.rows, size)


def _written(archive: Archive, one: Outgoing, key: str, there: Figures) -> Figures:
    """Return the figures of the file, which may be whole already: then somebody did not come to let go."""
    found = archive.figures(key)
    if found == there:
        return found
    archive.sweep(one.folder)
    archive.set_aside(key)
    return archive.write(key, schema(one.level, COLUMNS[one.family]), outgoing.batches(one))
