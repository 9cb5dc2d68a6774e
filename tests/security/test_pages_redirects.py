"""Open redirects: whatever an address or a form names, it leads to no other site (threats: P3).

The parameters are those that our sources and allauth's read, the addresses those of the URL conf.
"""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client

from tests.accounts import entrance
from tests.accounts.visitors import BROWSER
from tests.security import documents
from tests.security.addresses import pages, parameters
from tests.security.hostile import Hostile, browser, hostile

pytestmark = pytest.mark.django_db
EVIL: Final = "evil.example"
# Ways to write an address of another site, each of which some check was fooled by.
EVASIONS: Final = (
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "https://evil.example",
    "HTTPS://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "\x08//evil.example",
    "\x00//evil.example",
    " //evil.example",
    "\u00a0//evil.example",
    "\u3000//evil.example",
    "//evil.example\\@testserver",
    "//testserver@evil.example",
    "https://testserver@evil.example",
    "https://testserver\\@evil.example",
    "https://testserver.evil.example",
    "//evil.example:443/",
    "//[::ffff:1.2.3.4]/",
    "//\uff45vil.example",
    "/%09/evil.example",
    "/%5cevil.example",
    "/..//evil.example",
    "/.//evil.example",
    "//evil\u3002example",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://testserver:1/",
)

# Ways with a check of their own, which get every spelling; the others lead on by allauth's, as the first one does.
CHECKED: Final = frozenset(
    {"signing in", "the admin's door, being an operator", "a theme", "a language", "a friend's button"}
)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[Hostile]:
    with django_db_blocker.unblock(), hostile() as made:
        yield made


def leads_away(answer: Any) -> str:
    """Return to what other site, or what script, an answer leads by itself; empty for none."""
    hops: list[str] = [answer.headers.get("Location", ""), answer.headers.get("Refresh", "")]
    for hop in hops:
        if documents.led_to(hop) not in ("", "testserver") or documents.scheme(hop) not in (
            "",
            "http",
            "https",
        ):
            return hop
    return ""


def lures(answer: Any) -> set[str]:
    """Return to which of the evil hosts a page's links and forms lead."""
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        return set()
    return {host for host in documents.hosts(documents.html(answer.content.decode())) if EVIL in host}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_parameter_of_any_address_leads_to_another_site(world: Hostile, method: str) -> None:
    asked = dict.fromkeys(parameters(), "//evil.example/")
    wrong = []
    for address in pages():
        for client in world.lookers(address):
            with transaction.atomic():
                answer = getattr(client, method)(world.path(address), asked)
                transaction.set_rollback(True)
            led = leads_away(answer) or lures(answer)
            documents.let_go(answer)
            if led:
                wrong.append(f"{method} {address.route}: {led}")
    assert not wrong, "\n".join(wrong)


def _ways(world: Hostile) -> dict[str, Any]:
    """Return every way by which somebody is led on to what an address or a form names."""
    owner, friend = world.owner, world.players["friend"]
    password = {"password": entrance.PASSWORD}

    def signed_in() -> Client:
        return browser(owner)

    def nobody() -> Client:
        return Client(headers=BROWSER)

    login = {"login": owner.email, **password}
    return {
        "signing in": lambda to: nobody().post("/account/login/", {**login, "next": to}),
        "signing in, by the address": lambda to: nobody().post(f"/account/login/?{_query(to)}", login),
        "being signed in": lambda to: signed_in().get(f"/account/login/?{_query(to)}"),
        "signing up, being signed in": lambda to: signed_in().get(f"/account/signup/?{_query(to)}"),
        "signing out": lambda to: signed_in().post("/account/logout/", {"next": to}),
        "signing out, being nobody": lambda to: nobody().get(f"/account/logout/?{_query(to)}"),
        "proving who one is": lambda to: signed_in().post(
            "/account/reauthenticate/", {**password, "next": to}
        ),
        "proving it, by the address": lambda to: signed_in().post(
            f"/account/reauthenticate/?{_query(to)}", password
        ),
        "another factor": lambda to: signed_in().get(f"/account/2fa/reauthenticate/?{_query(to)}"),
        "a new password": lambda to: signed_in().post(
            f"/account/password/change/?{_query(to)}",
            {
                "oldpassword": entrance.PASSWORD,
                "password1": "another-long-password",
                "password2": "another-long-password",
                "next": to,
            },
        ),
        "another address": lambda to: signed_in().post(
            f"/account/email/?{_query(to)}", {"action_add": "", "email": "new@x.example", "next": to}
        ),
        "the admin's door": lambda to: signed_in().get(f"/admin/login/?{_query(to)}"),
        "the admin's door, being an operator": lambda to: browser(world.operator).get(
            f"/admin/login/?{_query(to)}"
        ),
        "a theme": lambda to: nobody().post("/theme", {"theme": "dark", "next": to}),
        "single keys": lambda to: nobody().post("/shortcuts", {"shortcuts": "on", "next": to}),
        "a language": lambda to: nobody().post("/language", {"language": "de", "next": to}),
        "a friend's button": lambda to: signed_in().post(
            f"/me/friends/{friend.uuid}", {"do": "remove", "next": to}
        ),
        "what was read": lambda to: signed_in().post(
            "/me/inbox/read", {"kind": to, "cursor": to, "next": to}
        ),
        "an invitation": lambda to: nobody().post(f"/invitations/{world.token}?{_query(to)}", {"next": to}),
        "a page of one's own": lambda to: nobody().get(f"/me/?{_query(to)}"),
        "a page of a studio": lambda to: nobody().get(f"/portal/?{_query(to)}"),
        "an address with too many slashes": lambda to: nobody().get(f"//{to.strip('/')}/account/login"),
    }


def _query(to: str) -> str:
    return urlencode({"next": to, "process": "login"})


@pytest.mark.slow
@pytest.mark.parametrize("to", EVASIONS)
def test_no_spelling_leads_to_another_site(world: Hostile, to: str) -> None:
    wrong = []
    for way, go in _ways(world).items():
        if way not in CHECKED and to not in EVASIONS[::9]:
            continue
        with transaction.atomic():
            answer = go(to)
            transaction.set_rollback(True)
        led = leads_away(answer) or lures(answer)
        if led or answer.status_code >= 500:
            wrong.append(f"{way}: {answer.status_code} {led}")
    assert not wrong, "\n".join(wrong)


def test_a_page_of_ours_is_led_to(world: Hostile) -> None:
    """What is refused above is refused for where it leads, not because nobody is led anywhere."""
    led = {}
    for way, go in _ways(world).items():
        with transaction.atomic():
            led[way] = go("/problems").headers.get("Location", "")
            transaction.set_rollback(True)
    by_name = {way for way, where in led.items() if where == "/problems"}
    assert by_name >= {
        *("signing in", "signing in, by the address", "being signed in", "signing out", "proving who one is"),
        *("the admin's door, being an operator", "a theme", "single keys", "a language", "a friend's button"),
    }
