"""What production's own process sends browsers: its cookies, its headers, and the API's documentation."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.test import Client

from accounts.models import Member, User
from config.children import Place
from config.embedded import Servers
from config.settings.security import PASSWORD_HASHERS
from tests import factories
from tests.accounts.entrance import EMAIL, PASSWORD, SIGN_IN, user
from tests.security import production
from tests.security.production import Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
HSTS = "max-age=31536000; includeSubDomains; preload"


@pytest.fixture(scope="module")
def place(
    servers: Servers, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[Place]:
    with django_db_blocker.unblock(), production.running(servers, tmp_path_factory.mktemp("var")) as found:
        yield found


@pytest.fixture
def ada(settings: Any) -> User:
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    made = user()
    User.objects.update(is_staff=True, is_superuser=True)
    Member.objects.create(studio=factories.studio(), user=made, role="developer")
    return made


def signed_in(place: Place) -> Browser:
    browser = Browser(place)
    assert browser.post(SIGN_IN, {"login": EMAIL, "password": PASSWORD}).status_code == 302
    return browser


def test_every_cookie_is_bound_to_the_host_and_to_https(place: Place, ada: User) -> None:
    browser = signed_in(place)
    browser.get("/me/")  # begins the player's session
    for name, chosen in {"theme": "dark", "shortcuts": "off", "language": "de"}.items():
        browser.post(f"/{name}", {name: chosen}, on="/me/settings")
    assert browser.post("/account/logout/", {}).status_code == 302  # says so by a message
    names = "browser player sessionid csrftoken theme shortcuts language messages"
    own = {"browser": "laurel_browser", "player": "laurel_player"}
    assert browser.was_set.keys() == {f"__Host-{own.get(name, name)}" for name in names.split()}
    for name, lines in browser.was_set.items():
        for morsel in lines:  # those that end a cookie too: a browser takes no other for it
            assert (morsel["path"], morsel["domain"], morsel["secure"]) == ("/", "", True), name
            assert morsel["samesite"] == "Lax", name
            assert morsel["httponly"] or morsel["max-age"] == "0", name
    assert "__Host-sessionid" not in browser.cookies


def test_what_was_chosen_and_said_is_read_from_these_cookies(place: Place, ada: User) -> None:
    browser = Browser(place)
    browser.post("/theme", {"theme": "dark"}, on=SIGN_IN)
    browser.post("/language", {"language": "de"}, on=SIGN_IN)
    page = browser.get(SIGN_IN).text
    assert 'data-bs-theme="dark"' in page or 'data-theme="dark"' in page
    assert '<html lang="de"' in page


def test_a_cookie_of_another_name_signs_nobody_in(place: Place, ada: User) -> None:
    """Which a page of a neighbouring host could have set."""
    browser = signed_in(place)
    browser.cookies = {"sessionid": browser.cookies["__Host-sessionid"]}
    assert browser.get("/account/2fa/").status_code == 302


@pytest.mark.parametrize(
    "path",
    ["/", "/problems", SIGN_IN, "/portal/", "/admin/", "/nowhere", "/api/v1/docs", "/api/v1", "/livez"],
)
def test_browsers_are_told_to_come_by_https_only(place: Place, path: str) -> None:
    browser = Browser(place)
    for _ in range(2):  # a page that is kept, too
        assert browser.get(path).headers["strict-transport-security"] == HSTS
    named = {"Host": "laurel.example", "Accept": "text/html"}
    plain = httpx.get(f"{place.url}{path}", headers=named, timeout=production.ANSWERED_WITHIN_S)
    if path != "/livez":  # which a load balancer asks
        assert (plain.status_code, plain.headers["location"]) == (301, f"https://laurel.example{path}")


def test_live_says_the_same(place: Place) -> None:
    answer = httpx.get(f"{place.live_url}/api/v1/live", timeout=production.ANSWERED_WITHIN_S)
    assert answer.headers["strict-transport-security"] == HSTS
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_policy_lets_a_page_s_own_text_run_or_dress_it(place: Place, ada: User) -> None:
    browser = signed_in(place)
    pages = (
        "/",
        "/me/",
        "/me/settings",
        "/account/2fa/",
        "/admin/",
        "/admin/accounts/user/add/",
        "/api/v1/docs",
    )
    for path in pages:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "object-src 'none'" in policy, path
        assert "base-uri 'none'" in policy, path
        assert _inline(answer.text) == [], path


def _inline(page: str) -> list[str]:
    """Return what a policy without `unsafe-inline` stops: scripts but for data, styles, handlers."""
    scripts = [tag for tag in re.findall(r"<script\b[^>]*>", page) if "src=" not in tag]
    of_data = ("application/json",)
    return [
        *(tag for tag in scripts if not any(kind in tag for kind in of_data)),
        *re.findall(r"<style\b[^>]*>", page),
        *re.findall(r'<[^>]+\sstyle="[^>]*>', page),
        *re.findall(r"<[^>]+\son[a-z]+=[^>]*>", page),
    ]


def test_o1_no_source_map_is_there(place: Place) -> None:
    browser = Browser(place)
    [style] = re.findall(r'href="(/static/[^"]*swagger-ui[^"]*\.css)"', browser.get("/api/v1/docs").text)
    assert "sourceMappingURL" in browser.get(style).text
    folder = style.rpartition("/")[0]
    for address in (f"{style}.map", f"{folder}/swagger-ui.css.map", f"{folder}/swagger-ui-bundle.js.map"):
        assert browser.get(address).status_code == 404
    assert not list((place.folder / "static").rglob("*.map*"))


def test_the_documentation_is_a_page_with_a_style_of_ours() -> None:
    page = Client().get("/api/v1/docs", headers={"Accept": "text/html"})
    assert "api-docs.css" in page.content.decode()
