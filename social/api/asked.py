"""Who asks, of which game, and of which part of an inbox."""

from rest_framework.request import Request

from accounts.authentication import TokenHolder, game_of, holder_of, player_of
from accounts.selectors import GameInfo
from core.ids import parse_id
from core.refusals import NotFound
from social.selectors.inboxes import Inbox
from social.selectors.seeing import Asker


def asker_of(request: Request) -> Asker:
    """Return as whom a caller sees others: a token's player, or a key's studio (with a key of one game in that one)."""
    holder = holder_of(request)
    if isinstance(holder, TokenHolder):
        return Asker(holder.studio_id, holder.player.id)
    return Asker(holder.studio_id, game_id=holder.game_id)


def asked_game(request: Request) -> GameInfo | None:
    """Return the game that `game_id` names, else that of a key of one game, else None. Raises NotFound."""
    named = request.GET.get("game_id")
    if named is not None:
        uuid = parse_id(named)
        if uuid is None:
            raise NotFound("There is no such game.")
        return game_of(request, uuid)
    return None if asker_of(request).game_id is None else game_of(request, None)


def inbox_of(request: Request, player: str) -> Inbox:
    """Return what a caller may touch of a player's inbox. Raises as `player_of` does."""
    asker = asker_of(request)
    return Inbox(player_of(request, player).id, asker.only_studio_id, asker.game_id)
