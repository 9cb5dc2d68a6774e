"""Games' ids come to an account by a code that the game shows: the same join as between studios (ADR 0031, 0051)."""

from datetime import datetime

from django.db import transaction

from accounts import guesses, joining, linking
from accounts.linking import WrongCode
from accounts.models import LinkCode, PlayerAccount
from core.db import LostRace
from core.refusals import Gone, Refused


def redeem(*, user_id: int, code: str, at: datetime) -> bool:
    """Join the player whom a code stands for with the account's; say whether that changed anything.

    Of both players one is gone, and what he holds is the other's: who holds nothing yet, else the game's. What the
    person chose in his account stays. The studios concerned find it in their audit logs. Repeating it changes nothing.

    Raises:
        Invalid: the code is not valid; that is counted.
        Refused: too many of those (`rate-limited`).
        Gone: the game's player was erased, or the account just now.
        Forbidden: one of both is banned somewhere.
        Conflict: both have an account; what both hold can't be kept exactly as one; too many ids of one person.
        Unavailable: either changes too often just now.

    Publishes:
        PlayersJoined, and what rooms publish of what they move.
        PlayersExcluded, where a studio keeps one of the ids off its boards: then it keeps the person off.

    """
    done = joining.patiently(lambda: _redeemed(user_id=user_id, code=code, at=at))
    if isinstance(done, Refused):
        raise done
    return done


def _redeemed(*, user_id: int, code: str, at: datetime) -> bool | Refused:
    """Redeem in one transaction. What a refusal leaves behind is returned with it, as it has to be committed."""
    with transaction.atomic():
        guesses.take_turns_of_account(user_id)
        guesses.require_few_of_account(user_id, at=at)
        found, mine = linking.valid(code, at=at), _player_of(user_id)
        if found is not None:
            linking.lock({found.player_id, mine})
            again = linking.valid(code, at=at)
            if _player_of(user_id) != mine or (again is not None and again.player_id != found.player_id):
                raise LostRace("somebody else linked one of both")
            found = again
        if found is None or (found.used_at is not None and found.player_id != mine):
            guesses.note_of_account(user_id, at=at)
            return WrongCode()
        if found.used_at is not None:
            return False
        linking.require_usable({found.player_id, mine})
        _join(found, mine, at=at)
    return True


def _join(found: LinkCode, mine: int, *, at: datetime) -> None:
    """Let account and game mean one player, and use the code up; if they do already, only that."""
    parted = None if mine == found.player_id else joining.part(mine, found.player_id)
    joined = linking.settle(found, parted, studios={found.studio_id}, at=at)
    if parted is not None:
        linking.tell(joined.moved | {found.studio_id}, joined, by=f"player:{joined.uuid}", at=at)


def _player_of(user_id: int) -> int:
    """Return a user's player. Raises Gone if he erased himself a moment ago."""
    player_id = PlayerAccount.objects.filter(user_id=user_id).values_list("player_id", flat=True).first()
    if player_id is None:
        raise Gone("This account was erased.")
    return player_id
