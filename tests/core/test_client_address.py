"""Who is counted by his address: each of IPv4, and of IPv6 each household."""

import pytest
from django.test import RequestFactory

from core.client_address import client_address, counted_address


@pytest.mark.parametrize(
    ("sent", "counted"),
    [
        ("203.0.113.5", "203.0.113.5"),
        (" 203.0.113.5 ", "203.0.113.5"),
        ("2001:db8:0:7::1", "2001:db8:0:7::/64"),
        ("2001:db8:0:7:ffff::9", "2001:db8:0:7::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("", "unknown"),
        ("no address", "unknown"),
    ],
)
def test_an_address_is_counted_by_whom_it_may_be_of(sent: str, counted: str) -> None:
    assert counted_address(RequestFactory().get("/", REMOTE_ADDR=sent)) == counted


def test_behind_a_proxy_the_variable_that_is_named_says_it(settings: pytest.FixtureRequest) -> None:
    settings.RATELIMIT_IP_META_KEY = "HTTP_X_REAL_IP"  # type: ignore[attr-defined]
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Real-Ip": "198.51.100.7"})
    assert client_address(request) == "198.51.100.7"
