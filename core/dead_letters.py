"""Dead letters: facts that a listener failed at so often that its follower went on without it.

Each waits until somebody gives it to its listener again (`manage.py deadletters`, or the admin), and is kept for
a month after that.
"""

from collections.abc import Collection
from datetime import datetime

import orjson
import structlog
from django.db import connection, transaction

from core import facts
from core.facts import Fact
from core.models import DeadLetter

log = structlog.get_logger(__name__)


def bury(name: str, fact: Fact, error: str) -> None:
    """Keep a fact that its listener could not take, inside the transaction that moves the cursor past it."""
    log.error("fact buried", follower=name, fact=fact.id, kind=fact.kind)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_deadletter"
            " (follower, fact_id, fact_tx, fact_at, kind, studio_id, payload, error, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, now()) ON CONFLICT (follower, fact_id) DO UPDATE"
            " SET error = excluded.error, created_at = excluded.created_at, replayed_at = NULL",
            [
                name,
                fact.id,
                fact.tx,
                fact.at,
                fact.kind,
                fact.studio_id,
                orjson.dumps(fact.payload).decode(),
                error,
            ],
        )


def take(name: str, fact_ids: Collection[int]) -> set[int]:
    """Call the dead letters of facts done with, inside the caller's transaction; return whose waited.

    For a listener that keeps by itself up to where it heard: what was passed by before that is new to it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_deadletter SET replayed_at = now()"
            " WHERE follower = %s AND fact_id = ANY(%s) AND replayed_at IS NULL RETURNING fact_id",
            [name, list(fact_ids)],
        )
        return {row[0] for row in cursor.fetchall()}


def wait(name: str, *, kinds: Collection[str]) -> bool:
    """Say whether facts of some kinds wait for a listener that failed at them."""
    return DeadLetter.objects.filter(follower=name, kind__in=kinds, replayed_at=None).exists()


def replay(letter_id: int) -> None:
    """Give a dead letter to its listener again.

    Raises:
        LookupError: no such dead letter waits.
        Exception: what the listener raised; the letter stays.

    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT follower, fact_tx, fact_id, fact_at, kind, studio_id, payload::text FROM core_deadletter"
            " WHERE id = %s AND replayed_at IS NULL FOR UPDATE",
            [letter_id],
        )
        row = cursor.fetchone()
        if row is None:
            raise LookupError(f"No dead letter {letter_id} waits.")
        subscription = facts.subscriptions()[row[0]]
        fact = Fact(
            tx=row[1], id=row[2], at=row[3], kind=row[4], studio_id=row[5], payload=orjson.loads(row[6])
        )
        subscription.listener([fact])
        cursor.execute("UPDATE core_deadletter SET replayed_at = now() WHERE id = %s", [letter_id])


def forget(*, replayed_before: datetime) -> None:
    """Delete letters that were replayed long ago."""
    DeadLetter.objects.filter(replayed_at__lt=replayed_before).delete()
