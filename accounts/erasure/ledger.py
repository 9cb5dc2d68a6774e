"""The ledger: names of who was erased, as keyed hashes. It is asked only where somebody is not known."""

import hmac
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings

from accounts.erasure.models import ErasedName, Erasure

_PURPOSE = b"laurel erased names "


def hashes(studio_id: int, names: Iterable[str]) -> dict[bytes, str]:
    """Return what the ledger may hold of a studio's names, by hash: one for each of ERASURE_SECRETS."""
    return {_hash(secret, studio_id, name): name for name in names for secret in settings.ERASURE_SECRETS}


def note(erasure: Erasure, names: Iterable[str], *, of_studio: int | None = None) -> None:
    """Keep names of a person, inside the transaction that takes them from him: his studio's, unless `of_studio`."""
    secret = settings.ERASURE_SECRETS[0]
    studio_id = erasure.studio_id if of_studio is None else of_studio
    rows = [ErasedName(hash=_hash(secret, studio_id, name), erasure=erasure) for name in sorted(set(names))]
    # A person whom another studio linked here again, and who is erased again, has been called so before.
    ErasedName.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["hash"], update_fields=["erasure"]
    )


def erased(studio_id: int, names: Iterable[str]) -> set[str]:
    """Return those of a studio's names (its ids, or `id:<uuid>`) whose person it erased, in one query."""
    wanted = hashes(studio_id, names)
    found = ErasedName.objects.filter(hash__in=list(wanted)).values_list("hash", flat=True) if wanted else ()
    return {wanted[bytes(one)] for one in found}


def erasure_of(studio_id: int, name: str) -> Erasure | None:
    """Return the erasure of whom a studio called so; None if there was none."""
    found = ErasedName.objects.filter(hash__in=list(hashes(studio_id, [name]))).select_related("erasure")
    row = found.first()
    return None if row is None else row.erasure


def by_uuid(studio_id: int, uuid: UUID) -> Erasure | None:
    """Return the erasure of whom the platform called so, if that studio had him."""
    return erasure_of(studio_id, f"id:{uuid}")


def _hash(secret: str, studio_id: int, name: str) -> bytes:
    """Return what is kept of a name: without the secret nobody can try out whose it was."""
    return hmac.digest(_PURPOSE + secret.encode(), f"{studio_id} {name}".encode(), "sha256")
