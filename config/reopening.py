"""Opening a restored database: what others remember of the time that was lost meets nothing else under its name.

Each step may be repeated. Until all are done, no process starts where `manage.py restore` left its mark.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.erasure import copies, restoring
from core import reopening
from core.redis import AWAY, forget
from leaderboards import filling
from social import inbox
from webhooks.services import deliveries

_NOTICES_SKIPPED = 10_000  # far more than anybody is told in the time that is lost
Say = Callable[[str], None]


class CannotReopen(Exception):
    """It can't be done now; the message says what to do first."""


@dataclass(frozen=True)
class Wishes:
    """What an operator chooses.

    Attributes:
        ledger: of erasures, from elsewhere than their store: a newer server that is still there.
        parks_webhooks: that what waits is not sent by itself.
        is_alone: that whoever is connected to the database does nothing with it.

    """

    ledger: Mapping[str, Any]
    parks_webhooks: bool = False
    is_alone: bool = False


def _whoever_works(say: Say) -> list[str]:
    """Return the names of processes that work on the database."""
    names, began = reopening.whoever_is_connected(), time.monotonic()
    if names and settings.DATABASE_POOLED_BY:
        say(
            f"Waiting whether {', '.join(names)} will do something: PgBouncer keeps sessions of who has gone."
        )
    while names and settings.DATABASE_POOLED_BY and time.monotonic() - began < reopening.QUIET_S + 1:
        time.sleep(0.2)
        names = reopening.whoever_is_connected()
    return names


def reopen(wishes: Wishes, *, at: datetime, say: Say) -> None:
    """Open a restored database.

    Raises:
        CannotReopen: somebody uses it, or what has to be asked is away.

    """
    if reopening.is_recovering():
        raise CannotReopen(
            "PostgreSQL still goes through its log, or follows another one: wait until it takes writes."
        )
    if not wishes.is_alone and (names := _whoever_works(say)):
        raise CannotReopen(f"Stop {', '.join(names)} first: they would work on what was lost.")
    ledgers = (_kept(wishes.ledger), wishes.ledger)
    _forget_what_valkey_knows()
    say("Valkey holds no boards and pages of the time that was lost; boards are rebuilt once workers run.")
    say(f"{reopening.skip_numbers()} kinds of numbers go on where no lost one has been.")
    inbox.skip_numbers(_NOTICES_SKIPPED)
    count = sum(restoring.apply(one, at=at) for one in ledgers)
    say(f"{count:,} people who were erased since are being erased again.")
    if wishes.parks_webhooks:
        say(f"{deliveries.park_everything():,} webhooks that waited are parked: studios may ask for them.")
    reopening.note(reopening.mark(), at=at)


def _forget_what_valkey_knows() -> None:
    try:
        filling.drop_everything()
        forget("cache")
    except AWAY as error:
        raise CannotReopen(
            f"Valkey does not answer ({error}), and would show what was lost: start it first, empty or not."
        ) from None


def _kept(ledger: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the copies of the ledger of erasures; they, or the one that the operator has, have to be this database's.

    An erasure is not done before it is copied, so of those that the database knows there are copies. Where it knows
    none, nobody can tell whether there should be any.
    """
    try:
        kept = copies.merged()
    except (OSError, ValueError) as error:
        raise CannotReopen(
            f"The copies of the ledger of erasures can't be read ({error}): see to ERASURE_LEDGER_URL, or people who "
            "were erased would be back."
        ) from None
    if not restoring.knows_any(kept, ledger):
        raise CannotReopen(
            "The database knows people who were erased, and ERASURE_LEDGER_URL holds none of them, so whoever was "
            "erased since would be back: name the folder or bucket where the copies are, or, from a server that still "
            "knows them, save them by `manage.py erasures --save FILE` and add `--ledger FILE`. If they are lost, "
            "`manage.py erasures --copy` writes what this database knows, and who was erased since has to be erased "
            "again by hand."
        )
    return kept
