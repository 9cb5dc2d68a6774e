"""Player tokens: JWTs (RFC 7519) of one algorithm, for one player in one game, for an hour at most."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings

from core.ids import parse_id

ALGORITHM = "HS256"
LIFETIME = timedelta(hours=1)
LEEWAY_S = 60  # clocks of two hosts differ


class InvalidToken(Exception):
    """The token is no token of this instance, or its time is over."""


@dataclass(frozen=True)
class PlayerClaims:
    """What a token says."""

    player: UUID
    game: UUID
    issued_at: datetime
    expires_at: datetime


def issue(*, player: UUID, game: UUID, at: datetime) -> tuple[str, datetime]:
    """Return a token and when it ends."""
    kid, secret = next(iter(settings.PLAYER_TOKEN_KEYS.items()))
    expires_at = at + LIFETIME
    claims = {
        "iss": settings.PUBLIC_URL,
        "aud": str(game),
        "sub": str(player),
        "iat": at.timestamp(),  # with its fraction: a token of the second of a revocation is before or after it
        "exp": expires_at,
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"kid": kid}), expires_at


def signing_key(token: str) -> bytes:
    """Return the key under which a device signs what it sends with a token: it is made of it, and not kept.

    The token must have been read.
    """
    secret: str = settings.PLAYER_TOKEN_KEYS[jwt.get_unverified_header(token)["kid"]]
    return hmac.digest(secret.encode(), b"laurel signed requests " + token.encode(), "sha256")


def read(token: str, *, at: datetime) -> PlayerClaims:
    """Return what a token says.

    Raises:
        InvalidToken: unsigned, of another algorithm or key, expired, or longer-lived than is issued.

    """
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        secret = settings.PLAYER_TOKEN_KEYS.get(kid) if isinstance(kid, str) else None
        if secret is None:
            raise InvalidToken("signed by an unknown key")
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            issuer=settings.PUBLIC_URL,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iat", "aud", "sub", "iss"], "verify_aud": False},
        )
    except (jwt.PyJWTError, ValueError, UnicodeError) as error:
        raise InvalidToken(str(error)) from None
    player, game = parse_id(str(claims["sub"])), parse_id(str(claims["aud"]))
    if player is None or game is None or claims["exp"] - claims["iat"] > LIFETIME.total_seconds():
        raise InvalidToken("claims that this instance does not issue")
    issued_at, ends_at = (datetime.fromtimestamp(claims[name], tz=at.tzinfo) for name in ("iat", "exp"))
    return PlayerClaims(player=player, game=game, issued_at=issued_at, expires_at=ends_at)
