"""As whom a caller looks at a player's history."""

from rest_framework.request import Request

from accounts.authentication import TokenHolder, holder_of
from history.selectors.showing import Audience


def audience_of(request: Request) -> Audience:
    """Return whose games the caller sees: a player all of his, a studio its own, a key of one game that one."""
    holder = holder_of(request)
    return Audience() if isinstance(holder, TokenHolder) else Audience(holder.studio_id, holder.game_id)
