"""A person erases himself: as a player everywhere, and his account, unless he makes games with it."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts import devices, listening, selectors
from accounts.erasure import asking
from accounts.models import User
from core import mail


def erase_oneself(user: User, *, player_id: int, at: datetime) -> bool:
    """Erase a user's player for all studios, and the account with it; say whether the account is gone, too.

    A member of studios stays one: only the player goes, and he begins as a new one if he comes back. Repeating it goes
    on where it was interrupted.

    Raises:
        Unavailable: the player changes too often just now; nothing was erased.

    Publishes:
        PlayersErased, and what rooms publish of what they take away.

    """
    listening.stop_everywhere(user)
    player = selectors.players_shown([player_id]).get(player_id)
    actor = "player" if player is None else f"player:{player['id']}"
    asking.erase_everywhere(player_id=player_id, reason="", actor=actor, at=at)
    if selectors.memberships(user.pk):
        return False
    with transaction.atomic():
        User.objects.select_for_update().filter(
            pk=user.pk
        ).first()  # before its logins, as accounts/logins.py
        devices.end_all(user, at=at)
        mail.forget({user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)})
        user.delete()
    return True
