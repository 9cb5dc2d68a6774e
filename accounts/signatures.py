"""Signed requests of players' devices: who overhears one can neither send it again nor make another of it.

A subset of HTTP Message Signatures: three components, one algorithm, and a nonce that counts once. The key comes with
the player token and is never sent back, so that a token alone, read from a log or on its way, writes nothing.
Source: RFC 9421, RFC 9530 (Content-Digest); docs/adr/0063-signed-requests.md.
"""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Final

from django.utils.encoding import escape_uri_path
from rest_framework.request import Request

from accounts import tokens
from accounts.authentication import TokenHolder, holder_of
from core import shifts
from core.db import run_prepared
from core.refusals import Conflict, Forbidden
from core.strict_json import read_body

# As long as a token is taken, and some more: one that has ended sends nothing again.
KEPT: Final = tokens.LIFETIME + timedelta(hours=1)
_AT_ONCE: Final = 1_000
_COMPONENTS: Final = '("@method" "@path" "content-digest")'
_PARAMETER: Final = r';[a-z]+=(?:[0-9]{1,15}|"[A-Za-z0-9+/=_.:-]{1,128}")'
_INPUT: Final = re.compile(
    rf"([a-z][a-z0-9_-]{{0,31}})=({re.escape(_COMPONENTS)}(?:{_PARAMETER})+)", re.ASCII
)
_NONCE: Final = re.compile(r';nonce="([^"]{16,64})"', re.ASCII)
_ALGORITHM: Final = re.compile(r';alg="([^"]*)"', re.ASCII)
_BYTES: Final = re.compile(
    r"([a-z][a-z0-9_-]{0,31})=:([A-Za-z0-9+/]{43}=):", re.ASCII
)  # 32 of them, in Base64

_USE: Final = (
    "INSERT INTO accounts_nonce (digest, used_at) VALUES ($1, now()) ON CONFLICT DO NOTHING RETURNING 1"
)
_WANTED: Final = "SELECT signed_requests FROM accounts_game WHERE id = $1"
_FORGET: Final = """
    WITH gone AS (DELETE FROM accounts_nonce WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM accounts_nonce WHERE used_at < $1 LIMIT $2)) RETURNING 1)
    SELECT count(*) = $2 FROM gone
"""


def require(request: Request) -> None:
    """Refuse what a device sends unsigned to a game that wants signatures, signed wrongly to any, or twice.

    A server's request passes: it is the studio's own. Without an Idempotency-Key the nonce is used up whatever comes of
    the request; with one, together with its effect.

    Raises:
        Forbidden: no signature where one is wanted, or one that does not fit.
        Conflict: the nonce was used before.

    """
    holder = holder_of(request)
    if not isinstance(holder, TokenHolder):
        return
    if "HTTP_SIGNATURE" not in request.META and "HTTP_SIGNATURE_INPUT" not in request.META:
        if run_prepared(_WANTED, [holder.game.id]) == [(True,)]:
            raise Forbidden(
                "This game takes signed requests only from players' devices. Sign it with the `signing_key` that came "
                "with the player token."
            )
        return
    token = request.META["HTTP_AUTHORIZATION"].partition(" ")[2].strip()
    nonce = _verified(request, tokens.signing_key(token))
    if not run_prepared(_USE, [hashlib.sha256(f"{token} {nonce}".encode()).digest()]):
        raise Conflict("This nonce was used before. Sign each attempt anew, with a nonce of its own.")


def signature_base(*, method: str, path: str, digest: str, params: str) -> bytes:
    """Return what is signed: RFC 9421, 2.5, for the components that are taken here."""
    lines = (
        f'"@method": {method}',
        f'"@path": {path}',
        f'"content-digest": {digest}',
        f'"@signature-params": {params}',
    )
    return "\n".join(lines).encode()


def content_digest(body: bytes) -> str:
    """Return a body's Content-Digest."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def keep(*, now: datetime) -> None:
    """Delete nonces whose tokens have ended, in short transactions."""
    while not shifts.is_over() and run_prepared(_FORGET, [now - KEPT, _AT_ONCE])[0][0]:
        pass


def _verified(request: Request, key: bytes) -> str:
    """Return the nonce of a request whose signature fits. Raises Forbidden."""
    told = _INPUT.fullmatch(request.META.get("HTTP_SIGNATURE_INPUT", ""))
    sent = _BYTES.fullmatch(request.META.get("HTTP_SIGNATURE", ""))
    if told is None or sent is None or told[1] != sent[1]:
        raise Forbidden(f"The signature can't be read: it covers {_COMPONENTS} and has a nonce (RFC 9421).")
    nonces, algorithms = _NONCE.findall(told[2]), _ALGORITHM.findall(told[2])
    if len(nonces) != 1 or algorithms not in ([], ["hmac-sha256"]):
        raise Forbidden(
            "The signature has one nonce of 16 to 64 characters, and no other `alg` than hmac-sha256."
        )
    digest = content_digest(read_body(request._request))
    if request.META.get("HTTP_CONTENT_DIGEST") != digest:
        raise Forbidden("Content-Digest is not the SHA-256 of this body (RFC 9530).")
    base = signature_base(
        method=request.method or "", path=escape_uri_path(request.path), digest=digest, params=told[2]
    )
    if not hmac.compare_digest(hmac.digest(key, base, "sha256"), _decoded(sent[2])):
        raise Forbidden("The signature does not fit the request and the token.")
    return str(nonces[0])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
