"""Who is calling: users of the portal, studios, games, server keys, and the players that studios name."""

# Tables of packages of their own are found from here, too.
from accounts.calls import models as call_models  # noqa: F401
from accounts.erasure import models as erasure_models  # noqa: F401
from accounts.models.linking import AccountLinkFailure, LinkCode, LinkFailure
from accounts.models.players import (
    Avatar,
    JoinedPlayer,
    Player,
    PlayerAccount,
    PlayerIdentity,
    Tester,
    Visibility,
)
from accounts.models.sessions import Dismissal, Nonce, PlayerSession
from accounts.models.studios import Game, Invitation, Member, Role, ServerKey, Studio
from accounts.models.users import User, UserManager

__all__ = [
    "AccountLinkFailure",
    "Avatar",
    "Dismissal",
    "Game",
    "Invitation",
    "JoinedPlayer",
    "LinkCode",
    "LinkFailure",
    "Member",
    "Nonce",
    "Player",
    "PlayerAccount",
    "PlayerIdentity",
    "PlayerSession",
    "Role",
    "ServerKey",
    "Studio",
    "Tester",
    "User",
    "UserManager",
    "Visibility",
]
