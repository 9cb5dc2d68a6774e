"""How often somebody may do something on a page. Without Valkey nothing is counted (RATELIMIT_FAIL_OPEN)."""

from django.http import HttpRequest
from django_ratelimit.core import get_usage

from core.refusals import Refused


def count(request: HttpRequest, *, group: str, key: object, rate: str, refusal: str) -> None:
    """Count one more of `group` for `key`; raise Refused with `refusal`, and when to come back, if it is too many."""
    usage = get_usage(request, group=group, key=lambda *_: str(key), rate=rate, increment=True)
    if usage and usage["should_limit"]:
        wait = str(max(1, usage["time_left"]))
        raise Refused(refusal, slug="rate-limited", headers={"Retry-After": wait})
