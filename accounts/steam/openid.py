"""OpenID 2.0 as Steam speaks it, without an association: what a browser brings back is shown to Steam to confirm.

Source: OpenID Authentication 2.0, sections 9.1, 10, 11; https://partner.steamgames.com/doc/features/auth#website.
"""

import re
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import urlencode

ENDPOINT: Final = "https://steamcommunity.com/openid/login"
_NAMESPACE: Final = "http://specs.openid.net/auth/2.0"
_ANYBODY: Final = "http://specs.openid.net/auth/2.0/identifier_select"
_STEAM_ID: Final = re.compile(r"https?://steamcommunity\.com/openid/id/([0-9]{17})")
# What has to be under Steam's signature, or somebody could have changed it on the way.
_SIGNED: Final = frozenset(
    {"op_endpoint", "claimed_id", "identity", "return_to", "response_nonce", "assoc_handle"}
)
_TIMEOUT_S: Final = 10
_LONGEST: Final = 2_000


class NotConfirmed(Exception):
    """What came back is not Steam's answer to what was asked."""


class Http(Protocol):
    """What asks Steam: a session of `requests`."""

    def post(self, url: str, *, data: Mapping[str, str], timeout: float, allow_redirects: bool) -> "Answer":
        """Send a form."""


class Answer(Protocol):
    """An answer of Steam."""

    @property
    def status_code(self) -> int:
        """Its status."""

    @property
    def text(self) -> str:
        """Its body."""


def ask(*, return_to: str, realm: str) -> str:
    """Return the address at which Steam asks who somebody is, and whether this site may know."""
    asked = {
        "ns": _NAMESPACE,
        "mode": "checkid_setup",
        "return_to": return_to,
        "realm": realm,
        "identity": _ANYBODY,
        "claimed_id": _ANYBODY,
    }
    return f"{ENDPOINT}?{urlencode({f'openid.{name}': value for name, value in asked.items()})}"


def steam_id(brought: Mapping[str, str], *, return_to: str, http: Http) -> str:
    """Return the Steam id that an answer is about, once Steam has confirmed it. Raises NotConfirmed."""
    told = {
        name.removeprefix("openid."): value for name, value in brought.items() if name.startswith("openid.")
    }
    found = _STEAM_ID.fullmatch(told.get("claimed_id", ""))
    is_ours = (
        told.get("ns") == _NAMESPACE
        and told.get("mode") == "id_res"
        and told.get("op_endpoint") == ENDPOINT
        and told.get("return_to") == return_to
        and told.get("identity") == told.get("claimed_id")
        and set(told.get("signed", "").split(",")) >= _SIGNED
        and all(len(value) <= _LONGEST for value in told.values())
    )
    if not is_ours or found is None or not _is_confirmed(told, http):
        raise NotConfirmed
    return found[1]


def _is_confirmed(told: Mapping[str, str], http: Http) -> bool:
    """Let Steam say whether it said so; it says so once."""
    form = {f"openid.{name}": value for name, value in told.items()} | {"openid.mode": "check_authentication"}
    answer = http.post(ENDPOINT, data=form, timeout=_TIMEOUT_S, allow_redirects=False)
    lines = answer.text[:_LONGEST].splitlines() if answer.status_code == 200 else []
    return f"ns:{_NAMESPACE}" in lines and "is_valid:true" in lines
