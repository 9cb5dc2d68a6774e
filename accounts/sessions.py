"""Players' sessions in browsers: a random secret in a cookie, of which the hash is kept.

A game begins one with a player token of its studio's; a page of a signed-in account begins one by itself, which ends
with that login (ADR 0051). Nothing of the API takes the cookie (core/middleware.py); pages and live connections do.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.models import Dismissal, PlayerIdentity, PlayerSession
from core import shifts
from core.db import run_prepared

LIFETIME = timedelta(days=30)
DISMISSALS_KEPT = timedelta(days=1)
_LONGEST_SECRET = 100
_LONGEST_AGENT = 200
_MOST = 20  # sessions of a player; the oldest go
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Who is signed in by a cookie.

    Attributes:
        studio_id: whose token it was begun with; None for who signed in himself.
        login: what `login_of` said of the login that it ends with; None for a studio's.

    """

    id: int
    player_id: int
    player_uuid: UUID
    studio_id: int | None
    login: bytes | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Dismissed:
    """Somebody whose connections are to be closed.

    Attributes:
        kind: why; one of Dismissal.Kind.
        tokens_from: tokens that were issued before are revoked.

    """

    kind: str
    player_id: int
    studio_id: int | None
    session_id: int | None
    tokens_from: datetime | None


def begin(*, player_id: int, studio_id: int, user_agent: str, at: datetime) -> str:
    """Begin a session by a studio's token; return the secret for its cookie.

    A player's oldest ones end when they become too many.
    """
    return _begun(player_id=player_id, studio_id=studio_id, agent=user_agent, at=at, until=at + LIFETIME)


def hold_studio(*, player_id: int, studio_id: int) -> None:
    """Let a studio that bans a player, or revokes his tokens, wait until the caller's transaction is over."""
    ids = PlayerIdentity.objects.filter(player_id=player_id, studio_id=studio_id).order_by("pk")
    list(ids.select_for_update(of=("self",)).values_list("pk", flat=True))


def begin_of_login(*, player_id: int, login: bytes, user_agent: str, at: datetime, until: datetime) -> str:
    """Begin the session of who signed in himself, until his login ends; return the secret for its cookie.

    The caller holds the login (accounts/logins.py), inside a transaction: else this could begin as that ends.
    """
    until = min(until, at + LIFETIME)
    return _begun(player_id=player_id, login=login, agent=user_agent, at=at, until=until)


def login_of(session_key: str) -> bytes:
    """Return what is kept of a login session's key, which is a secret itself."""
    return _hash(session_key)


def _begun(
    *,
    player_id: int,
    studio_id: int | None = None,
    login: bytes | None = None,
    agent: str,
    at: datetime,
    until: datetime,
) -> str:
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        PlayerSession.objects.create(
            player_id=player_id,
            studio_id=studio_id,
            login=login,
            hash=_hash(secret),
            user_agent=agent[:_LONGEST_AGENT],
            created_at=at,
            expires_at=until,
        )
        living = PlayerSession.objects.filter(player_id=player_id, ended_at=None)
        _end(list(living.order_by("-pk").values_list("pk", flat=True)[_MOST:]), at=at)
    return secret


def end(secret: str, *, at: datetime) -> None:
    """End a session, if there is one with that secret; its connections close within seconds."""
    with transaction.atomic():
        _end(list(PlayerSession.objects.filter(hash=_hash(secret)).values_list("pk", flat=True)), at=at)


def end_of_logins(logins: Iterable[bytes], *, at: datetime) -> None:
    """End what belongs to logins that end."""
    with transaction.atomic():
        mine = PlayerSession.objects.filter(login__in=list(logins))
        _end(list(mine.values_list("pk", flat=True)), at=at)


def end_of_account(player_id: int, *, at: datetime) -> None:
    """End all that a player began by signing in himself: his password is another now."""
    with transaction.atomic():
        mine = PlayerSession.objects.filter(player_id=player_id, login__isnull=False)
        _end(list(mine.values_list("pk", flat=True)), at=at)


def end_of_studio(*, player_id: int, studio_id: int, why: Dismissal.Kind, at: datetime) -> None:
    """End what a player has by a studio that bans him or revokes his tokens, inside the caller's transaction."""
    mine = PlayerSession.objects.filter(player_id=player_id, studio_id=studio_id)
    _end(list(mine.values_list("pk", flat=True)), at=at)
    Dismissal.objects.create(kind=why, player_id=player_id, studio_id=studio_id)


def dismiss(player_id: int, *, studio_id: int | None = None) -> None:
    """Close all connections of a player who is no more, or is none of one studio's, inside the caller's transaction."""
    Dismissal.objects.create(kind=Dismissal.Kind.PLAYER, player_id=player_id, studio_id=studio_id)


def _end(pks: list[int], *, at: datetime) -> None:
    ended = PlayerSession.objects.filter(pk__in=pks, ended_at=None)
    rows = list(ended.select_for_update().order_by("pk"))
    ended.update(ended_at=at)
    Dismissal.objects.bulk_create(
        Dismissal(kind=Dismissal.Kind.SESSION, player_id=row.player_id, session_id=row.pk) for row in rows
    )


_HOLDER = """
SELECT s.id, p.id, p.uuid, s.studio_id, s.login, s.expires_at
  FROM accounts_playersession s JOIN accounts_player p ON p.id = s.player_id
 WHERE s.hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND p.erased_at IS NULL
"""


def holder(secret: str, *, at: datetime) -> SessionInfo | None:
    """Return who is signed in by a cookie; None if its session has ended, or was never begun."""
    if not secret or len(secret) > _LONGEST_SECRET or not secret.isascii():
        return None
    rows = run_prepared(_HOLDER, [_hash(secret), at])
    if not rows:
        return None
    pk, player_id, uuid, studio_id, login, expires_at = rows[0]
    return SessionInfo(pk, player_id, uuid, studio_id, None if login is None else bytes(login), expires_at)


# Of what a studio has taken back meanwhile (a ban) nothing is left to do.
_DISMISSED = """
SELECT d.kind, d.player_id, d.studio_id, d.session_id, x.tokens_from
  FROM accounts_dismissal d
  LEFT JOIN LATERAL (SELECT banned_at, tokens_from FROM accounts_playeridentity i
                      WHERE i.player_id = d.player_id AND i.studio_id = d.studio_id ORDER BY i.id LIMIT 1) AS x ON true
 WHERE d.at > now() - make_interval(secs => $1) AND (d.kind <> 'ban' OR x.banned_at IS NOT NULL)
"""


def dismissed(*, within_s: int) -> list[Dismissed]:
    """Return whose connections are to be closed, as of the last seconds."""
    return [Dismissed(*row) for row in run_prepared(_DISMISSED, [within_s])]


_FORGET = """
WITH gone AS (
    DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {column} < $1 LIMIT $2) RETURNING 1
) SELECT count(*) FROM gone
"""


def keep(*, now: datetime) -> None:
    """Delete what is over: dismissals after a day, sessions a while after their end, in short transactions."""
    for table, column, before in (
        ("accounts_dismissal", "at", now - DISMISSALS_KEPT),
        ("accounts_playersession", "expires_at", now - LIFETIME),
    ):
        sql = _FORGET.format(table=table, column=column)
        while not shifts.is_over() and run_prepared(sql, [before, _AT_ONCE])[0][0]:
            pass


def _hash(secret: str) -> bytes:
    """Return what is stored of a secret; it holds 256 random bits, so a fast hash can't be searched."""
    return hashlib.sha256(secret.encode()).digest()
