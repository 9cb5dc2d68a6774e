"""Which language a page speaks, at the HTTP border, and how numbers and days are written in it."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation

from accounts.models import User
from core import spoken
from core.number_field import NumberField
from core.templatetags import laurel
from tests import factories
from tests.accounts.visitors import BROWSER, member, visitor

SIGN_IN = "/account/login/"
GERMAN = {**BROWSER, "Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


def language(answer: Any) -> str:
    found = re.search(r'<html lang="([^"]*)"', answer.content.decode())
    assert found
    return found[1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "spoken_then", "heading"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Anmelden"),
        ("de", "de", "Anmelden"),
        ("fr,de;q=0.5", "de", "Anmelden"),
        ("en-GB,de;q=0.5", "en", "Sign in"),
        ("fr", "en", "Sign in"),
        ("*;q=0, \x7f", "en", "Sign in"),
        ("", "en", "Sign in"),
    ],
    ids=["austrian", "german", "second", "english", "unknown", "nonsense", "none"],
)
def test_a_page_speaks_what_the_browser_asks_for(asked: str, spoken_then: str, heading: str) -> None:
    answer = Client(headers={**BROWSER, "Accept-Language": asked}).get(SIGN_IN)
    assert language(answer) == answer["Content-Language"] == spoken_then
    assert heading in answer.text
    assert {"Accept-Language", "Cookie"} <= set(re.split(", *", answer["Vary"]))


@pytest.mark.django_db
@pytest.mark.parametrize(("chosen", "asked"), [("en", "de"), ("de", "en")])
def test_a_choice_comes_before_what_the_browser_asks_for(chosen: str, asked: str) -> None:
    client = Client(headers={**BROWSER, "Accept-Language": asked})
    answer = client.post("/language", {"language": chosen, "next": f"{SIGN_IN}?next=/portal/"})
    assert (answer.status_code, answer["Location"]) == (302, f"{SIGN_IN}?next=/portal/")
    kept = answer.cookies["language"]
    assert (kept.value, kept["httponly"], kept["samesite"]) == (chosen, True, "Lax")
    page = client.get(SIGN_IN)
    assert language(page) == chosen
    assert re.search(rf'value="{chosen}"[^>]*aria-current="true"', page.text)


@pytest.mark.django_db
def test_who_is_signed_in_gets_mail_in_the_language_of_his_choice() -> None:
    studio = factories.studio()
    chooser, invited = member(studio, "owner"), visitor("invited@example.com")
    invited.client.post("/language", {"language": "de", "next": "/portal/"})
    visitor(None).client.post("/language", {"language": "de"})
    assert dict(User.objects.values_list("email", "language")) == {chooser.email: "", invited.email: "de"}
    for email, text in ((invited.email, "lädt Sie"), ("stranger@example.com", "invites you")):
        chooser.post("members", studio.uuid, email=email, role="analyst")
        assert text in str(mail.outbox[-1].body)


@pytest.mark.django_db
@pytest.mark.parametrize("kept", ["xx", '"><script>alert(1)</script>', "../de", "d" * 4000, "DE"])
def test_a_forged_choice_is_none(kept: str) -> None:
    client = Client(headers=BROWSER)
    client.cookies["language"] = kept
    page = client.get(SIGN_IN)
    assert language(page) in ("en", "de")
    assert "alert(1)" not in page.text


@pytest.mark.parametrize(
    "sent", [{}, {"language": "fr"}, {"language": '"><script>'}], ids=["none", "other", "bad"]
)
def test_a_language_that_is_not_spoken_is_refused(client: Client, sent: dict[str, str]) -> None:
    answer = client.post("/language", sent, headers=BROWSER)
    assert answer.status_code == 422
    assert "language" not in answer.cookies


def test_a_language_can_only_be_chosen_on_our_own_pages(client: Client) -> None:
    assert Client(enforce_csrf_checks=True).post("/language", {"language": "de"}).status_code == 403
    assert client.get("/language").status_code == 405


@pytest.mark.django_db
def test_the_portal_names_each_language_in_itself() -> None:
    studio = factories.studio()
    owner = member(studio, "owner")
    for asked in ("de", "en"):
        page = owner.client.get(f"/portal/{studio.uuid}/", headers={"Accept-Language": asked})
        assert language(page) == asked
        assert re.search(r'value="de"\s+lang="de"[^>]*>Deutsch<', page.text)
        assert re.search(r'value="en"\s+lang="en"[^>]*>English<', page.text)
        assert ("Mitglieder" in page.text) == (asked == "de")


@pytest.mark.django_db
def test_the_api_answers_the_same_in_every_language() -> None:
    studio = factories.studio()
    game, key = factories.game(studio), factories.server_key(studio)

    def answers(**headers: str) -> list[tuple[int, Any, str | None]]:
        client = Client(headers={"Authorization": f"Bearer {key}", **headers})
        client.cookies["language"] = headers.get("Accept-Language", "en")
        listed = [
            client.get(f"/api/v1/games/{game.uuid}"),
            client.get("/api/v1/games/nothing"),
            client.post("/api/v1/achievements/unlock", "{}", content_type="application/json"),
        ]
        assert not any(answer.has_header("Content-Language") for answer in listed)
        told = [answer.json() for answer in listed]
        for one in told:
            one.pop("request_id", None)
        return [(a.status_code, t, a.get("Vary")) for a, t in zip(listed, told, strict=True)]

    english = answers()
    assert Client(headers=GERMAN).get(SIGN_IN)["Content-Language"] == "de"
    assert answers(**{"Accept-Language": "de"}) == english
    assert not any("Language" in (vary or "") or "Cookie" in (vary or "") for _, _, vary in english)


@pytest.mark.django_db
def test_a_page_leaves_no_language_behind() -> None:
    Client(headers=GERMAN).get(SIGN_IN)
    assert translation.get_language() == "en"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/problems", "/", "/nothing", "/portal/nothing"])
def test_what_is_not_translated_is_english(path: str) -> None:
    answer = Client(headers=GERMAN).get(path)
    assert language(answer) == "en"
    assert 'aria-label="Light theme"' in answer.text


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (1234567, "1,234,567", "1.234.567"),
        (1234.5, "1,234.5", "1.234,5"),
        (-0.25, "-0.25", "-0,25"),
        (None, "–", "–"),
    ],
)
def test_a_number_is_written_in_the_language(value: float | None, english: str, german: str) -> None:
    assert laurel.number(value) == english
    with translation.override("de"):
        assert laurel.number(value) == german


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [(34.56, "34.6%", "34,6\u00a0%"), (100, "100%", "100\u00a0%"), (0.01, "<0.1%", "<0,1\u00a0%")],
)
def test_a_percentage_is_written_in_the_language(value: float, english: str, german: str) -> None:
    assert laurel.percent(value) == english
    with translation.override("de"):
        assert laurel.percent(value) == german


def test_days_are_written_in_the_language() -> None:
    at = datetime(2026, 11, 6, 23, 5, 9, tzinfo=UTC)
    said = [spoken.day(at), spoken.day(date(2026, 3, 1), "j F Y"), spoken.moment(at), spoken.second(at)]
    assert said == ["6 Nov 2026", "1 March 2026", "6 Nov 2026, 23:05", "6 Nov 2026, 23:05:09 UTC"]
    with translation.override("de"):
        said = [spoken.day(at), spoken.day(date(2026, 3, 1), "j F Y"), spoken.moment(at), spoken.second(at)]
    assert said == ["6. Nov. 2026", "1. März 2026", "6. Nov. 2026, 23:05", "6. Nov. 2026, 23:05:09 UTC"]


@pytest.mark.parametrize("value", ["0.25", "1500", "-1234567.125", "0"])
@pytest.mark.parametrize("spoken_then", ["en", "de"])
def test_a_field_takes_the_number_that_it_shows(value: str, spoken_then: str) -> None:
    field = NumberField()
    with translation.override(spoken_then):
        assert field.to_python(field.prepare_value(Decimal(value))) == Decimal(value)


@pytest.mark.parametrize(
    ("spoken_then", "sent"),
    [("de", "1.500"), ("de", "1.500,5"), ("en", "1,500"), ("en", "0,25"), ("de", "٣")],
)
def test_a_number_that_may_be_another_is_refused(spoken_then: str, sent: str) -> None:
    with translation.override(spoken_then), pytest.raises(ValidationError):
        NumberField().to_python(sent)
