"""Idempotency-Key: the same key and body answer the same again for seven days.

The key is kept in the transaction of the effect, so there is never one without the other.
Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import re
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Any, cast

from django.db import connection, transaction
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from core.refusals import Conflict, Invalid, Malformed
from core.rendering import dumps
from core.strict_json import read_body

KEPT_DAYS = 7
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


def once(
    request: Request,
    *args: Any,
    run: Callable[..., HttpResponse],
    secrets: Collection[str] = (),
    **kwargs: Any,
) -> HttpResponse:
    """Run the operation, or answer again what it answered under this key, but for `secrets`, which nobody keeps.

    Raises:
        Malformed: the key is not 1 to 255 printable ASCII characters.
        Invalid: the key was used for another request.
        Conflict: a request with this key is still running.

    """
    key = request.META["HTTP_IDEMPOTENCY_KEY"]
    if not _KEY.fullmatch(key):
        raise Malformed("Idempotency-Key takes 1 to 255 printable ASCII characters.")
    caller: str = cast("Any", request.auth).caller
    fingerprint = _fingerprint(request)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{caller} {key}"])
        if not cursor.fetchone()[0]:
            raise Conflict(
                "A request with this Idempotency-Key is still running.", headers={"Retry-After": "1"}
            )
        cursor.execute(
            "SELECT fingerprint, status, body FROM core_idempotencykey"
            " WHERE caller = %s AND key = %s AND created_at > now() - make_interval(days => %s)",
            [caller, key, KEPT_DAYS],
        )
        kept = cursor.fetchone()
        if kept:
            return _again(kept, fingerprint)
        response = run(request, *args, **kwargs)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            transaction.set_rollback(True)
            return response
        cursor.execute(
            "INSERT INTO core_idempotencykey (caller, key, fingerprint, status, body, created_at)"
            " VALUES (%s, %s, %s, %s, %s, now()) ON CONFLICT (caller, key) DO UPDATE SET"
            " fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body, created_at = now()",
            [caller, key, fingerprint, response.status_code, _body(response, secrets)],
        )
    return response


def _fingerprint(request: Request) -> bytes:
    body = read_body(request._request, limit=cast("Any", request.parsers)[0].max_bytes)
    if body:
        request.data  # noqa: B018 - the parser keeps it; what it refuses is refused here
    whole = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if game_id := getattr(request.auth, "game_id", None):
        # A key of one game is never answered what another key of its studio was.
        whole.update(f"{game_id}\n".encode())
    whole.update(body)
    return whole.digest()


def _body(response: HttpResponse, secrets: Collection[str]) -> bytes:
    if not isinstance(response, Response):
        return response.content
    if response.data is None:
        return b""
    kept = (
        {name: value for name, value in response.data.items() if name not in secrets}
        if secrets
        else response.data
    )
    return dumps(kept)


def _again(kept: tuple[Any, int, Any], fingerprint: bytes) -> HttpResponse:
    first, status, body = kept
    if bytes(first) != fingerprint:
        raise Invalid("This Idempotency-Key was used for another request. Use a new key for a new request.")
    response = HttpResponse(bytes(body), status=status, content_type="application/json")
    if not body:
        del response["Content-Type"]
    response["Idempotent-Replayed"] = "true"
    return response
