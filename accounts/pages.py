"""The door to the admin."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django_ratelimit.core import get_usage

from core.refusals import Refused

SIGN_INS = "10/15m"


def sign_in(request: HttpRequest) -> HttpResponse:
    """Let a person sign in, at most SIGN_INS attempts for an address; without Valkey nothing is counted."""
    usage = get_usage(
        request, group="sign-in", key="ip", rate=SIGN_INS, method="POST", increment=request.method == "POST"
    )
    if usage and usage["should_limit"]:
        raise Refused(
            "Too many attempts to sign in came from your address. Wait a while, then try again.",
            slug="rate-limited",
            headers={"Retry-After": str(max(1, usage["time_left"]))},
        )
    return admin.site.login(request)
