"""Notes how calls of the API ended, in the process's memory: a request waits for nothing here."""

import random
import time
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from accounts import keys
from accounts.calls import redacting
from accounts.calls.notebook import FAILED, FIRST_REFUSAL, OK, REFUSED, Noted, Owner, notebook
from accounts.calls.repeating import as_documented
from core import clock
from core.client_address import client_address
from core.middleware import GetResponse
from core.refusals import Gone, Told

SAMPLED: Final = 100  # one success of so many is noted
_SAMPLE: Final = 1 / SAMPLED
_FIRST_FAILURE: Final = 500
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LONGEST_PATH: Final = 500


def request_log(get_response: GetResponse) -> GetResponse:
    """Note the calls of whoever is known: the views' authentication leaves word of him with the request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return get_response(request)
        began = time.perf_counter()
        response = get_response(request)
        holder = getattr(request, "holder", None)
        if response.status_code >= FIRST_REFUSAL:
            _note_refusal(request, response, holder, began)
        elif holder is not None:
            if random.random() < _SAMPLE:  # noqa: S311 - nobody gains by guessing it
                notebook.note(_noted(request, response, holder.studio_id, holder, began), OK)
            else:
                notebook.count(holder.studio_id, OK)
        return response

    return middleware


def _note_refusal(request: HttpRequest, response: HttpResponse, holder: Any, began: float) -> None:
    owner = _by_key(request) if holder is None else holder.studio_id
    if owner is not None:
        ending = REFUSED if response.status_code < _FIRST_FAILURE else FAILED
        notebook.note(_noted(request, response, owner, holder, began), ending)


def _by_key(request: HttpRequest) -> Owner | None:
    """Return the hash of the server key that a request came with, which may be known though it was refused."""
    scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    key = key.strip()
    return keys.key_hash(key) if scheme.lower() == "bearer" and keys.is_well_formed(key) else None


def _noted(request: HttpRequest, response: HttpResponse, owner: Owner, holder: Any, began: float) -> Noted:
    match = request.resolver_match
    is_refused = response.status_code >= FIRST_REFUSAL
    body: bytes = getattr(request, "laurel_body", b"") if is_refused else b""
    told: Told = getattr(response, "told", None) or Told()
    # Whoever was erased is not noted again by those who still send his name.
    is_of_nobody = told.slug == Gone.slug
    body = b"" if is_of_nobody else body
    is_json = "json" in request.META.get("CONTENT_TYPE", "") and len(body) <= redacting.LARGEST_READ
    return Noted(
        at=clock.now().timestamp(),
        owner=owner,
        key_id=getattr(holder, "key_id", None),
        game=_game(holder) or (match.kwargs.get("game_id") if match else None),
        method=request.method if request.method in _METHODS else "OTHER",
        route=as_documented(match.route) if match else "",
        path="" if is_of_nobody else request.path[:_LONGEST_PATH],
        status=response.status_code,
        told=told,
        weight=1 if is_refused else SAMPLED,
        duration_us=int((time.perf_counter() - began) * 1e6),
        request_id=getattr(request, "request_id", ""),
        address=client_address(request),
        body=body if is_json else b"",
        body_bytes=len(body),
    )


def _game(holder: Any) -> Any:
    """Return the game of a key or a player token, by its public id."""
    game = getattr(holder, "game", None)
    return getattr(holder, "game_uuid", None) if game is None else game.uuid
