"""Whom a process has just refused for being too often there: asked again, it says so at the door (ADR 0064).

Who sends a hundred times what he may would otherwise cost others what his refusals cost: authentication, routing and
the request log are nine tenths of a request. Remembered for a moment only, so that whatever changes, a key's limit or
its end, is known within a second.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.refusals import Refused

HOLD_S: Final = 1.0
_MOST: Final = 10_000
_Caller = bytes


@dataclass(slots=True)
class _Remembered:
    """A refusal.

    Attributes:
        until: for how long it is given again.
        refused: what was answered.
        again: is told of each time, since nobody else will hear of it.

    """

    until: float
    refused: Refused
    again: Callable[[], None]


_remembered: "OrderedDict[_Caller, _Remembered]" = OrderedDict()
_lock = threading.Lock()


def remember(
    environ: Mapping[str, Any], refused: Refused, *, wait_s: float, again: Callable[[], None]
) -> None:
    """Refuse the same request of the same caller for `wait_s`, at most HOLD_S, without looking at it."""
    caller = _caller(environ)
    if caller is not None:
        with _lock:
            _remembered[caller] = _Remembered(time.monotonic() + min(wait_s, HOLD_S), refused, again)
            if len(_remembered) > _MOST:
                _remembered.popitem(last=False)


def find(environ: Mapping[str, Any]) -> Refused | None:
    """Return what a caller was told a moment ago, and would be told again; None for nothing."""
    if not _remembered:
        return None
    caller = _caller(environ)
    found = None if caller is None else _remembered.get(caller)
    if caller is None or found is None:
        return None
    if found.until <= time.monotonic():
        with _lock:
            _remembered.pop(caller, None)
        return None
    found.again()
    return found.refused


def forget() -> None:
    """Remember nobody (between tests)."""
    with _lock:
        _remembered.clear()


def _caller(environ: Mapping[str, Any]) -> _Caller | None:
    """Return who asks for what, at one size whatever he sends, and without the credential that is shown."""
    shown = environ.get("HTTP_AUTHORIZATION")
    if shown is None:
        return None
    asked = f"{shown}\0{environ['REQUEST_METHOD']}\0{environ['PATH_INFO']}"
    return hashlib.blake2b(asked.encode(errors="replace"), digest_size=16).digest()
