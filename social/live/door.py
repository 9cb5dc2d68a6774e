"""Who may listen: player tokens, and nothing else, in the first message or the Authorization header."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts import selectors as accounts
from accounts import tokens
from core.refusals import Forbidden, Unauthenticated

_MAX_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom a token stands for, and until when."""

    player_id: int
    player_uuid: UUID
    expires_at: datetime


def admit(token: str, *, at: datetime) -> Guest:
    """Return whom a player token stands for.

    Raises:
        Unauthenticated: not a token of this instance, expired, or its player or game is gone.
        Forbidden: the player is banned from the game's studio.

    """
    if len(token) > _MAX_TOKEN or not token.isascii():
        raise Unauthenticated("That is no player token.")
    try:
        claims = tokens.read(token, at=at)
    except tokens.InvalidToken:
        raise Unauthenticated(
            "The player token is not valid here or has expired. Ask for a new one."
        ) from None
    if claims.expires_at <= at:
        # A request may be late by the clocks' difference; a connection that ends at once is no use to anybody.
        raise Unauthenticated("The player token has expired. Ask for a new one.")
    game = accounts.game(claims.game)
    player = None if game is None else accounts.player_by_uuid(claims.player, studio_id=game.studio_id)
    if player is None or player.erased:
        raise Unauthenticated("The player token's player or game is gone. Ask for a new one.")
    if player.banned:
        raise Forbidden("This player is banned from the studio's games.")
    return Guest(player_id=player.id, player_uuid=player.uuid, expires_at=claims.expires_at)
