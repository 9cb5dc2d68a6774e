"""Backfills: after a change of a definition, whoever meets it by now is given it, silently unless asked.

A report that was checked against the definition of before may commit after the change, and is not seen by who counts
meanwhile. So a backfill begins once every transaction that was open when it was taken up has ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.selectors import GameInfo
from achievements import backfilling
from achievements.models import Backfill, State
from achievements.selectors import candidates, definitions
from achievements.selectors.candidates import Candidate, Plan
from achievements.selectors.definitions import Definition, GameCatalogue
from achievements.services import definitions as rulebook
from achievements.services.versions import Author
from achievements.unlocking import Item
from achievements.weighing import record_weighed
from core import clock
from core.db import LostRace
from core.ids import new_id

BATCH = 1_000
PREVIEWED = 20_000  # players whom a preview looks at: what a request has time for
LISTED = 100
TURN = timedelta(seconds=20)  # then the worker is free for others


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would unlock an achievement at once after a change.

    Attributes:
        players: the first of them, as the studio names them.
        is_complete: everybody was looked at; else there may be more.

    """

    would_unlock: int
    checked: int
    is_complete: bool
    players: tuple[str, ...]


def preview(*, game: GameInfo, key: str, values: Mapping[str, Any]) -> Preview:
    """Say who would unlock an achievement if it were changed; nothing is stored.

    Raises:
        Refused: as `definitions.update` does.

    """
    with transaction.atomic():
        rulebook.update(game=game, key=key, values=values, by=Author("platform", clock.now()))
        catalogue = definitions.uncached_catalogue(game.id)
        transaction.set_rollback(True)
    definition = catalogue.by_key[key]
    wanted = candidates.plan(catalogue, definition, studio_id=game.studio_id)
    if wanted is None or definition.state != State.PUBLISHED:
        return Preview(0, 0, True, ())
    found: list[Candidate] = []
    checked, after, is_complete = 0, 0, False
    while checked < PREVIEWED and not is_complete:
        players = candidates.towards(wanted, after=after, limit=BATCH)
        found += candidates.reached(wanted, players)
        checked += len(players)
        is_complete = len(players) < BATCH
        after = players[-1] if players else after
    named = tuple(one.external_id for one in found[:LISTED])
    return Preview(len(found), checked, is_complete, named)


def run_some(*, now: datetime) -> int:
    """Work on open backfills for a while, oldest first; return how many achievements were unlocked.

    Others may run it at the same time: each takes another one.
    """
    unlocked = 0
    while clock.now() < now + TURN:
        try:
            done = _run_batch()
        except LostRace:
            continue
        if done is None:
            break
        unlocked += done
    return unlocked


def _run_batch() -> int | None:
    """Check some players of the oldest backfill that nobody works on; return None if there is nothing to do."""
    counted_by_others: set[int] = set()
    while True:
        with transaction.atomic():
            jobs = backfilling.under_way(at=clock.now()).select_for_update(of=("self",), skip_locked=True)
            open_jobs = jobs.exclude(pk__in=counted_by_others).select_related("achievement", "game")
            job = open_jobs.order_by("id").first()
            if job is None:
                return None
            if job.state == Backfill.State.WAITING and not _has_begun(job, at=clock.now()):
                Backfill.objects.filter(pk=job.pk).update(started_at=clock.now())
                return 0
            if job.state == Backfill.State.WAITING and _others_are_at_it(job.started_at or clock.now()):
                return None
            catalogue = definitions.fresh_catalogue(job.game_id)
            if job.state == Backfill.State.RUNNING and _is_overtaken(job):
                _finish(job, Backfill.State.CANCELLED)
                return 0
            definition = next(
                (one for one in catalogue.by_key.values() if one.id == job.achievement_id), None
            )
            studio_id = job.game.studio_id
            wanted = candidates.plan(catalogue, definition, studio_id=studio_id) if definition else None
            if wanted is None or definition is None or definition.state != State.PUBLISHED:
                _finish(job, Backfill.State.CANCELLED)
                return 0
            if job.total is not None:
                return _check(job, wanted, definition, catalogue)
        # Its lock gives a transaction an id, and with one it would hold every listener back while everybody is counted.
        if not _keep_total(job, wanted):
            counted_by_others.add(job.pk)


def _has_begun(job: Backfill, *, at: datetime) -> bool:
    """Say whether it waits for others' transactions already: once more where the window opened since."""
    opened = job.achievement.available_from
    if job.started_at is None:
        return False
    return opened is None or not job.started_at < opened <= at


def _is_overtaken(job: Backfill) -> bool:
    """Say whether the definition changed since: a newer one looks at everybody, and says whether they are told.

    To be asked after the catalogue was read: who changes it asks for the newer one in the same commit.
    """
    return Backfill.objects.filter(achievement_id=job.achievement_id, id__gt=job.pk).exists()


def _check(job: Backfill, wanted: Plan, definition: Definition, catalogue: GameCatalogue) -> int:
    players = candidates.towards(wanted, after=job.checked_until, limit=BATCH)
    found = candidates.reached(wanted, players) if definition.is_open(clock.now()) else []
    unlocked = _unlock(found, wanted, definition, catalogue, is_silent=job.is_silent)
    job.state = Backfill.State.RUNNING
    job.checked += len(players)
    job.unlocked += unlocked
    job.checked_until = players[-1] if players else job.checked_until
    job.save()
    if len(players) < BATCH:
        _finish(job, Backfill.State.DONE)
    return unlocked


def _unlock(
    found: Sequence[Candidate],
    wanted: Plan,
    definition: Definition,
    catalogue: GameCatalogue,
    *,
    is_silent: bool,
) -> int:
    items = [
        Item(
            studio_id=wanted.studio_id,
            external_id=one.external_id,
            game_id=wanted.game_id,
            version=catalogue.version,
            achievement_id=definition.id,
            points=definition.points,
            unlocked_at=None,
            event_id=new_id(),
        )
        for one in found
    ]
    outcomes = record_weighed(items, at=clock.now(), silent=is_silent, judges=False)
    if any(outcome.outdated for outcome in outcomes):
        raise LostRace("the catalogue changed meanwhile")
    return sum(outcome.recorded for outcome in outcomes)


def _keep_total(job: Backfill, wanted: Plan) -> bool:
    """Count the players to look at, and keep how many there are; False: another worker is counting them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('backfill', %s))", [job.pk])
        if not cursor.fetchone()[0]:
            return False
        total = _count(wanted)
        # Of a definition that changed since it is taken up anew, and counted anew (backfilling.py).
        Backfill.objects.filter(pk=job.pk, started_at=job.started_at, total=None).update(total=total)
    return True


def _count(wanted: Plan) -> int:
    """Return how many players there are to look at."""
    total, after = 0, 0
    while players := candidates.towards(wanted, after=after, limit=50 * BATCH):
        total, after = total + len(players), players[-1]
    return total


def _finish(job: Backfill, state: str) -> None:
    Backfill.objects.filter(pk=job.pk).update(state=state, finished_at=clock.now())


# A transaction that only reads for long writes nothing that would be missed.
_OTHERS = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
       AND xact_start < %s AND (backend_xid IS NOT NULL OR xact_start > clock_timestamp() - interval '5 seconds'))
"""


def _others_are_at_it(since: datetime) -> bool:
    """Say whether a transaction is open that may have been checked against the definition of before."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, [since])
        return bool(cursor.fetchone()[0])
