"""Names of receivers and the addresses that they lead to: looked up in DNS alone, and judged before use.

The system's own look-up is not asked: it reads numbers in many forms as addresses, and a file of local names.
"""

import asyncio
import socket
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
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

from webhooks.rules import targets
from webhooks.rules.targets import Address, Policy

LOOKED_UP_WITHIN_S = 5.0
_MOST_ADDRESSES = 64
_MOST_NAMES = 10_000
_KINDS = (("A", socket.AF_INET), ("AAAA", socket.AF_INET6))


class NoAddress(Exception):
    """A name that leads nowhere now: it does not exist, or its servers do not answer."""


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
    """Return all of a name's addresses, all of them looked up within that time. Raises NoAddress."""
    resolver = _configured(dns.resolver.Resolver)
    found: list[Address] = []
    until = time.monotonic() + within_s
    for kind, _ in _KINDS:
        left_s = max(0.0, until - time.monotonic())
        try:
            answer = resolver.resolve(_absolute(host), kind, lifetime=left_s, raise_on_no_answer=False)
        except dns.exception.DNSException as error:
            raise NoAddress(_said(error)) from None
        found += _read(answer)
    return _some(found)


class CheckedResolver(AbstractResolver):
    """Looks names up for aiohttp, which connects to what is returned here and to nothing else."""

    def __init__(self, allowed: Policy) -> None:
        """Use the system's name servers, or those of the settings."""
        self._policy = allowed
        self._resolver = _configured(dns.asyncresolver.Resolver)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return a name's addresses. Raises NotAllowed, NoAddress."""
        found = await self._addresses(host)
        targets.check(found, self._policy)
        return [_result(host, address, port) for address in found]

    async def close(self) -> None:
        """Have nothing to close."""

    async def _addresses(self, host: str) -> list[Address]:
        asked = [
            self._resolver.resolve(
                _absolute(host), kind, lifetime=LOOKED_UP_WITHIN_S, raise_on_no_answer=False
            )
            for kind, _ in _KINDS
        ]
        try:
            answers = await asyncio.gather(*asked)
        except dns.exception.DNSException as error:
            raise NoAddress(_said(error)) from None
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
        raise NoAddress(_said(error)) from None


def _read(answer: Iterable[Any]) -> list[Address]:
    return [ip_address(record.address) for record in answer]


def _some(found: list[Address]) -> list[Address]:
    if not found:
        raise NoAddress("The name has no address.")
    if len(found) > _MOST_ADDRESSES:
        raise NoAddress("The name has too many addresses.")
    return found


def _said(error: Exception) -> str:
    return str(error).split("\n")[0][:300] or type(error).__name__


def _result(host: str, address: Address, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=str(address),
        port=port,
        family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST,
    )
