"""Followers: each listener reads the log from its own cursor and moves it with its own rows.

A fact that fails three times goes to the dead letters and the cursor moves on. Attempts are counted in a transaction
of their own before the listener runs, so that a fact that kills its worker is counted too. A failure of Valkey, the
broker or PostgreSQL, and a listener that asks to be tried again (Unavailable), is nobody's attempt: the follower waits.
"""

import threading
import time
import traceback
from dataclasses import dataclass, replace

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from prometheus_client import Counter, Histogram

from core import dead_letters, facts, tracing
from core.db import run_prepared
from core.facts import Fact, Subscription
from core.models import Follower
from core.redis import AWAY
from core.refusals import Unavailable

log = structlog.get_logger(__name__)

ATTEMPTS = 3
DEATHS = 2  # of workers on a batch: one may have been a deployment
TAKEN_S = 1.0
LINGER_S = 0.5  # longer than the relay's hint interval, so that a steady stream meets a waiting follower
LONGEST_RUN_S = 10.0
BACK_OFF_S = 1.0
_SETTLING_S = 0.01
_TRANSIENT = (*AWAY, OperationalError, InterfaceError, Unavailable)

_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_applied = Counter(
    "laurel_follower_facts", "Facts that a follower was given, with those that it read past.", ["follower"]
)
_seconds = Histogram(
    "laurel_follower_batch_seconds", "How long a batch of them took.", ["follower"], buckets=_BOUNDS_S
)

stopping = threading.Event()


@dataclass(frozen=True)
class Position:
    """A follower's row, locked by the transaction that read it.

    Attributes:
        attempts: how often what comes next was begun and not finished.
        isolating: how many of the next facts are read one by one.
        error: what the listener raised at the last attempt; empty if its worker died, or is about to begin.
        is_taken: an attempt was counted a moment ago, and its worker has not locked the row again yet.

    """

    tx: int
    fact_id: int
    attempts: int
    isolating: int
    error: str
    is_taken: bool


@dataclass(frozen=True)
class Step:
    """What one step did.

    Attributes:
        facts: those that were applied or buried; none if there were none, or their listener failed.
        more: whether there may be more to read.
        at_once: whether there is likely so much more that waiting for a batch to form would gain nothing.

    """

    facts: list[Fact]
    more: bool
    at_once: bool


def follow(name: str) -> bool:
    """Read on until the log has been quiet for LINGER_S, another worker holds the follower, or LONGEST_RUN_S passed.

    Returns:
        Whether there is more to read now.

    """
    with structlog.contextvars.bound_contextvars(follower=name):
        return _follow(name)


def _follow(name: str) -> bool:
    subscription = facts.subscriptions()[name]
    ensure_rows()
    started = quiet_since = time.monotonic()
    while not stopping.is_set():
        try:
            read = step(subscription)
        except _TRANSIENT as error:
            log.warning("follower waits", follower=name, error=str(error).split("\n")[0])
            connection.close()
            stopping.wait(BACK_OFF_S)
            return False
        now = time.monotonic()
        if read is None:
            return False
        if read.facts:
            quiet_since = now
        elif now - quiet_since > LINGER_S:
            return False
        if now - started > LONGEST_RUN_S:
            return True
        if not read.at_once:
            stopping.wait(subscription.pause_s)
    return False


def drain(name: str) -> int:
    """Read on until everything is read that was committed before; return the number of facts read.

    Of what is written meanwhile only as much as comes along: the log may grow for ever. A transaction that began before
    may still hold it back, an ANALYZE of PostgreSQL's own too: its end is waited for, though not for longer than
    LONGEST_RUN_S.
    """
    ensure_rows()
    begun = time.monotonic()
    newest = facts.next_transaction()
    total = 0
    while True:
        is_all = facts.horizon() >= newest or time.monotonic() - begun > LONGEST_RUN_S
        read = step(facts.subscriptions()[name])
        if read is None:
            return total
        total += len(read.facts)
        if read.facts and read.facts[-1].tx >= newest:
            return total
        if not read.more:
            if is_all:
                return total
            stopping.wait(_SETTLING_S)


def step(subscription: Subscription) -> Step | None:
    """Read once: apply a batch of facts and move the cursor, in one transaction.

    Returns:
        What was done, or None when another worker holds the follower, or only a newer one may.

    """
    with transaction.atomic():
        position = _lock(subscription, waiting=False)
        if position is None or position.is_taken:
            return None
        batch = facts.read_after(
            position.tx,
            position.fact_id,
            kinds=subscription.kinds,
            limit=1 if position.isolating else facts.READ_FACTS,
            items=subscription.items,
            studios=subscription.studios,
        )
        if not batch:
            return Step([], more=False, at_once=False)
        if not any(fact.is_heard for fact in batch):
            return _pass_by(subscription, position, batch)
        if not position.isolating and (position.error or position.attempts >= DEATHS):
            # The batch failed, or took its workers down: find the fact by going one by one through as many.
            position = replace(position, attempts=0, isolating=len(batch))
            batch = batch[:1]
        _count(subscription.name, position, attempts=position.attempts + 1)
    return _run(subscription, position, batch)


def _pass_by(subscription: Subscription, position: Position, batch: list[Fact]) -> Step:
    """Move the cursor past facts that the listener does not hear: nothing can fail, so no attempt is counted."""
    _move(subscription.name, batch[-1], isolating=max(0, position.isolating - len(batch)))
    return Step(batch, more=True, at_once=bool(position.isolating) or _is_full(subscription, batch))


def _run(subscription: Subscription, position: Position, batch: list[Fact]) -> Step | None:
    traces = [fact.trace for fact in batch if fact.trace and fact.is_heard]
    with tracing.following(subscription.name, traces):
        return _applied_to(subscription, position, batch)


def _applied_to(subscription: Subscription, position: Position, batch: list[Fact]) -> Step | None:
    began = time.perf_counter()
    try:
        with transaction.atomic():
            now = _lock(subscription, waiting=True)
            if now is None or (now.tx, now.fact_id) != (position.tx, position.fact_id):
                return None
            if position.isolating and position.attempts >= ATTEMPTS and batch[0].is_heard:
                dead_letters.bury(
                    subscription.name, batch[0], position.error or "the worker died while it ran"
                )
            else:
                heard = [fact for fact in batch if fact.is_heard]
                if heard:
                    subscription.listener(heard)
            _move(subscription.name, batch[-1], isolating=max(0, position.isolating - 1))
    except _TRANSIENT:
        _count(subscription.name, position, attempts=position.attempts)
        raise
    except Exception:
        log.exception("listener failed", follower=subscription.name, fact=batch[0].id, facts=len(batch))
        _note_error(subscription.name, position, traceback.format_exc())
        return Step([], more=True, at_once=False)
    _applied.labels(subscription.name).inc(len(batch))
    _seconds.labels(subscription.name).observe(time.perf_counter() - began)
    return Step(batch, more=True, at_once=bool(position.isolating) or _is_full(subscription, batch))


def _is_full(subscription: Subscription, batch: list[Fact]) -> bool:
    """Say whether a read found so much that there is likely more."""
    heard = sum(fact.size for fact in batch if fact.is_heard)
    return len(batch) >= facts.READ_FACTS // 2 or heard >= subscription.items // 2


def ensure_rows() -> None:
    """Create the row of every listener that has none: it starts at the beginning of the log."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_follower (name, tx, fact_id, attempts, isolating, error, updated_at)"
            " SELECT listed, 0, 0, 0, 0, '', now() FROM unnest(%s::text[]) AS listed"
            " WHERE NOT EXISTS (SELECT FROM core_follower f WHERE f.name = listed) ON CONFLICT DO NOTHING",
            [list(facts.subscriptions())],
        )


# A worker of an older version would read past facts that the newer one's listener hears, as if nobody did: it waits.
# An attempt is counted, and committed, before its worker locks the row for the listener. Who comes in between would
# take it for one that died.
_LOCK = """
    SELECT tx, fact_id, attempts, isolating, error,
           attempts > 0 AND error = '' AND coalesce(attempted_at > clock_timestamp() - make_interval(secs => $2), false)
      FROM core_follower WHERE name = $1 AND hears <@ $3::text[] FOR UPDATE
"""
_LOCK_IF_FREE = _LOCK + " SKIP LOCKED"
_MOVE = """
    UPDATE core_follower SET tx = $1, fact_id = $2, attempts = 0, isolating = $3, error = '', updated_at = now()
     WHERE name = $4
"""


def require_readers_of_now() -> None:
    """Leave each listener to workers that know all kinds of facts that it hears in this version (docs/adr/0072)."""
    ensure_rows()
    for subscription in facts.subscriptions().values():
        Follower.objects.filter(name=subscription.name).update(hears=sorted(subscription.kinds))


def _lock(subscription: Subscription, *, waiting: bool) -> Position | None:
    wanted = [subscription.name, TAKEN_S, list(subscription.kinds)]
    rows = run_prepared(_LOCK if waiting else _LOCK_IF_FREE, wanted)
    return Position(*rows[0]) if rows else None


# Of what is read at a position: the commit that moved on may have come through although its answer was lost, and then
# it is of no concern to the facts that come next.
_COUNT = """
    UPDATE core_follower SET attempts = $1, isolating = $2, attempted_at = clock_timestamp(), error = ''
     WHERE name = $3 AND (tx, fact_id) = ($4, $5)
"""
_NOTE_ERROR = "UPDATE core_follower SET error = $1 WHERE name = $2 AND (tx, fact_id) = ($3, $4)"


def _count(name: str, at: Position, *, attempts: int) -> None:
    run_prepared(_COUNT, [attempts, at.isolating, name, at.tx, at.fact_id])


def _note_error(name: str, at: Position, error: str) -> None:
    run_prepared(_NOTE_ERROR, [error[-4000:], name, at.tx, at.fact_id])


def forget_error(name: str, *, instead: str) -> None:
    """Let a listener's error say something else: that it failed is known by there being one."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_follower SET error = %s WHERE name = %s AND error <> ''", [instead, name])


def _move(name: str, last: Fact, *, isolating: int) -> None:
    run_prepared(_MOVE, [last.tx, last.id, isolating, name])


def rewind(name: str, *, fact_id: int) -> None:
    """Set a follower's cursor just before the fact `fact_id`, so that it is read again from there.

    Raises:
        ValueError: no such fact in the log (0 is its beginning).

    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM core_follower WHERE name = %s FOR UPDATE", [name])
        tx = 0
        if fact_id:
            cursor.execute("SELECT tx::text::bigint FROM core_fact WHERE id = %s", [fact_id])
            row = cursor.fetchone()
            if row is None:
                raise ValueError(f"The log holds no fact {fact_id}; old days of it are dropped.")
            tx = row[0]
        cursor.execute(
            "UPDATE core_follower SET tx = %s, fact_id = %s, attempts = 0, isolating = 0, error = '' WHERE name = %s",
            [tx, max(0, fact_id - 1), name],
        )
