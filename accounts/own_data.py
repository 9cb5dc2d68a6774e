"""What is kept of an account itself, for who takes his data with him."""

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession

from accounts import avatars, own_choices, selectors
from accounts.models import Avatar, PlayerSession, User
from accounts.selectors import PlayerInfo
from core import media
from core.artwork import LARGE


def account(user: User, player: PlayerInfo) -> dict[str, Any]:
    """Return an account and its player, without secrets."""
    return {
        "account": {
            "email": user.email,
            "signed_up_at": user.date_joined,
            "last_signed_in_at": user.last_login,
            "language_of_mail": user.language,
            "signed_up_to_play": user.plays,
            "member_of": [{"studio": one.name, "role": one.role} for one in selectors.memberships(user.pk)],
            "vouched_for_by": list(
                SocialAccount.objects.filter(user=user).values("provider", "uid", "date_joined", "extra_data")
            ),
            "second_factors": list(
                Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")
            ),
        },
        "player": {
            "id": str(player.uuid),
            "display_name": player.display_name,
            "region": player.region,
            "avatar_url": player.avatar_url,
            "language": player.language,
            "time_zone": player.time_zone,
            "visibility": player.visibility,
            "games_visibility": player.games_visibility,
            "feed_visibility": player.feed_visibility,
            "presence_visibility": player.presence_visibility,
            "chosen": sorted(own_choices.of(player.id)),
        },
    }


def devices(user: User) -> Iterator[tuple[Any, ...]]:
    """Yield where a user is signed in: browser, network address, since when, last seen."""
    rows = UserSession.objects.filter(user=user).order_by("id")
    yield from rows.values_list("user_agent", "ip", "created_at", "last_seen_at")


def listening(player_id: int) -> Iterator[tuple[Any, ...]]:
    """Yield a player's sessions that no studio began: browser, since when, until when, ended when."""
    rows = PlayerSession.objects.filter(player_id=player_id, studio=None).order_by("id")
    yield from rows.values_list("user_agent", "created_at", "expires_at", "ended_at")


def picture(player: PlayerInfo) -> bytes | None:
    """Return the picture that a player uploaded, None for none. Raises Unavailable."""
    for row in Avatar.objects.filter(player_id=player.id).order_by("-id"):
        name = avatars.file(row.uuid, row.digest, LARGE)
        if player.avatar_url.endswith(name):
            return media.get(name)
    return None
