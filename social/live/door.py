"""Who may listen: who brings a player token, or the cookie of a session from one of our own pages."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts import selectors as accounts
from accounts import sessions, tokens
from accounts.authentication import is_revoked
from accounts.sessions import Dismissed
from core.refusals import Forbidden, Unauthenticated
from social.live import codes

_MAX_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom a token or a session stands for, and until when.

    Attributes:
        studio_id: who issued the token, or the one with which the session was begun; None for who signed in himself.
        session_id: the session's, 0 for a token.
        issued_at: when the token was issued, or now for a session.

    """

    player_id: int
    player_uuid: UUID
    expires_at: datetime
    studio_id: int | None
    session_id: int
    issued_at: datetime


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
    if game is None or player is None or player.erased:
        raise Unauthenticated("The player token's player or game is gone. Ask for a new one.")
    if player.banned:
        raise Forbidden("This player is banned from the studio's games.")
    if is_revoked(claims, player):
        raise Unauthenticated("The player token was revoked. Ask for a new one.")
    return Guest(
        player_id=player.id,
        player_uuid=player.uuid,
        expires_at=claims.expires_at,
        studio_id=game.studio_id,
        session_id=0,
        issued_at=claims.issued_at,
    )


def admit_session(secret: str, *, at: datetime) -> Guest:
    """Return who is signed in by a cookie. Raises Unauthenticated when its session has ended."""
    found = sessions.holder(secret, at=at)
    if found is None:
        raise Unauthenticated("Your session has ended. Sign in again.")
    return Guest(
        player_id=found.player_id,
        player_uuid=found.player_uuid,
        expires_at=found.expires_at,
        studio_id=found.studio_id,
        session_id=found.id,
        issued_at=at,
    )


def dismissal(dismissed: Dismissed, guest: Guest) -> tuple[int, str] | None:
    """Return why and how somebody's connection is to be closed; None if what has ended is not what he came in by."""
    if dismissed.kind == "player":
        is_meant = dismissed.studio_id in (None, guest.studio_id)
        return (
            (codes.UNAUTHENTICATED, "There is no such player any more. Ask for a new token.")
            if is_meant
            else None
        )
    if dismissed.kind == "session":
        is_meant = guest.session_id == dismissed.session_id
        return (codes.UNAUTHENTICATED, "The session has ended. Sign in again.") if is_meant else None
    if guest.studio_id is None or guest.studio_id != dismissed.studio_id:
        return None
    if dismissed.kind == "ban":
        return codes.FORBIDDEN, "This player is banned from the studio's games."
    is_older = dismissed.tokens_from is not None and guest.issued_at < dismissed.tokens_from
    return (
        (codes.UNAUTHENTICATED, "The player token was revoked.")
        if is_older and not guest.session_id
        else None
    )
