"""Every write of link codes: they join a studio's id for a person to the player whom another id names (ADR 0031, 0033).

Whoever changes what a player's codes or ids are holds that player's row, players in the order of their ids.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Min

from accounts import guesses, joining, linkcodes, selectors, shown
from accounts.erasure import ledger
from accounts.facts import PlayersExcluded
from accounts.models import LinkCode, Player, PlayerIdentity
from accounts.selectors import PlayerInfo
from core import audit
from core.db import LostRace
from core.facts import publish
from core.refusals import Conflict, Forbidden, Gone, Invalid, NotFound, Refused

LIFETIME = timedelta(minutes=10)
MOST_IDS = 100  # of one person
_USED_KEPT = timedelta(days=7)  # as answers to an Idempotency-Key are
_DELETED_AT_ONCE = 100


class WrongCode(Invalid):
    """Unknown, mistyped, expired and used codes: all the same to who tries."""

    def __init__(self) -> None:
        detail = "It is mistyped, expired or used. Ask for a new one, and enter it within 10 minutes."
        super().__init__("The link code is not valid.", errors=[{"pointer": "/code", "detail": detail}])


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of two players: who both are now, who is gone (empty: nobody), and the studios whose ids moved."""

    uuid: UUID
    gone: str
    moved: frozenset[int]


def issue_code(*, player: PlayerInfo, studio_id: int, by: str, at: datetime) -> tuple[str, datetime]:
    """Return a new code for a player, and when it ends; his older one is void.

    Raises:
        Forbidden: the player is banned from the studio's games.
        NotFound: the player is gone meanwhile.

    """
    if player.banned:
        raise Forbidden("This player is banned from the studio's games.")
    code, expires_at = linkcodes.new_code(), at + LIFETIME
    with transaction.atomic():
        if not Player.objects.select_for_update(no_key=True).filter(pk=player.id, erased_at=None).exists():
            raise NotFound("There is no such player.")
        LinkCode.objects.filter(player_id=player.id, used_at=None).delete()
        LinkCode.objects.create(
            player_id=player.id,
            studio_id=studio_id,
            hash=linkcodes.code_hash(code),
            created_at=at,
            expires_at=expires_at,
        )
        _note("player.link_code", studio_id, player.uuid, by=by, at=at)
        forget_old(at)
    return linkcodes.shown(code), expires_at


def redeem(*, studio_id: int, external_id: str, code: str, by: str, at: datetime) -> PlayerInfo:
    """Let a studio's id name the person whom a code stands for; return the player whom both name from now on.

    Of two players one is gone, and what he holds is the other's: who holds nothing yet, else whom the id named.
    Repeating it changes nothing.

    Raises:
        Invalid: the code is not valid; that is counted.
        Refused: too many of those (`rate-limited`).
        Gone: one of both was erased.
        Forbidden: one of both is banned somewhere.
        Conflict: what both hold can't be kept exactly as one; too many ids of one person.
        Unavailable: either changes too often just now.

    Publishes:
        PlayersJoined, and what rooms publish of what they move.
        PlayersExcluded, where a studio keeps one of the ids off its boards: then it keeps the person off.

    """
    refused = joining.patiently(
        lambda: _redeemed(studio_id=studio_id, external_id=external_id, code=code, by=by, at=at)
    )
    if refused is not None:
        raise refused
    info = selectors.player_of_studio(studio_id, external_id)
    if info is None:
        raise Gone("This person was erased.")
    return info


def _redeemed(*, studio_id: int, external_id: str, code: str, by: str, at: datetime) -> Refused | None:
    """Redeem in one transaction. What a refusal leaves behind is returned with it, as it has to be committed."""
    with transaction.atomic():
        guesses.take_turns(studio_id)
        if _named(studio_id, external_id) is None and ledger.erased(studio_id, [external_id]):
            raise Gone("This person was erased; nothing more is stored about him.")
        guesses.require_few(studio_id, external_id, at=at)
        found = valid(code, at=at)
        mine = _named(studio_id, external_id)
        if found is not None:
            lock({found.player_id, mine or found.player_id})
            again, now = valid(code, at=at), _named(studio_id, external_id)
            if now != mine or (again is not None and again.player_id != found.player_id):
                raise LostRace("somebody else linked one of both")
            found = again
        if found is None or (found.used_at is not None and found.player_id != mine):
            guesses.note(studio_id, external_id, at=at)
            return WrongCode()
        require_usable({found.player_id, mine or found.player_id})
        if mine != found.player_id:
            _link(found, mine, studio_id=studio_id, external_id=external_id, by=by, at=at)
    return None


def _link(
    found: LinkCode, mine: int | None, *, studio_id: int, external_id: str, by: str, at: datetime
) -> None:
    """Let both ids name one player, and use the code up."""
    if mine is None:
        _name(found.player_id, studio_id=studio_id, external_id=external_id)
        joined = settle(found, None, studios={studio_id}, at=at)
    else:
        joined = settle(found, joining.part(found.player_id, mine), studios={studio_id}, at=at)
    details = {"external_id": external_id} | ({"gone": joined.gone} if joined.gone else {})
    _note("player.link", studio_id, joined.uuid, by=by, at=at, details=details)
    # Whose code it was, or whose id names another now, hears that, and not by whom: that is the other studio's.
    tell((joined.moved | {found.studio_id}) - {studio_id}, joined, by="code", at=at)


def settle(
    found: LinkCode, parted: tuple[int, int, bool] | None, *, studios: Iterable[int], at: datetime
) -> Joined:
    """Let one of two players (as `joining.part` tells them apart) be both, and use the code up; without, only that.

    Raises Conflict where they can't be one.
    """
    stays, leaves, brings = parted or (found.player_id, None, False)
    gone, moved = "", set[int]()
    if leaves is not None:
        gone = str(Player.objects.get(pk=leaves).uuid)
        moved = joining.name_the_other(leaves, stays, found, at=at)
    if PlayerIdentity.objects.filter(player_id=stays).count() > MOST_IDS:
        raise Conflict(f"A person has at most {MOST_IDS} ids.")
    LinkCode.objects.filter(pk=found.pk).update(player_id=stays, used_at=at)
    for studio_id in sorted(moved | set(studios)):
        _spread_exclusion(studio_id, stays)
        _spread_revocation(studio_id, stays)
    if leaves is not None:
        joining.give(leaves, stays, brings=brings)
    transaction.on_commit(selectors.forget_players, robust=True)
    transaction.on_commit(lambda: shown.forget(stays), robust=True)
    return Joined(Player.objects.get(pk=stays).uuid, gone, frozenset(moved))


def tell(studios: Iterable[int], joined: Joined, *, by: str, at: datetime) -> None:
    """Note in the audit logs of studios that their id for a player names somebody else's player, too."""
    for hears in sorted(studios):
        details = {"gone": joined.gone} if hears in joined.moved else {}
        _note("player.linked", hears, joined.uuid, by=by, at=at, details=details)


def _name(player_id: int, *, studio_id: int, external_id: str) -> None:
    """Let a new id name a player. Raises LostRace if somebody else named him meanwhile."""
    PlayerIdentity.objects.bulk_create(
        [PlayerIdentity(studio_id=studio_id, external_id=external_id, player_id=player_id)],
        ignore_conflicts=True,
    )
    if _named(studio_id, external_id) != player_id or ledger.erased(studio_id, [external_id]):
        raise LostRace("somebody else was the first to name the player, or it names nobody any more")


def _spread_exclusion(studio_id: int, player_id: int) -> None:
    """Exclude a player by all of a studio's ids for him, if one of them is excluded."""
    ids = PlayerIdentity.objects.filter(studio_id=studio_id, player_id=player_id)
    since = ids.aggregate(since=Min("excluded_at"))["since"]
    if since is not None:
        ids.filter(excluded_at=None).update(excluded_at=since)
        publish(PlayersExcluded([[player_id, True]]), studio_id=studio_id)


def _spread_revocation(studio_id: int, player_id: int) -> None:
    """Let tokens that a studio revoked by one of its ids for a player stay so, whichever of them is looked at."""
    ids = PlayerIdentity.objects.filter(studio_id=studio_id, player_id=player_id)
    since = ids.aggregate(since=Max("tokens_from"))["since"]
    if since is not None:
        ids.update(tokens_from=since)


def require_usable(player_ids: Iterable[int]) -> None:
    """Refuse players who were erased, or are banned by a studio. Raises Gone, Forbidden."""
    players = Player.objects.filter(pk__in=set(player_ids))
    if players.filter(erased_at__isnull=False).exists():
        raise Gone("One of both players was erased; nothing more is stored about him.")
    if PlayerIdentity.objects.filter(player__in=players, banned_at__isnull=False).exists():
        raise Forbidden("One of both players is banned by a studio. Link them when he is let back.")


def valid(code: str, *, at: datetime) -> LinkCode | None:
    """Return the code that was given: open, or used a while ago and asked for again."""
    typed = linkcodes.read(code)
    if typed is None:
        return None
    found = LinkCode.objects.filter(hash=linkcodes.code_hash(typed)).first()
    return found if found is not None and (found.used_at is not None or found.expires_at > at) else None


def _named(studio_id: int, external_id: str) -> int | None:
    named = PlayerIdentity.objects.filter(studio_id=studio_id, external_id=external_id)
    return named.values_list("player_id", flat=True).first()


def lock(player_ids: set[int]) -> None:
    """Lock players, who may still be given things meanwhile. Raises LostRace if one is gone."""
    rows = Player.objects.select_for_update(no_key=True).filter(pk__in=player_ids).order_by("id")
    if len(rows.values_list("id", flat=True)) != len(player_ids):
        raise LostRace("somebody else linked one of both")


def _note(
    action: str, studio_id: int, uuid: object, *, by: str, at: datetime, details: dict[str, str] | None = None
) -> None:
    audit.record(
        studio_id=studio_id,
        actor=by,
        action=action,
        kind="player",
        object_id=uuid,
        reason="",
        at=at,
        details=details,
    )


_FORGET = """
    DELETE FROM accounts_linkcode WHERE id = ANY(ARRAY(
        SELECT id FROM accounts_linkcode WHERE expires_at < %s AND (used_at IS NULL OR used_at < %s)
         LIMIT %s FOR UPDATE SKIP LOCKED))
"""


def forget_old(at: datetime) -> None:
    """Delete some of the codes and guesses that nobody asks for any more."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [at, at - _USED_KEPT, _DELETED_AT_ONCE])
    guesses.forget_some(at=at)
