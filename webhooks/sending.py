"""One attempt to deliver: a POST to a checked address, answered within 15 s, of which 64 KiB are read and 4 kept."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from types import TracebackType
from typing import Self

import aiohttp
from django.conf import settings
from yarl import URL

from core import clock
from webhooks import connecting, resolving
from webhooks.queue import Outcome
from webhooks.rules import targets
from webhooks.rules.targets import NotAllowed, Policy

WITHIN_S = 15.0
READ_AT_MOST = 64 * 1024
_HEADERS_AT_MOST = 8190  # bytes of a header; a receiver has nothing to say in more
_KEPT_HEADERS, _KEPT_HEADER_BYTES = 50, 16 * 1024
_KEPT_BODY_BYTES = 4 * 1024  # of each attempt, of which a studio may ask for 100,000 at once
USER_AGENT = "Laurel-Webhooks/1"


class Sender:
    """The connections to receivers, kept alive while they are in use."""

    def __init__(self, policy: Policy) -> None:
        """Open nothing yet."""
        self._policy = policy
        connector = aiohttp.TCPConnector(
            resolver=connecting.CheckedResolver(policy),
            use_dns_cache=False,  # an address is judged when it is connected to
            limit=0,  # the sender counts what is under way
            ssl=_tls(),
            keepalive_timeout=15,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=WITHIN_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # what is small may unpack to gigabytes
            trust_env=False,  # a proxy of the environment would connect for us, unchecked
            max_line_size=_HEADERS_AT_MOST,
            max_field_size=_HEADERS_AT_MOST,
            read_bufsize=READ_AT_MOST,
        )

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._session.close()

    async def post(self, url: str, *, body: bytes, headers: dict[str, str]) -> Outcome:
        """Send once, and say what became of it; nothing is raised for a receiver's sake."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        status: int | None = None
        error, answered, said = "", dict[str, str](), b""
        wish = None
        try:
            target = targets.read(url, self._policy)  # the rules may have changed since it was saved
            async with self._session.post(
                URL(target.url, encoded=True),
                data=body,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": USER_AGENT,
                    "Accept": "*/*",
                    "Accept-Encoding": "identity",
                    **headers,
                },
                allow_redirects=False,
            ) as response:
                status = response.status
                answered = _kept(response.headers)
                wish = retry_after(response.headers.get("Retry-After"), at=clock.now())
                said = await _read(response)
                if not 200 <= status < 300:
                    error = f"status: The receiver answered {status}."
        except (aiohttp.ClientError, NotAllowed, resolving.NoAddress, OSError, ValueError) as failure:
            error = _why(failure)
        return Outcome(
            status, error, round((loop.time() - began) * 1000), answered, said[:_KEPT_BODY_BYTES], wish
        )


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the first headers of an answer, as many as are kept of one."""
    kept, room = dict[str, str](), _KEPT_HEADER_BYTES
    for name, value in islice(headers.items(), _KEPT_HEADERS):
        room -= len(name) + len(value)
        if room < 0:
            break
        kept[name] = value
    return kept


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the beginning of an answer; of a longer one the connection is closed."""
    read = bytearray()
    while len(read) < READ_AT_MOST:
        chunk = await response.content.read(READ_AT_MOST - len(read))
        if not chunk:
            return bytes(read)
        read += chunk
    response.close()
    return bytes(read)


def _tls() -> ssl.SSLContext:
    """Return how certificates are verified: the system's authorities, and an operator's own."""
    context = ssl.create_default_context()
    if settings.WEBHOOK_CA_FILE:
        context.load_verify_locations(settings.WEBHOOK_CA_FILE)
    return context


def _why(failure: BaseException) -> str:
    """Return why an attempt failed: a word for machines, and a sentence for the studio."""
    cause = _cause(failure)
    if isinstance(cause, NotAllowed):
        return f"blocked-address: {cause}"
    if isinstance(cause, resolving.LeadsNowhere):
        return f"no-address: {cause}"
    if isinstance(cause, resolving.NoAddress):
        return f"dns: {cause}"
    if isinstance(cause, TimeoutError):
        return f"timeout: There was no whole answer within {WITHIN_S:.0f} seconds."
    if isinstance(cause, (ssl.SSLError, ssl.CertificateError, aiohttp.ClientSSLError)):
        return f"tls: {_sentence(cause)}"
    if isinstance(cause, aiohttp.ClientConnectorError):
        return f"connect: {_sentence(cause.os_error)}"  # aiohttp's own words speak of TLS where there is none
    if isinstance(cause, ConnectionError):
        return f"connect: {_sentence(cause)}"
    return f"protocol: {_sentence(cause)}"


def _cause(failure: BaseException) -> BaseException:
    """Return what of ours lies behind an error of aiohttp's."""
    seen: BaseException | None = failure
    while seen is not None:
        if isinstance(seen, (NotAllowed, resolving.NoAddress)):
            return seen
        seen = seen.__cause__ or seen.__context__
    return failure


def _sentence(error: BaseException) -> str:
    return (str(error).split("\n")[0] or type(error).__name__)[:300]


def retry_after(text: str | None, *, at: datetime) -> timedelta | None:
    """Return how long a receiver asks to be left alone (RFC 9110 §10.2.3); None for nothing that can be read."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if until.tzinfo is None:
        return None
    return max(timedelta(), until - at)
