"""Which addresses a webhook may go to: what server-side request forgery would use is refused (OWASP SSRF).

A URL is read strictly, once, and only what is left of it is ever used: another reader of the same text might see
another host in it. Addresses are judged as integers, and those that carry an IPv4 address by that one, since Python's
own `is_global` takes several of them for public.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2048
PORTS = frozenset({443, 8443})
# Printable ASCII without what other readers of URLs take for something else: `\`, `@`, `#`, quotes, brackets.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<rest>(?:[/?][A-Za-z0-9/?:,;.~_!$&'()*+=%|-]*)?)",
    re.ASCII | re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
# A last label that is a number makes the host an address in some reader's eyes (127.1, 0x7f.1, 2130706433).
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
# Names that are of one machine or one network only (RFC 6761, 6762, 8375, 9476, and clouds' own).
_LOCAL = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "private"}
    | {"home.arpa", "test", "invalid", "onion", "alt"}
)
_LARGEST_PORT = 65_535


class NotAllowed(Exception):
    """A webhook may not go there; the message says why and is for the studio's eyes."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator allows beyond the rules.

    Attributes:
        networks: addresses that are allowed although they are not public.
        ports: those that are taken.
        plain: whether http is taken besides https.
        own_hosts: names of this instance, which is no receiver of its own messages.

    """

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = PORTS
    plain: bool = False
    own_hosts: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, networks: Iterable[str], ports: Iterable[int], *, plain: bool, own_hosts: Collection[str]
    ) -> "Policy":
        """Make a policy of settings' texts. Raises ValueError."""
        return cls(
            networks=tuple(ip_network(network) for network in networks),
            ports=PORTS | frozenset(ports),
            plain=plain,
            own_hosts=frozenset(host.lower() for host in own_hosts),
        )


@dataclass(frozen=True, slots=True)
class Target:
    """A URL's parts, as they are used; `host` is a name in lower case, or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The URL in its one form."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _default_port(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def address(self) -> Address | None:
        """The host, if it is an address."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None


def read(url: str, policy: Policy) -> Target:
    """Return where a URL leads, by its text alone. Raises NotAllowed."""
    if len(url) > LONGEST_URL:
        raise NotAllowed(f"It has more than {LONGEST_URL} characters.")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise NotAllowed(
            "It is no plain web address: https://, a host name in ASCII (punycode for others), and a path; "
            "without user name, fragment, spaces or backslashes."
        )
    scheme, host = parts["scheme"].lower(), parts["host"].lower().strip("[]")
    if scheme != "https" and not policy.plain:
        raise NotAllowed("It must begin with https://.")
    port = int(parts["port"] or _default_port(scheme))
    if port > _LARGEST_PORT or (port not in policy.ports and port != _default_port(scheme)):
        taken = ", ".join(str(each) for each in sorted(policy.ports))
        raise NotAllowed(f"Port {port} is not taken; these are: {taken}.")
    rest = parts["rest"]
    target = Target(scheme, host, port, rest if rest.startswith("/") else f"/{rest}")
    if len(target.url) > LONGEST_URL:
        raise NotAllowed(f"Written out, it has more than {LONGEST_URL} characters.")
    _check_host(target, bracketed=parts["host"].startswith("["), policy=policy)
    return target


def without_query(url: str) -> str:
    """Return an address without its query, where a receiver may have put a secret of his."""
    return url.partition("?")[0].partition("#")[0]


def check(addresses: Collection[Address], policy: Policy) -> None:
    """Refuse a name if any of its addresses is not public: one of several would be chosen by chance.

    Raises NotAllowed.
    """
    refused = next((address for address in addresses if not is_allowed(address, policy)), None)
    if refused is not None:
        raise NotAllowed(f"Its host leads to {refused}, which is no public address.")


def is_allowed(address: Address, policy: Policy) -> bool:
    """Say whether messages may go to an address."""
    inner = _unwrapped(address)
    if any(
        each in network
        for each in (address, inner)
        for network in policy.networks
        if network.version == each.version
    ):
        return True
    return all(not _is_in(each, _REFUSED[each.version]) for each in (address, inner))


def _check_host(target: Target, *, bracketed: bool, policy: Policy) -> None:
    address = target.address
    if bracketed != isinstance(address, IPv6Address):
        raise NotAllowed("Its host is no address that can be read.")
    if address is not None:
        if str(address) != target.host:
            raise NotAllowed("Its host is an address in an unusual form.")
        if not any(address in network for network in policy.networks if network.version == address.version):
            raise NotAllowed("Its host must be a name, not an address.")
        return
    labels = target.host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or _NUMBER.fullmatch(labels[-1]):
        raise NotAllowed("Its host is no name that can be read.")
    if len(labels) == 1 or labels[-1] in _LOCAL or ".".join(labels[-2:]) in _LOCAL:
        raise NotAllowed("Its host is a name of a private network.")
    if target.host in policy.own_hosts:
        raise NotAllowed("It is this platform's own address.")


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address carries and a gateway would send on to; else itself."""
    if isinstance(address, IPv4Address):
        return address
    value = int(address)
    for prefix, shift in _CARRIERS:
        if address in prefix:
            return IPv4Address((value >> shift) & 0xFFFFFFFF)
    if address in _TEREDO:
        return IPv4Address(~value & 0xFFFFFFFF)
    return address


def _is_in(address: Address, ranges: Iterable[tuple[int, int]]) -> bool:
    value = int(address)
    return any(first <= value <= last for first, last in ranges)


def _ranges(networks: Iterable[str]) -> tuple[tuple[int, int], ...]:
    found = (ip_network(network) for network in networks)
    return tuple((int(network[0]), int(network[-1])) for network in found)


# What carries an IPv4 address, and how many bits lie behind it: v4-mapped, v4-translated, v4-compatible, NAT64
# (RFC 6052, then 8215), 6to4.
_CARRIERS = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
)
_TEREDO = IPv6Network("2001::/32")
# IANA's special-purpose registries for IPv4 and IPv6: all that is not ordinary unicast on the public internet. What
# carries an IPv4 address through a gateway is refused whatever it carries: no receiver needs it.
_REFUSED = {
    4: _ranges(
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        )
    ),
    6: (
        # Only 2000::/3 is given out as global unicast; everything else is special or nobody's.
        (0, int(IPv6Address("2000::")) - 1),
        (int(IPv6Address("4000::")), 2**128 - 1),
        *_ranges(("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")),
    ),
}
