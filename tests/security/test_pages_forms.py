"""Cross-site request forgery and clickjacking: no form is taken from elsewhere, and no page is shown elsewhere.

Addresses are read from the URL conf: a new form or page is held to all of this without a line here (threats: A17, P4).
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.urls import path

from config import urls
from core.problems import csrf_failure
from tests.accounts.visitors import BROWSER
from tests.security import documents
from tests.security.addresses import API, MEDIA, addresses, pages
from tests.security.hostile import Hostile, hostile

pytestmark = pytest.mark.django_db

# Views that Django's check passes by, and what they check instead.
EXEMPT: Final = {
    "theme": "core.pages.from_our_pages",
    "shortcuts": "core.pages.from_our_pages",
}
# Others that take nothing, which they say (405) instead of asking for a form's token.
TAKE_NOTHING: Final = frozenset({"livez", "readyz", "metrics"})
# Pages that are the same for everybody, whoever is signed in.
FOR_ALL: Final = frozenset({"", "demo", "favicon.ico", "problems/<slug:slug>", "admin/jsi18n/"})
# What is noted of who looks: sessions, and from which device; and Django's list of models, made when it is asked for.
NOTED: Final = frozenset(
    {"django_session", "usersessions_usersession", "accounts_playersession", "django_content_type"}
)
METHODS: Final = ("get", "post", "put", "patch", "delete")
EVIL: Final = "https://evil.example"


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[Hostile]:
    with django_db_blocker.unblock(), hostile() as made:
        yield made


def strict(client: Client) -> tuple[Client, str]:
    """Return a browser with the same login in which tokens count, and its token."""
    made = Client(headers=BROWSER, enforce_csrf_checks=True)
    for name in ("sessionid", settings.PLAYER_COOKIE):
        if name in client.cookies:
            made.cookies[name] = client.cookies[name].value
    request = RequestFactory().get("/")
    token = get_token(request)
    made.cookies["csrftoken"] = request.META["CSRF_COOKIE"]
    return made, token


def census() -> dict[str, str]:
    """Return what every table holds, as hashes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        tables = [name for (name,) in cursor.fetchall()]
        held = {}
        for name in tables:
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{name}\" t"
            )
            held[name] = cursor.fetchone()[0]
    return held


def refusals(client: Client, address: str) -> dict[str, int]:
    """Return how a form is answered that another site sent, in each way in which one could."""
    here, token = strict(client)
    _, others = strict(Client())
    form = {"csrfmiddlewaretoken": token, "next": "/"}
    answers = {
        "no token": here.post(address, {"next": "/"}),
        "another's token": here.post(address, {**form, "csrfmiddlewaretoken": others}),
        "another site": here.post(address, form, headers={"Origin": EVIL}),
        "a frame of nobody": here.post(address, form, headers={"Origin": "null"}),
        "another site's token": here.post(
            address,
            {"next": "/"},
            headers={"Origin": EVIL, "X-CSRFToken": others, "Sec-Fetch-Site": "cross-site"},
        ),
    }
    return {how: answer.status_code for how, answer in answers.items()}


@pytest.mark.slow
def test_no_form_is_taken_from_another_site_or_without_its_token(world: Hostile) -> None:
    before = census()
    wrong = [
        f"{address.route}: {answered}"
        for address in pages()
        for client in world.lookers(address)
        if set((answered := refusals(client, world.path(address))).values())
        != ({405} if address.route in TAKE_NOTHING else {403})
    ]
    assert not wrong, "\n".join(wrong)
    after = census()
    assert [name for name in before if before[name] != after[name]] == [], "nothing changed"


@pytest.mark.slow
def test_every_form_is_taken_with_its_token(world: Hostile) -> None:
    """What is refused above is refused for the token alone: with it, views are reached."""
    reached = set()
    refused = csrf_failure(RequestFactory().post("/")).content.split(b'"detail":"')[1].split(b'"')[0]
    for address in pages():
        client, token = strict(world.lookers(address)[0])
        with transaction.atomic():
            answer = client.post(
                world.path(address), {"csrfmiddlewaretoken": token}, headers={"Origin": "http://testserver"}
            )
            transaction.set_rollback(True)
        assert refused not in answer.getvalue(), address.route
        documents.let_go(answer)
        if answer.status_code != 405:
            reached.add(address.route)
    assert len(reached) > 100


@pytest.mark.slow
def test_a_link_from_another_site_changes_nothing(world: Hostile) -> None:
    """What is done at the mere look at an address, any site can have done by whoever follows a link."""
    before = census()
    for address in pages():
        for client in world.lookers(address):
            documents.let_go(client.get(world.path(address)))
    after = census()
    assert {name for name in before if before[name] != after[name]} <= NOTED


def test_no_other_view_is_without_a_check() -> None:
    exempt = {one.name or one.route for one in pages() if getattr(one.view, "csrf_exempt", False)}
    assert exempt == EXEMPT.keys() | TAKE_NOTHING


@pytest.mark.parametrize("route", sorted(TAKE_NOTHING))
def test_what_asks_for_no_token_takes_nothing(route: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert {client.generic(method, f"/{route}").status_code for method in METHODS if method != "get"} == {405}


@pytest.mark.slow
def test_the_api_hears_no_cookie(world: Hostile) -> None:
    """Somebody who is signed in on the pages is nobody to the API, whatever site's form his browser sends there."""
    signed_in = Client()
    signed_in.cookies["sessionid"] = world.owner.client.cookies["sessionid"].value
    world.owner.client.post("/me/session")
    signed_in.cookies[settings.PLAYER_COOKIE] = world.owner.client.cookies.get(settings.PLAYER_COOKIE, "x")
    heard = []
    for number, address in enumerate(addresses()):
        if not address.route.startswith(API):
            continue
        path = address.path(dict.fromkeys(address.parts, str(world.game.uuid)))
        sender = f"10.0.{number // 250}.{number % 250 + 1}"  # nobody sends more than an address may
        for method in METHODS:
            with_cookies, without = (
                told(getattr(one, method)(path, REMOTE_ADDR=sender)) for one in (signed_in, Client())
            )
            if with_cookies != without:
                heard.append(f"{method} {address.route}: {with_cookies}")
    assert not heard, "\n".join(heard)[:5_000]


def told(answer: Any) -> tuple[int, str, bool]:
    """Return what an answer says but for its request's id, and whether it sets a cookie."""
    text = re.sub(r'"request_id":"[^"]*"', "", answer.getvalue().decode(errors="replace"))
    return answer.status_code, re.sub(r"nonce-[\w+/=-]+|nonce=\"[^\"]+\"", "", text), bool(answer.cookies)


def wrong_headers(answer: Any, *, signed_in: bool) -> list[str]:
    """Return what an answer lacks of what keeps others from showing, guessing and keeping it."""
    wrong = []
    headers = answer.headers
    if headers.get("X-Content-Type-Options") != "nosniff":
        wrong.append("its kind may be guessed")
    if headers.get("Referrer-Policy") != "same-origin":
        wrong.append("other sites hear its address")
    if not headers.get("Content-Type", "").startswith("text/html"):
        return wrong
    if headers.get("X-Frame-Options") != "DENY":
        wrong.append("an old browser shows it in a frame")
    policy = directives(headers.get("Content-Security-Policy", ""))
    for name, values in REQUIRED.items():
        if policy.get(name) != values:
            wrong.append(f"{name} is {policy.get(name)}")
    scripts = policy.get("script-src", policy.get("default-src", {"*"}))
    if scripts - {"'self'"} and not all(one.startswith("'nonce-") for one in scripts - {"'self'"}):
        wrong.append(f"scripts come from {scripts}")
    if signed_in and not {"private", "no-store"} <= set(headers.get("Cache-Control", "").split(", ")):
        wrong.append(f"is kept: {headers.get('Cache-Control', 'nothing is said')}")
    return wrong


REQUIRED: Final = {
    "frame-ancestors": {"'none'"},
    "object-src": {"'none'"},
    "base-uri": {"'none'"},
    "form-action": {"'self'"},
    "default-src": {"'self'"},
}


def directives(policy: str) -> dict[str, set[str]]:
    """Return a policy by its directives."""
    parts = [one.split() for one in policy.split(";") if one.strip()]
    return {name: set(values) for name, *values in parts}


@pytest.mark.slow
def test_every_page_keeps_to_itself(world: Hostile) -> None:
    wrong = []
    for address in addresses():
        if address.route.startswith(MEDIA) or (address.route.startswith(API) and "docs" not in address.route):
            continue
        for client in world.lookers(address):
            answer = client.get(world.path(address))
            is_own = not address.route.startswith(API) and address.route not in FOR_ALL
            signed_in = is_own and "sessionid" in client.cookies
            wrong += [f"{address.route}: {one}" for one in wrong_headers(answer, signed_in=signed_in)]
    assert not wrong, "\n".join(sorted(set(wrong)))


def _fails(request: HttpRequest) -> HttpResponse:
    raise ValueError("a bug")


urlpatterns = [path("bug", _fails), *urls.urlpatterns]
handler400, handler403, handler404 = urls.handler400, urls.handler403, urls.handler404
handler500 = urls.handler500


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("method", "where", "status"),
    [("get", "/nothing", 404), ("get", "/theme", 405), ("post", "/me/settings", 403), ("get", "/bug", 500)],
)
def test_a_page_that_says_no_keeps_to_itself_too(method: str, where: str, status: int) -> None:
    client = Client(headers=BROWSER, enforce_csrf_checks=True, raise_request_exception=False)
    answer = getattr(client, method)(where)
    assert answer.status_code == status
    assert wrong_headers(answer, signed_in=False) == []
