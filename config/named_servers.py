"""The servers that the environment names instead of ours: whether something listens there, before anything starts."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from config.processes import CannotStart

ANSWERS_WITHIN_S = 5.0
_POSTGRES = {"postgres": 5432, "postgresql": 5432}
_VALKEY = {"redis": 6379, "rediss": 6379}
_BROKER = {**_VALKEY, "amqp": 5672, "amqps": 5671, "pyamqp": 5672}
# Variable to the schemes it takes, with their ports. A scheme that is not here is the driver's to judge.
_SCHEMES = {"DATABASE_URL": _POSTGRES, "REDIS_URL": _VALKEY, "CELERY_BROKER_URL": _BROKER}
_EXAMPLES = {
    "DATABASE_URL": "postgres://laurel:password@127.0.0.1:5432/laurel",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/3",
}


def require(env: Mapping[str, str]) -> None:
    """Raise CannotStart for the first server that is named and can't be connected to."""
    for variable, ports in _SCHEMES.items():
        if variable in env:
            _require_one(variable, env[variable], ports)


def _require_one(variable: str, url: str, ports: Mapping[str, int]) -> None:
    try:
        parts = urlsplit(url)
        host, several = parts.hostname, "," in parts.netloc
        port = None if several else parts.port or ports.get(parts.scheme)
        scheme = parts.scheme
    except ValueError:
        scheme = ""
    if not scheme:
        # The text itself is not shown: it may hold a password.
        raise CannotStart(
            f"{variable} is no address: set it to one such as {_EXAMPLES[variable]}, or leave it out."
        )
    if host is None or port is None or host.startswith("%2f"):
        return  # a socket in a folder, several hosts, or another kind of server
    try:
        socket.create_connection((host, port), timeout=ANSWERS_WITHIN_S).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise CannotStart(
            f"{variable} names {host}:{port}, and no server can be reached there ({why}): "
            f"start it, or correct {variable}."
        ) from None
