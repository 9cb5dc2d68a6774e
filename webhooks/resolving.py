"""Names of receivers and the addresses that they lead to: looked up in DNS alone, and judged before use.

The system's own look-up is not asked: it reads numbers in many forms as addresses, and a file of local names.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from django.conf import settings

from webhooks.rules.targets import Address, Policy

LOOKED_UP_WITHIN_S = 5.0
_MOST_ADDRESSES = 64
_MOST_NAMES = 10_000
_KINDS = ("A", "AAAA")


class NoAddress(Exception):
    """A name's addresses could not be learned now: the name servers do not answer, or with an error of theirs."""


class LeadsNowhere(NoAddress):
    """DNS answered, and the name has no address to send to: it does not exist, or says nothing of use."""


@cache
def policy() -> Policy:
    """Return what this instance's operator allows."""
    hosts = {urlsplit(url).hostname or "" for url in (settings.PUBLIC_URL, settings.LIVE_URL)}
    return Policy.of(
        settings.WEBHOOK_ALLOWED_NETWORKS,
        settings.WEBHOOK_PORTS,
        plain=settings.WEBHOOK_PLAIN_HTTP,
        own_hosts=hosts - {""},
    )


def addresses_now(host: str, *, within_s: float) -> list[Address]:
    """Return all of a name's addresses, all of them looked up within that time. Raises NoAddress, LeadsNowhere."""
    resolver = _configured(dns.resolver.Resolver)
    found: list[Address] = []
    until = time.monotonic() + within_s
    for kind in _KINDS:
        left_s = max(0.0, until - time.monotonic())
        try:
            answer = resolver.resolve(_absolute(host), kind, lifetime=left_s, raise_on_no_answer=False)
        except dns.exception.DNSException as error:
            raise _failure(error) from None
        found += _read(answer)
    return _some(found)


class Names:
    """Looks names up without holding up its event loop."""

    def __init__(self) -> None:
        """Use the system's name servers, or those of the settings."""
        self._resolver = _configured(dns.asyncresolver.Resolver)

    async def addresses(self, host: str) -> list[Address]:
        """Return all of a name's addresses. Raises NoAddress, LeadsNowhere."""
        name = _absolute(host)
        asked = [
            self._resolver.resolve(name, kind, lifetime=LOOKED_UP_WITHIN_S, raise_on_no_answer=False)
            for kind in _KINDS
        ]
        try:
            answers = await asyncio.gather(*asked)
        except dns.exception.DNSException as error:
            raise _failure(error) from None
        return _some([address for answer in answers for address in _read(answer)])


def _configured(kind: type[Any]) -> Any:
    """Return a resolver of the system's name servers, or of those that the settings name."""
    servers: Sequence[str] = settings.WEBHOOK_NAME_SERVERS
    if not servers:
        made = kind()
    else:
        made = kind(configure=False)
        made.nameservers = [_name_server(server) for server in servers]
    made.cache = dns.resolver.LRUCache(_MOST_NAMES)  # as long as each answer says; judged anew at every use
    return made


def _name_server(text: str) -> Any:
    host, _, port = text.partition(":")
    return dns.nameserver.Do53Nameserver(str(ip_address(host)), int(port or 53))


def _absolute(host: str) -> dns.name.Name:
    """Return the name as it stands: no search path of the system is added to it."""
    try:
        return dns.name.from_text(host, dns.name.root)
    except dns.exception.DNSException as error:
        raise LeadsNowhere(_said(error)) from None


def _failure(error: dns.exception.DNSException) -> NoAddress:
    """Return what a look-up's failure says: of the name only where a server answered that there is none such.

    A server that can't tell (SERVFAIL, REFUSED) or is silent may be ours, and so says nothing of the receiver.
    """
    if isinstance(error, dns.resolver.NXDOMAIN):
        return LeadsNowhere("The name does not exist.")
    return NoAddress(_said(error))


def _read(answer: Iterable[Any]) -> list[Address]:
    return [ip_address(record.address) for record in answer]


def _some(found: list[Address]) -> list[Address]:
    if not found:
        raise LeadsNowhere("The name has no address.")
    if len(found) > _MOST_ADDRESSES:
        raise LeadsNowhere("The name has too many addresses.")
    return found


def _said(error: Exception) -> str:
    return str(error).split("\n")[0][:300] or type(error).__name__
