"""Erasing a person: what is committed with the answer (docs/adr/0047-erasure.md).

From then on nobody names him, and nothing can be given to him: whoever writes at the same moment was first, and is
erased with him, or comes second and finds him in the ledger.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from accounts import joining, selectors, sessions, shown
from accounts.erasure import ledger
from accounts.erasure.models import Erasure
from accounts.facts import PlayersErased
from accounts.models import (
    JoinedPlayer,
    LinkCode,
    LinkFailure,
    Player,
    PlayerAccount,
    PlayerIdentity,
    PlayerSession,
    Tester,
    Visibility,
)
from core import audit
from core.db import run_prepared
from core.facts import publish
from core.ids import new_id
from core.persons import Person, Taken
from core.refusals import Invalid

NO_STUDIO = 0  # whose person somebody is whom no studio knows: by his account alone
# Takes what a room has of a person away, inside the caller's transaction; returns whom something of him was shown to.
# Nothing that is left by whoever wrote meanwhile is its fault: it is called again until it finds nothing.
Erases = Callable[[Person], Taken]


@dataclass(frozen=True, slots=True)
class ErasureInfo:
    """An erasure, as whoever asked for it is told of it; `done_at` is None while it is under way."""

    uuid: UUID
    asked_at: datetime
    done_at: datetime | None
    is_whole: bool


def erase(*, studio_id: int, player_id: int, reason: str, actor: str, at: datetime) -> ErasureInfo | None:
    """Erase a studio's person: what it calls him, and all that its games keep of him.

    If no other studio has him, and he has no account, all that spans studios goes, too: name, settings, friends, what
    others were told of him.

    Returns:
        The erasure; None if the studio has no such player (any more).

    Raises:
        Invalid: the reason names the person; it is kept for ever.
        Unavailable: the player changes too often just now.

    Publishes:
        PlayersErased, and what rooms publish of what they take away.

    """
    return joining.patiently(lambda: _erased([studio_id], player_id, reason=reason, actor=actor, at=at))


def erase_everywhere(*, player_id: int, reason: str, actor: str, at: datetime) -> ErasureInfo | None:
    """Erase a person for every studio that has him, as `erase` does for one, and as the player of his account.

    None if there is no such player (any more).
    """
    return joining.patiently(lambda: _erased(None, player_id, reason=reason, actor=actor, at=at))


def found(studio_id: int, name: str) -> ErasureInfo | None:
    """Return the erasure of whom a studio called so (its id, or `id:<uuid>`); None if there was none."""
    row = ledger.erasure_of(studio_id, name)
    return None if row is None else _info(row)


def _info(row: Erasure) -> ErasureInfo:
    return ErasureInfo(row.uuid, row.asked_at, row.done_at, row.is_whole)


def _erased(
    of_studios: Sequence[int] | None, player_id: int, *, reason: str, actor: str, at: datetime
) -> ErasureInfo | None:
    with transaction.atomic():
        player = Player.objects.select_for_update().filter(pk=player_id, erased_at=None).first()
        if player is None:
            return None
        identities = list(PlayerIdentity.objects.filter(player_id=player_id).order_by("pk"))
        had = {one.studio_id for one in identities}
        studios = sorted(had if of_studios is None else had.intersection(of_studios))
        is_left = of_studios is not None and PlayerAccount.objects.filter(player_id=player_id).exists()
        if not studios and of_studios is None:
            studios = [NO_STUDIO]
        if not studios:
            return None
        joining.fence_off({player_id})
        uuid, row = player.uuid, None
        for place, studio_id in enumerate(studios, start=1):
            is_whole = place == len(studios) and had <= set(studios) and not is_left
            row = _erase_of(player, studio_id, is_whole=is_whole, reason=reason, actor=actor, at=at)
        if row is not None and of_studios is None:
            # By this a restore knows that he goes for all studios, and his account with him (restoring.py).
            ledger.note(row, [f"id:{uuid}"], of_studio=NO_STUDIO)
        joining.end_fence()
    return None if row is None else _info(row)


def _erase_of(
    player: Player, studio_id: int, *, is_whole: bool, reason: str, actor: str, at: datetime
) -> Erasure:
    """Erase what one studio has of a player who is locked and fenced off; of the last one that has him everything."""
    uuid = player.uuid
    person = _person(player, studio_id, is_whole=is_whole)
    if person.is_named_in(reason):
        raise Invalid.value(
            "/reason", "It names the person, and is kept for ever. Say why without names and ids."
        )
    row = Erasure.objects.create(
        studio_id=studio_id, player_id=player.pk, is_whole=is_whole, until_tx=0, asked_at=at
    )
    ledger.note(row, [*person.external_ids, *(f"id:{one}" for one in person.uuids)])
    near: set[int] = set()
    for erases in rooms():
        near |= erases(person).near
    PlayerIdentity.objects.filter(player_id=player.pk, studio_id=studio_id).delete()
    take_access(person)
    sessions.dismiss(player.pk, studio_id=None if is_whole else studio_id)
    if is_whole:
        _make_nameless(player, at=at)
    row.wanted = wanted_of(person, near)
    row.until_tx = until_now()
    row.save(update_fields=["wanted", "until_tx"])
    if studio_id != NO_STUDIO:
        audit.record(
            studio_id=studio_id,
            actor=actor if actor != f"player:{uuid}" else "player",
            action="player.erase",
            kind="erasure",
            object_id=row.uuid,
            reason=reason,
            at=at,
        )
    publish(PlayersErased([[player.pk, is_whole]]), studio_id=studio_id or None)
    transaction.on_commit(selectors.forget_players, robust=True)
    transaction.on_commit(lambda: shown.forget(player.pk, [studio_id]), robust=True)
    return row


# A snapshot ends behind the last transaction that is over: ours, with the facts that tell of the erasure, is not.
_UNTIL_NOW = """
SELECT greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint + 1)
"""


def until_now() -> int:
    """Return the transaction before which everything was told of a person, by the caller's transaction as the last."""
    until: int = run_prepared(_UNTIL_NOW, [])[0][0]
    return until


def _person(player: Player, studio_id: int, *, is_whole: bool) -> Person:
    joined = list(JoinedPlayer.objects.filter(into_id=player.pk).order_by("player_id"))
    ids = (player.pk, *(one.player_id for one in joined))
    named = PlayerIdentity.objects.filter(player_id=player.pk, studio_id=studio_id).order_by("pk")
    return Person(
        studio_id=studio_id,
        is_whole=is_whole,
        player_ids=ids,
        stand_ins=ids if is_whole else tuple(_nobody().pk for _ in ids),
        uuids=(str(player.uuid), *(str(one.uuid) for one in joined if one.uuid is not None)),
        external_ids=tuple(named.values_list("external_id", flat=True)),
        texts=tuple(text for text in (player.display_name, player.avatar_url) if text),
    )


def _nobody() -> Player:
    """Return a new player without a name: a final score that has to stay is his."""
    made = Player(visibility=Visibility.PRIVATE)
    made.save()
    Player.objects.filter(pk=made.pk).update(erased_at=made.created_at)
    return made


def take_access(person: Person) -> int:
    """Take away what lets a person in, and what accounts notes of him; return how many rows that were."""
    player_id = person.player_ids[0]
    of_studio = Q() if person.is_whole else Q(studio_id=person.studio_id)
    testing = Q() if person.is_whole else Q(game__studio_id=person.studio_id)
    failed = Q(studio_id=person.studio_id, external_id__in=person.external_ids)
    gone = [
        LinkCode.objects.filter(of_studio, player_id=player_id).delete()[0],
        PlayerSession.objects.filter(of_studio, player_id=player_id).delete()[0],
        Tester.objects.filter(testing, player_id=player_id).delete()[0],
        LinkFailure.objects.filter(failed).delete()[0],
    ]
    return sum(gone)


def _make_nameless(player: Player, *, at: datetime) -> None:
    """Leave a player behind who is nobody: what is counted or final may go on naming him by his number."""
    player.uuid = new_id()
    player.display_name = player.avatar_url = player.region = ""
    player.visibility, player.time_zone, player.erased_at = Visibility.PRIVATE, "UTC", at
    player.language = ""
    player.games_visibility = player.feed_visibility = player.presence_visibility = Visibility.PRIVATE
    player.save()
    PlayerAccount.objects.filter(player_id=player.pk).delete()
    JoinedPlayer.objects.filter(into_id=player.pk).update(uuid=None, time_zone="UTC")
    # What is refused to who was joined to another (migration 0009) is refused to him: whoever looked him up a moment
    # ago begins anew.
    JoinedPlayer.objects.create(player_id=player.pk, into=player, joined_at=at)


def wanted_of(person: Person, near: Iterable[int]) -> dict[str, Any]:
    """Return what an erasure keeps of a person until it is done."""
    return {
        "player_ids": person.player_ids,
        "stand_ins": person.stand_ins,
        "uuids": person.uuids,
        "external_ids": person.external_ids,
        "texts": person.texts,
        "near": sorted(near),
    }


def person_of(row: Erasure) -> Person:
    """Return whom an erasure that is under way is about."""
    return Person(
        studio_id=row.studio_id,
        is_whole=row.is_whole,
        **{name: tuple(listed) for name, listed in row.wanted.items()},
    )


@cache
def rooms() -> tuple[Erases, ...]:
    """Return who takes away what each room has, in the order in which reports take their locks (PLAYER_ERASURES)."""
    return tuple(import_string(path) for path in settings.PLAYER_ERASURES)
