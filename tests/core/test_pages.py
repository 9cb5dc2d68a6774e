"""The theme switch, the problem pages, and what a browser sees when something is refused."""

import json
import re
from html import unescape

import pytest
from django.conf import settings
from django.test import Client

from core.refusals import PROBLEMS

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_a_chosen_theme_is_kept_and_shown(client: Client, theme: str) -> None:
    answer = client.post("/theme", {"theme": theme, "next": "/problems?x=1"})
    assert (answer.status_code, answer["Location"]) == (302, "/problems?x=1")
    page = client.get("/problems").content.decode()
    assert f'data-bs-theme="{theme}"' in page
    assert re.search(rf'value="{theme}"[^>]*aria-pressed="true"', page)


def test_an_unknown_theme_is_refused_and_not_kept(client: Client) -> None:
    answer = client.post("/theme", {"theme": '"><script>', "next": "/"}, headers=BROWSER)
    assert answer.status_code == PROBLEMS["validation-failed"].status
    assert "theme" not in answer.cookies


def test_a_forged_theme_cookie_is_ignored(client: Client) -> None:
    client.cookies["theme"] = '"><script>alert(1)</script>'
    assert 'data-bs-theme="auto"' in client.get("/problems").content.decode()


def test_a_theme_can_only_be_set_from_our_own_pages() -> None:
    def status(**headers: str) -> int:
        return Client(enforce_csrf_checks=True).post("/theme", {"theme": "dark"}, headers=headers).status_code

    assert status() == 403
    assert status(Sec_Fetch_Site="cross-site", Origin="http://testserver") == 403
    assert status(Origin="https://elsewhere.example") == 403
    assert status(Origin="null") == 403
    assert status(Sec_Fetch_Site="same-origin") == 302
    assert status(Origin="http://testserver") == 302


@pytest.mark.parametrize("length", [str(13 * 1024 * 1024), "9" * 30, "many"])
def test_a_form_that_nobody_takes_is_not_read(client: Client, length: str) -> None:
    answer = client.post("/theme", {"theme": "dark"}, CONTENT_LENGTH=length, headers=BROWSER)
    assert answer.status_code == 413
    assert "choose a smaller file" in answer.text
    assert "theme" not in answer.cookies


def test_the_address_that_browsers_ask_for_an_icon_leads_to_ours(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert re.fullmatch(r"/static/icon(\.[0-9a-f]+)?\.svg", answer["Location"])


@pytest.mark.parametrize("slug", sorted(PROBLEMS))
def test_every_problem_has_a_page_with_an_example(client: Client, slug: str) -> None:
    page = client.get(f"/problems/{slug}").content.decode()
    assert f"<h1>{PROBLEMS[slug].title.replace(chr(39), '&#x27;')}</h1>" in page
    shown = re.search(r'<pre class="snippet">(.*?)</pre>', page, re.DOTALL)
    assert shown is not None
    example = json.loads(unescape(shown[1]))
    assert example["type"] == f"{settings.PUBLIC_URL}/problems/{slug}"
    assert example["status"] == PROBLEMS[slug].status


def test_the_list_names_every_problem(client: Client) -> None:
    page = client.get("/problems").content.decode()
    assert all(f'href="/problems/{slug}"' in page for slug in PROBLEMS)


def test_a_browser_gets_a_page_where_nothing_is(client: Client) -> None:
    answer = client.get("/problems/none<script>", headers=BROWSER)
    page = answer.content.decode()
    assert answer.status_code == 404
    assert PROBLEMS["not-found"].title in page
    assert answer["X-Request-Id"] in page
    assert "<script>" not in page


def test_pages_hold_nothing_that_the_content_policy_forbids(client: Client) -> None:
    for path in ("/problems", "/problems/conflict", "/nowhere"):
        answer = client.get(path, headers=BROWSER)
        page = answer.content.decode()
        assert "style-src 'self'" in answer["Content-Security-Policy"]
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=", page)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
