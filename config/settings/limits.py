"""How often callers of the API may do something (accounts/throttling.py, docs/adr/0058-rate-limits.md)."""

import re

from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import env
from core.rates import Rate

__all__ = ["RATES", "WEB_PROCESSES"]

# `sustained/unit:burst`. RATE_LIMITS changes some of them, as `address=600/min:1200,server-reads=1000/s:2000`.
_DEFAULTS = {
    "player-unlocks": "10/min:20",
    "player-dashboards": "20/min:40",
    "player-boards": "60/min:120",
    "player-others": "60/min:120",
    "server-writes": "20000/s:100000",
    "server-reads": "5000/s:20000",
    "address": "60/min:120",
    "failures": "10/min:10",
}
_FORM = re.compile(r"([0-9]{1,9})/(s|min|h):([1-9][0-9]{0,9})")
_SECONDS = {"s": 1, "min": 60, "h": 3600}


def _rate(name: str, text: str) -> Rate:
    found = _FORM.fullmatch(text)
    if found is None or not int(found[1]):
        raise ImproperlyConfigured(
            f"RATE_LIMITS: {name} is {text!r}; write it as 600/min:1200 (units s, min, h)."
        )
    return Rate(name, int(found[1]) / _SECONDS[found[2]], int(found[3]))


_named: dict[str, str] = env.dict("RATE_LIMITS", default={})
if unknown := _named.keys() - _DEFAULTS:
    raise ImproperlyConfigured(f"RATE_LIMITS knows {', '.join(_DEFAULTS)}; not {', '.join(sorted(unknown))}.")
RATES = {name: _rate(name, _named.get(name, text)) for name, text in _DEFAULTS.items()}
# Over all machines: while Valkey is away, each of them lets its part of a limit through.
WEB_PROCESSES: int = env.int("WEB_PROCESSES", default=2)
