"""What is kept of a call's body and texts: short, and no secret in it. Pure (docs/adr/0041-the-request-log.md)."""

import ipaddress
import re
from typing import Any, Final

import orjson

LARGEST_READ: Final = 64 * 1024  # bytes; of a larger body only its size is told
LARGEST_KEPT: Final = 2 * 1024  # bytes
LONGEST_TEXT: Final = 200  # characters
MOST_ITEMS: Final = 10  # of a list
MOST_NAMES: Final = 50  # of an object
DEEPEST: Final = 8
HIDDEN: Final = "[hidden]"
_BITS: Final = {4: 24, 6: 48}

# A value under such a name is hidden whatever it is.
_SECRET_NAME = re.compile(
    r"token|secret|passw|passphrase|authori[sz]ation|api[-_ ]?key|credential|signature|cookie|private|session"
    r"|e-?mail|^code$|link[-_ ]?code|^otp$",
    re.IGNORECASE,
)
# Keys and secrets of ours, JWTs, and what follows a scheme of authentication, wherever they stand in a text.
_SECRET = re.compile(
    r"lrl_sk_\w*|whsec_[\w+/=-]*|eyJ[\w-]+\.[\w.-]+|\b(?:bearer|basic)\s+[\w.~+/=-]+",
    re.IGNORECASE | re.ASCII,
)
# Long runs of letters of both cases and digits are somebody's key; ids of things are in lower case or have no digits.
_RUN = re.compile(r"[\w+/=-]{24,}", re.ASCII)
_URL = re.compile(r"(https?://)(?:[^\s/@]*@)?([^\s/?#]+)[^\s]*", re.IGNORECASE)


def hide(text: str) -> str:
    """Return a text without what looks like a credential, and addresses of the web without all but their hosts."""
    text = _URL.sub(r"\1\2/…", text)
    return _RUN.sub(_unless_a_name, _SECRET.sub(HIDDEN, text))


def hide_keys(text: str) -> str:
    """Return a text without keys and tokens of ours: for ids, which may look like anything else."""
    return _SECRET.sub(HIDDEN, text)


def _unless_a_name(found: re.Match[str]) -> str:
    run = found[0]
    looks_random = (
        any(c.isupper() for c in run) and any(c.islower() for c in run) and any(c.isdigit() for c in run)
    )
    return HIDDEN if looks_random else run


def body_copy(body: bytes) -> str:
    """Return a JSON body without secrets, cut to LARGEST_KEPT bytes; nothing of what is not JSON, or too large."""
    if not body or len(body) > LARGEST_READ:
        return ""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return cut(orjson.dumps(_shown(value, 0)).decode(), LARGEST_KEPT)


def cut(text: str, most: int) -> str:
    """Return a text of at most `most` bytes of UTF-8 that PostgreSQL takes; an ellipsis says that it was longer."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    encoded = text.encode(errors="replace")
    return encoded.decode() if len(encoded) <= most else encoded[: most - 3].decode(errors="ignore") + "…"


def address(text: str) -> str:
    """Return the network that an address is in: of IPv4 its first 24 bits, of IPv6 its first 48; nothing of others."""
    try:
        one = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return ""
    mapped = one.ipv4_mapped if isinstance(one, ipaddress.IPv6Address) else None
    one = mapped or one
    return str(ipaddress.ip_network((one, _BITS[one.version]), strict=False))


def _shown(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        text = hide(value[: 4 * LONGEST_TEXT])
        return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
    if isinstance(value, dict | list) and depth >= DEEPEST:
        return "…"
    if isinstance(value, list):
        more = [f"… {len(value) - MOST_ITEMS:,} more"] if len(value) > MOST_ITEMS else []
        return [_shown(inner, depth + 1) for inner in value[:MOST_ITEMS]] + more
    if isinstance(value, dict):
        return {
            hide(name[:LONGEST_TEXT]): HIDDEN if _SECRET_NAME.search(name) else _shown(inner, depth + 1)
            for name, inner in list(value.items())[:MOST_NAMES]
        }
    return value
