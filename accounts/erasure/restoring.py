"""Taking erasures over the restore of a backup that is older than they are."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import leaving
from accounts.erasure import asking, ledger
from accounts.erasure.models import ErasedName, Erasure
from accounts.models import PlayerAccount, PlayerIdentity, Studio

_AT_ONCE = 1_000
_ACTOR = "platform"
_REASON = "A backup was restored that is older than the erasure."


def ledger_of(erasures: Iterable[Erasure] | None = None) -> dict[str, list[str]]:
    """Return the hashes of all names that nobody has any more, or of some erasures, by the studio's public id.

    Hashes are hexadecimal. Names that are of no studio, or of one that is gone, stand under an empty id.
    """
    studios = dict(Studio.objects.values_list("pk", "uuid"))
    found: dict[str, list[str]] = {}
    names = ErasedName.objects.all() if erasures is None else ErasedName.objects.filter(erasure__in=erasures)
    rows = names.order_by("erasure_id", "hash").values_list("erasure__studio_id", "hash")
    for studio_id, one in rows.iterator():
        found.setdefault(str(studios.get(studio_id, "")), []).append(bytes(one).hex())
    return found


def apply(saved: Mapping[str, Any], *, at: datetime) -> int:
    """Erase again whom hashes name, in all studios that there are; return how many players that were.

    Who had erased himself goes with his account. Names are gone through once, each hashed: some 100,000 a second.
    """
    listed = {uuid: {bytes.fromhex(one) for one in hashes} for uuid, hashes in saved.items()}
    count = _erase_themselves(set().union(*listed.values()), at=at)
    studios = dict(Studio.objects.values_list("uuid", "pk"))
    for uuid, wanted in listed.items():
        studio_id = studios.get(UUID(uuid)) if uuid else asking.NO_STUDIO
        if studio_id is None:
            continue
        for player_id in list(_meant(studio_id, wanted)):
            again = asking.erase(
                studio_id=studio_id, player_id=player_id, reason=_REASON, actor=_ACTOR, at=at
            )
            count += again is not None
        _keep(studio_id, wanted, at=at)
    return count


def knows_any(*saved: Mapping[str, Any]) -> bool:
    """Say whether one of these names somebody of whom the database knows that he was erased; True if of nobody."""
    done = ErasedName.objects.exclude(erasure__done_at=None)
    known = {bytes(one).hex() for one in done.values_list("hash", flat=True)}
    named = {one for each in saved for hashes in each.values() for one in hashes}
    return not known or not known.isdisjoint(named)


def _erase_themselves(wanted: set[bytes], *, at: datetime) -> int:
    count = 0
    rows = PlayerAccount.objects.select_related("user", "player").order_by("pk")
    for account in rows.iterator(chunk_size=_AT_ONCE):
        if not wanted.isdisjoint(ledger.hashes(asking.NO_STUDIO, [f"id:{account.player.uuid}"])):
            leaving.erase_oneself(account.user, player_id=account.player_id, at=at)
            count += 1
    return count


def _keep(studio_id: int, wanted: Iterable[bytes], *, at: datetime) -> None:
    """Keep the names, too, whom nobody had yet when the backup was made: they may come late again."""
    known = set(ErasedName.objects.filter(hash__in=list(wanted)).values_list("hash", flat=True))
    missing = set(wanted) - {bytes(one) for one in known}
    if missing:
        row = Erasure.objects.create(
            studio_id=studio_id, player_id=0, is_whole=False, until_tx=0, asked_at=at, done_at=at
        )
        ErasedName.objects.bulk_create(ErasedName(hash=one, erasure=row) for one in sorted(missing))


def _meant(studio_id: int, wanted: set[bytes]) -> Iterator[int]:
    rows = PlayerIdentity.objects.filter(studio_id=studio_id).order_by("pk")
    for player_id, name in rows.values_list("player_id", "external_id").iterator(chunk_size=_AT_ONCE):
        if not wanted.isdisjoint(ledger.hashes(studio_id, [name])):
            yield player_id
