"""How often a caller of the API may do something: DRF's throttle over core/rates.py.

Who is counted: a server key by itself, its reads and its writes; a player token's player, by what he does; who shows no
credential, by his address. What is sent many at once is counted by item. See docs/adr/0058-rate-limits.md.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.calls.repeating import repeated
from accounts.selectors import KeyHolder
from core import rates, turned_away
from core.client_address import counted_address
from core.rates import Rate, Standing
from core.refusals import Refused

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module by its settings

_SLUG: Final = "rate-limited"
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Throttle(BaseThrottle):
    """Counts one request of whoever calls."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count it. Raises Refused where it is one too many."""
        standing = rates.take(*_limit(request, view))
        if not standing.allowed:
            turned_away.remember(
                request.META, _refused(standing), wait_s=standing.wait_s, again=_noting(request)
            )
        _tell(view, standing)
        return True


def charge(request: Request, items: int) -> None:
    """Count a batch's items; the request itself was counted as the first of them, and will be again. Raises Refused."""
    view = request.parser_context["view"]
    rate, caller = _limit(request, view)
    cost = min(items, rate.burst) - 1  # with the first one no more than a bucket, or it could never be done
    if cost > 0:
        standing = rates.take(rate, caller, cost)
        _tell(view, standing._replace(wait_s=standing.wait_s + 1 / rate.per_s))


def failed(request: HttpRequest) -> Standing:
    """Count a credential that was not valid, and return how it stands. Raises Refused to an address that tried many."""
    rate = settings.RATES["failures"]
    standing = rates.take(rate, counted_address(request))
    if not standing.allowed:
        raise _refusal(standing, "Too many credentials from this address were not valid.")
    return standing


def _noting(request: Request) -> Callable[[], None]:
    """Return what notes a refusal at the door in the studio's request log, where it is one of many."""
    holder: Any = request.auth
    if holder is None:
        return lambda: None
    route = request.resolver_match.route if request.resolver_match else ""
    return partial(repeated, holder.studio_id, str(request.method), route, _SLUG)


def _tell(view: "APIView", standing: Standing) -> None:
    view.headers |= standing.headers
    if not standing.allowed:
        raise _refused(standing)


def _refused(standing: Standing) -> Refused:
    return _refusal(standing, "The limit of this caller for this operation is used up.")


def _limit(request: Request, view: "APIView") -> tuple[Rate, str]:
    holder: Any = request.auth
    if holder is None:
        return settings.RATES["address"], counted_address(request)
    if isinstance(holder, KeyHolder):
        if request._request.method in _READS:  # DRF's own `method` looks it up by a failure
            return _within(settings.RATES["server-reads"], holder.reads_per_s), str(holder.key_id)
        return _within(settings.RATES["server-writes"], holder.writes_per_s), str(holder.key_id)
    kind = getattr(view, "limited_as", "others")  # the schema's views are not ours
    return settings.RATES[f"player-{kind}"], f"{holder.player.id}:{holder.game.id}"


def _within(rate: Rate, per_s: int | None) -> Rate:
    """Return the limit that a studio chose for a key, with as long a burst, and no higher than the instance's."""
    if per_s is None or per_s >= rate.per_s:
        return rate
    return rate._replace(per_s=float(per_s), burst=max(1, round(rate.burst * per_s / rate.per_s)))


def _refusal(standing: Standing, why: str) -> Refused:
    rate, headers = standing.rate, standing.headers
    limit = f"{rate.per_s * rates.WINDOW_S:,.0f} a minute, at most {rate.burst:,} at once"
    detail = f"{why} It is {limit}. Wait {headers['Retry-After']} s, then send this again: nothing was done."
    return Refused(detail, slug=_SLUG, headers=headers)
