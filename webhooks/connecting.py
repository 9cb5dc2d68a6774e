"""What aiohttp may connect to: the addresses that a name leads to now, if all of them are allowed."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from webhooks.resolving import Names
from webhooks.rules import targets
from webhooks.rules.targets import Address, Policy


class CheckedResolver(AbstractResolver):
    """Looks names up for aiohttp, which connects to what is returned here and to nothing else."""

    def __init__(self, allowed: Policy) -> None:
        """Judge by a policy."""
        self._policy = allowed
        self._names = Names()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return a name's addresses. Raises NotAllowed, NoAddress, LeadsNowhere."""
        found = await self._names.addresses(host)
        targets.check(found, self._policy)
        return [_result(host, address, port) for address in found]

    async def close(self) -> None:
        """Have nothing to close."""


def _result(host: str, address: Address, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=str(address),
        port=port,
        family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST,
    )
