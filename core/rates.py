"""Token buckets: how often a caller may do something, counted over all processes (docs/adr/0058-rate-limits.md).

A bucket holds at most `burst` tokens and gains `per_s` a second; whoever does something takes as many as it costs.
Valkey keeps the buckets. A process that sees much of a caller takes tokens ahead for the next tenth of a second, so
that it asks Valkey ten times a second and not once a request. While Valkey is away each process keeps its own.

Source: RFC 9651 (structured fields), draft-ietf-httpapi-ratelimit-headers-10 (RateLimit, RateLimit-Policy).
"""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import Any, Final, NamedTuple

from django.conf import settings
from redis.commands.core import Script

from core import keys
from core.redis import breaker, client

WINDOW_S: Final = 60  # the quota that is told is that of a minute
AHEAD_S: Final = 0.1  # for how long tokens are taken ahead
LOW: Final = 0.25  # of what was taken ahead: once less is left, one request takes more while the others go on
TIMEOUT_S: Final = 0.02  # twice, since a dead connection is tried again once
_MOST: Final = 50_000  # callers a process remembers
_ROLE: Final = "limits"

# KEYS: the bucket. ARGV: per_s, burst, cost, ahead. Answers what is given, 0 for a refusal, and what is left.
_TAKE: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local per_s, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local cost, ahead = tonumber(ARGV[3]), tonumber(ARGV[4])
local left = burst
local kept = redis.call('GET', KEYS[1])
if kept then
  local had, at = string.match(kept, '^(%S+) (%S+)$')
  left = math.min(burst, tonumber(had) + math.max(0, now - tonumber(at)) * per_s)
end
local given = 0
if left >= cost then given = math.min(left, cost + ahead) end
left = left - given
local full_in_ms = math.ceil((burst - left) / per_s * 1000) + 1000
redis.call('SET', KEYS[1], string.format('%.6f %.6f', left, now), 'PX', full_in_ms)
return {string.format('%.6f', given), string.format('%.6f', left)}
"""


class Rate(NamedTuple):
    """A limit: how many a second are sustained, and how many at once; `name` is told to callers."""

    name: str
    per_s: float
    burst: int


class Standing(NamedTuple):
    """What taking tokens came to.

    Attributes:
        left: tokens of the bucket that are known to be left, those taken ahead included.
        wait_s: after how long the same would be allowed; 0 if it was.

    """

    rate: Rate
    allowed: bool
    left: float
    wait_s: float

    @property
    def headers(self) -> dict[str, str]:
        """Return what the answer says of it."""
        rate = self.rate
        full_in_s = math.ceil((rate.burst - self.left) / rate.per_s)
        said = {
            "RateLimit-Policy": _policy(rate),
            "RateLimit": f'"{rate.name}";r={math.floor(self.left)};t={max(0, full_in_s)}',
        }
        return said if self.allowed else {**said, "Retry-After": str(max(1, math.ceil(self.wait_s)))}


@lru_cache
def _policy(rate: Rate) -> str:
    return f'"{rate.name}";q={round(rate.per_s * WINDOW_S)};w={WINDOW_S}'


@dataclass(slots=True)
class _Held:
    """What a process knows of a caller's bucket.

    Attributes:
        ahead: tokens taken ahead.
        low: once fewer are left, more are taken ahead.
        left: what Valkey's bucket held at `asked_at`.
        spent: tokens that were spent since then.
        refused_until: nothing that costs `refused_cost` or more is allowed before.
        own: the process's own bucket while Valkey is away, as of `own_at`; None while it is there.

    """

    ahead: float = 0.0
    low: float = 0.0
    left: float = 0.0
    asked_at: float = -math.inf
    spent: float = 0.0
    refused_until: float = -math.inf
    refused_cost: float = math.inf
    own: float | None = None
    own_at: float = 0.0
    is_asking: bool = False  # somebody takes ahead just now: who comes meanwhile takes no more than he needs


_held: "OrderedDict[tuple[Rate, str], _Held]" = OrderedDict()
_lock = Lock()


def take(rate: Rate, caller: str, cost: int = 1) -> Standing:
    """Take tokens from a caller's bucket, or say how long to wait.

    What costs more than a whole bucket takes the whole bucket: otherwise it could never be done.
    """
    wanted, now = float(min(cost, rate.burst)), time.monotonic()
    had = 0.0
    with _lock:
        held = _of(rate, caller)
        paid = held.ahead >= wanted
        if paid:
            held.ahead -= wanted
            held.spent += wanted
            standing = Standing(rate, allowed=True, left=held.left + held.ahead, wait_s=0.0)
            if held.is_asking or held.ahead >= held.low:
                return standing
        elif now < held.refused_until and wanted >= held.refused_cost:
            return Standing(rate, allowed=False, left=held.left + held.ahead, wait_s=held.refused_until - now)
        else:
            had, held.ahead = held.ahead, 0.0
        leads, held.is_asking = not held.is_asking, True
        ahead, counted = _ahead(rate, held, now) if leads else 0.0, held.spent
    missing = 0.0 if paid else wanted - had
    answer: tuple[float, float] | None = None
    try:
        answer = breaker(_ROLE).call(
            lambda: _ask(rate, caller, cost=missing, ahead=ahead), otherwise=lambda: None
        )
    finally:
        if leads:
            held.is_asking = False
    with _lock:
        if paid:
            _stock_up(held, answer, now, counted)
            return standing
        if answer is None:
            held.ahead += had
            return _alone(rate, held, wanted, now)
        return _settled(rate, held, wanted, had, answer, now)


def forget() -> None:
    """Know nothing of any caller (between tests)."""
    with _lock:
        _held.clear()


def _of(rate: Rate, caller: str) -> _Held:
    key = rate, caller
    held = _held.get(key)
    if held is None:
        held = _held[key] = _Held()
        if len(_held) > _MOST:
            _held.popitem(last=False)
    else:
        _held.move_to_end(key)
    return held


def _ahead(rate: Rate, held: _Held, now: float) -> float:
    """Return how many tokens to take ahead: as many as were spent lately in AHEAD_S, at most what is gained in it.

    So what all processes hold is a small part of a minute's quota, and who comes rarely is counted exactly.
    """
    passed = max(now - held.asked_at, 1e-3)
    return math.floor(min(held.spent / passed, rate.per_s) * AHEAD_S)


def _ask(rate: Rate, caller: str, *, cost: float, ahead: float) -> tuple[float, float] | None:
    """Return what Valkey gave, 0 for a refusal, and what it has left."""
    answer: Any = _script()(keys=[keys.bucket(rate.name, caller)], args=[rate.per_s, rate.burst, cost, ahead])
    return float(answer[0]), float(answer[1])


@cache
def _script() -> Script:
    return client(_ROLE, timeout_s=TIMEOUT_S).register_script(_TAKE)


def _stock_up(held: _Held, answer: tuple[float, float] | None, now: float, counted: float) -> None:
    """Keep what was taken ahead while some was left; of what was spent, `counted` was spent before that."""
    more = 0.0
    if answer is not None:
        more, held.left = answer
        # Who found too little left asked meanwhile as well, and began to count anew.
        held.asked_at, held.spent, held.own = now, max(0.0, held.spent - counted), None
    held.ahead += more
    held.low = more * LOW


def _settled(
    rate: Rate, held: _Held, wanted: float, had: float, answer: tuple[float, float], now: float
) -> Standing:
    given, held.left = answer
    held.asked_at, held.own = now, None
    if given:
        if more := had + given - wanted:
            held.ahead += more
            held.low = more * LOW
        held.spent, held.refused_until = wanted, -math.inf
        return Standing(rate, allowed=True, left=held.left + held.ahead, wait_s=0.0)
    held.ahead += had
    held.spent = 0.0
    wait_s = (wanted - had - held.left) / rate.per_s
    held.refused_until, held.refused_cost = now + wait_s, wanted
    return Standing(rate, allowed=False, left=held.left + held.ahead, wait_s=wait_s)


def _alone(rate: Rate, held: _Held, wanted: float, now: float) -> Standing:
    """Take from the process's own bucket, of a size that all processes' together are the caller's."""
    share = settings.WEB_PROCESSES
    per_s, burst = rate.per_s / share, max(1.0, rate.burst / share)
    had = burst if held.own is None else min(burst, held.own + (now - held.own_at) * per_s)
    wanted = min(wanted, burst)
    allowed = had >= wanted
    held.own, held.own_at = had - wanted if allowed else had, now
    return Standing(
        rate, allowed, min(rate.burst, held.own * share), 0.0 if allowed else (wanted - had) / per_s
    )
