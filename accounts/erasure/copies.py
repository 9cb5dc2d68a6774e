"""Copies of the ledger outside the database, a file for each erasure: what a restore to an earlier second has to know.

A file holds keyed hashes, and names nobody. It is written before an erasure is done, so whoever was told that somebody
is erased can rely on it whatever the database is restored to.
"""

from collections.abc import Iterator
from typing import Any

import orjson
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from accounts.erasure import restoring
from accounts.erasure.models import Erasure

STORE = "ledger"


def keep(row: Erasure) -> None:
    """Write an erasure's file, unless it is there. Raises OSError."""
    name = f"{row.uuid}.json"
    if not storages[STORE].exists(name):
        storages[STORE].save(name, ContentFile(orjson.dumps(restoring.ledger_of([row]))))


def everything() -> Iterator[dict[str, Any]]:
    """Yield what each file holds. Raises OSError, ValueError."""
    for name in sorted(storages[STORE].listdir("")[1]):
        if name.endswith(".json"):
            with storages[STORE].open(name) as opened:
                yield orjson.loads(opened.read())


def merged() -> dict[str, list[str]]:
    """Return what all files hold, as one ledger. Raises OSError, ValueError."""
    found: dict[str, list[str]] = {}
    for one in everything():
        for studio, hashes in one.items():
            found.setdefault(studio, []).extend(hashes)
    return found
