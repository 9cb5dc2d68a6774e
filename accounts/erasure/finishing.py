"""Finishing erasures: every room looks for what is left, again and again until all of them find nothing (ADR 0047).

What was committed with the answer is all that others can see. Texts, files and what listeners added before they heard
follow within a minute; a step that fails is tried again.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from accounts.erasure import copies
from accounts.erasure.asking import person_of, until_now
from accounts.erasure.models import Erasure
from accounts.facts import PlayersErased
from accounts.models import PlayerIdentity
from core import facts, shifts
from core.db import run_prepared
from core.facts import publish
from core.persons import Person, Takes

log = structlog.get_logger(__name__)

# What a web process noted of a call is written within some seconds; requests end within ten, and what a webhook's
# receiver answers within fifteen.
SETTLES = timedelta(seconds=20)
AGAIN = timedelta(seconds=5)
TOLD = {"stats", "achievements", "leaderboards"}  # whose rows listeners add up
_AT_ONCE = 20
_LONGEST = "15min"  # a step looks through whole tables
# Looks for what is left of a person, and returns what takes that away. It must write nothing: PostgreSQL refuses it.
Step = Callable[[Person], Takes]


class Busy(Exception):
    """Another worker looks at this erasure."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at everything found.

    Attributes:
        found: how much, by the name of the step; those that found nothing are left out.
        failed: the steps that could not look, with what went wrong.

    """

    found: Mapping[str, int]
    failed: Mapping[str, str]

    @property
    def is_clean(self) -> bool:
        """Say whether everybody looked and nobody found anything."""
        return not self.found and not self.failed


def finish_some(*, now: datetime) -> int:
    """Work on erasures that are under way; return how many were finished. Others may run it at the same time."""
    waiting = Erasure.objects.filter(Q(looked_at=None) | Q(looked_at__lte=now - AGAIN), done_at=None)
    rows = list(waiting.order_by("looked_at", "pk")[:_AT_ONCE])
    return sum(finish(row, now=now) for row in rows if not shifts.is_over() and _claim(row, now=now))


def _claim(row: Erasure, *, now: datetime) -> bool:
    """Say whether this worker may look, and let no other one try for a while."""
    return bool(Erasure.objects.filter(pk=row.pk, looked_at=row.looked_at).update(looked_at=now))


def finish(row: Erasure, *, now: datetime) -> bool:
    """Look for what is left of a person and take it away; say whether nothing was, so that it is done.

    It is not done before every listener has heard of it and whoever was at it has ended: what they add would be left;
    nor before the ledger is copied. While another worker looks nothing is done.
    """
    is_settled = now >= row.asked_at + SETTLES and _all_have_heard(row) and _all_have_ended(row)
    try:
        found = look_for(row, keeps=True)
    except Busy:
        return False
    look = _with_its_copy(row, found)
    is_done = is_settled and look.is_clean
    log.info("erasure", erasure=str(row.uuid), done=is_done, found=dict(look.found), failed=list(look.failed))
    under_way = Erasure.objects.filter(pk=row.pk, done_at=None)
    error = "; ".join(f"{name}: {why}" for name, why in look.failed.items())
    clean = [name for name in steps() if name not in look.found and name not in look.failed]
    said: dict[str, object] = {"steps": clean, "error": error}
    if row.seen_at is None:
        said["seen_at"] = _clock()
    if is_done:
        said |= {"done_at": now, "wanted": {}}
    return bool(under_way.update(**said)) and is_done


def _with_its_copy(row: Erasure, look: Look) -> Look:
    """Copy the ledger's names, and return the look with what went wrong there."""
    try:
        copies.keep(row)
    except OSError as error:
        log.warning("ledger not copied", erasure=str(row.uuid), error=str(error).split("\n")[0])
        return replace(look, failed={**look.failed, copies.STORE: type(error).__name__})
    return look


def _tell_again(row: Erasure) -> None:
    """Tell listeners anew of a person for whom something was written meanwhile, which they may have added up.

    In the transaction that takes it away: of what is gone nobody would know any more that it was there.
    """
    Erasure.objects.filter(pk=row.pk).update(until_tx=until_now())
    publish(PlayersErased([[row.player_id, row.is_whole]]), studio_id=row.studio_id or None)


def look_for(row: Erasure, *, keeps: bool) -> Look:
    """Let every step look for what is left, and take away what it found.

    What they take away comes back unless it `keeps` that, but for files and what Valkey has. Of an erasure that is done
    only numbers are known: what named the person can't be looked for any more.

    Raises:
        Busy: another worker looks for the same person.

    """
    person = _as_it_is(row)
    found, failed = {}, {}
    for name in steps():
        try:
            rows = _rows_of(row, name, person, keeps=keeps)
        except Busy:
            raise
        except Exception as error:
            log.exception("erasure step failed", step=name, erasure=str(row.uuid))
            failed[name] = type(error).__name__
        else:
            if rows:
                found[name] = rows
    return Look(found, failed)


def _rows_of(row: Erasure, name: str, person: Person, *, keeps: bool) -> int:
    """Let a step look, which takes minutes, and take away in a moment: only the latter holds listeners back."""
    with _alone_with(row), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        take = steps()[name](person)
    with _alone_with(row):
        rows = take().rows
        if rows and name in TOLD:
            _tell_again(row)
        if not keeps:
            transaction.set_rollback(True)
    return rows


@contextmanager
def _alone_with(row: Erasure) -> Iterator[None]:
    """Do this in a transaction that no other worker has at the same erasure; a killed one's ends, and so its turn."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{_LONGEST}'")
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('erasure', %s))", [row.pk])
        if not cursor.fetchone()[0]:
            raise Busy
        yield


def _as_it_is(row: Erasure) -> Person:
    """Return whom to look for. Whom the studio has again, by another id that was linked to him, keeps what he has."""
    person = (
        person_of(row)
        if row.wanted
        else Person(row.studio_id, row.is_whole, (row.player_id,), (row.player_id,), (), (), ())
    )
    is_back = PlayerIdentity.objects.filter(player_id=row.player_id, studio_id=row.studio_id).exists()
    return replace(person, player_ids=(), stand_ins=()) if is_back else person


_BEHIND = """
SELECT EXISTS (SELECT FROM core_follower f
                WHERE f.name = ANY(string_to_array($1, ','))
                  AND EXISTS (SELECT FROM core_fact l
                               WHERE (l.tx, l.id) > (f.tx::text::xid8, f.fact_id) AND l.tx < $2::bigint::text::xid8))
"""


def _all_have_heard(row: Erasure) -> bool:
    """Say whether every listener has read on past the facts of the erasure."""
    return not run_prepared(_BEHIND, [",".join(facts.subscriptions()), row.until_tx])[0][0]


_AT_IT = """
SELECT EXISTS (SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
                  AND xact_start < $1::timestamptz)
"""


def _all_have_ended(row: Erasure) -> bool:
    """Say whether every transaction has ended that began before the erasure was seen."""
    return row.seen_at is not None and not run_prepared(_AT_IT, [row.seen_at])[0][0]


def _clock() -> datetime:
    now: datetime = run_prepared("SELECT clock_timestamp()", [])[0][0]
    return now


@cache
def steps() -> dict[str, Step]:
    """Return who looks for what is left, by name (ERASURE_STEPS)."""
    return {name: import_string(path) for name, path in settings.ERASURE_STEPS.items()}
