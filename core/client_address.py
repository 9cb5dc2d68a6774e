"""Where a request comes from: of whom requests are counted that say nothing else of themselves."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

_IPV6_HOME: Final = 64  # bits of an address that one household has to itself (RFC 6177)


def client_address(request: HttpRequest | Request) -> str:
    """Return the client's address as the server or its proxy says it (CLIENT_ADDRESS_VARIABLE); empty for none."""
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> str:
    """Return the same of a request that is not read yet, by its environment (WSGI)."""
    address: str = environ.get(settings.RATELIMIT_IP_META_KEY) or environ.get("REMOTE_ADDR", "")
    return address.strip()


def counted_address(request: HttpRequest | Request) -> str:
    """Return what stands for the client where it is counted: its address, and of IPv6 its network.

    Who has one IPv6 address has 2^64 of them. What is no address is counted together, as `unknown`.
    """
    return _counted(client_address(request))


def counted_address_in(environ: Mapping[str, Any]) -> str:
    """Return the same of a request that is not read yet."""
    return _counted(address_in(environ))


@lru_cache(maxsize=4096)  # each body that is read is counted: 5 µs otherwise
def _counted(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:  # as servers say it that listen to both
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_HOME), strict=False))
    return str(address)
