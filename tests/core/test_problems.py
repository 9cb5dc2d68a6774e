"""Every answer from 400 on is RFC 9457, whoever gives it; and it says what to do."""

import re
from html import unescape
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from core.artwork import LARGE
from core.problems import page_or_problem
from core.refusals import PROBLEMS, Refused, Unavailable
from tests import factories
from tests.accounts.members import House

pytestmark = pytest.mark.django_db


def is_problem(answer: Any, status: int, slug: str) -> bool:
    body = answer.json()
    assert answer.status_code == status, body
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    assert body["type"] == f"{settings.PUBLIC_URL}/problems/{slug}"
    assert body["status"] == status
    assert body["request_id"] == answer["X-Request-Id"]
    assert body["title"]
    assert body["detail"]
    return True


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nothing",
        "/api/v1/games/",
        "/api/v1//games",
        "/api/v1/games/..;/x",
        "/api/v1/%2e%2e/admin",
        "/api/v1/games/%00",
        "/api/v2/games",
        "/nothing",
        "/.git/config",
        "/static/../manage.py",
        "/metrics/x",
    ],
)
def test_an_address_with_nothing_at_it(path: str) -> None:
    key = factories.server_key(factories.studio())
    answer = Client().get(path, headers={"Authorization": f"Bearer {key}"})
    assert is_problem(answer, 404, "not-found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "FOO", "GET"])
def test_a_method_that_an_address_does_not_take(method: str) -> None:
    key = factories.server_key(factories.studio())
    answer = Client().generic(
        method, "/api/v1/achievements/unlock", headers={"Authorization": f"Bearer {key}"}
    )
    assert is_problem(answer, 405, "method-not-allowed")
    assert "POST" in answer["Allow"]
    assert answer.json()["detail"] == f"This address takes {answer['Allow']}."


PICTURE = f"/media/icons/{UUID(int=7)}/{'0' * 32}-{LARGE}.webp"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", PICTURE])
@pytest.mark.parametrize("method", ["POST", "DELETE", "TRACE"])
def test_a_method_that_a_plain_view_does_not_take(path: str, method: str) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    assert is_problem(answer, 405, "method-not-allowed")
    assert "GET" in answer["Allow"]
    assert answer.json()["detail"] == f"This address takes {answer['Allow']}."


def test_a_method_override_is_ignored() -> None:
    studio = factories.studio()
    game = factories.game(studio)
    factories.achievement(game, state="draft")
    caller = factories.api(factories.server_key(studio))
    path = f"/games/{game.uuid}/achievements/first-blood"
    assert caller.get(path, X_HTTP_Method_Override="DELETE").status_code == 200
    assert caller.get(path).status_code == 200


def test_an_answer_in_a_form_that_there_is_not() -> None:
    caller = factories.api(factories.server_key(factories.studio()))
    assert is_problem(caller.get("/games", Accept="application/zzz"), 406, "not-acceptable")


def test_a_host_that_is_not_served() -> None:
    answer = Client().get("/nothing", headers={"Host": "evil.example"})
    assert is_problem(answer, 400, "malformed-request")


@pytest.mark.parametrize("sent", ["req-1", "01a20a40-93fe-71fd-81c7-dff885fb1966", "a/b:c+d=e_f"])
def test_a_valid_request_id_is_echoed(sent: str) -> None:
    assert Client().get("/api/v1", headers={"X-Request-Id": sent})["X-Request-Id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "<script>", "a\r\nSet-Cookie: x=1", "ü"])
def test_another_request_id_is_replaced(sent: str) -> None:
    given = Client().get("/api/v1", headers={"X-Request-Id": sent})["X-Request-Id"]
    assert given != sent
    assert len(given) == 36


@pytest.mark.parametrize("slug", sorted(PROBLEMS))
def test_every_problem_has_a_page(slug: str) -> None:
    page = Client().get(f"/problems/{slug}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    text = " ".join(unescape(re.sub("<[^>]+>", "", page.content.decode())).split())
    assert PROBLEMS[slug].title in text
    assert PROBLEMS[slug].remedy.replace("`", "") in text


def test_a_browser_gets_a_page_and_a_program_a_problem() -> None:
    page = Client().get("/nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
    assert is_problem(Client().get("/nothing", headers={"Accept": "*/*"}), 404, "not-found")
    assert is_problem(Client().get("/api/v1/x", headers={"Accept": "text/html"}), 404, "not-found")


def test_a_page_tells_people_what_programs_need_not_be_told(rf: RequestFactory) -> None:
    request = rf.get("/portal/", headers={"Accept": "text/html"})
    text = page_or_problem(request, Unavailable("The database does not answer.")).content.decode()
    assert "Load the page again in a moment." in text
    assert "Retry-After" not in text
    assert "Go to the portal" in text


@pytest.mark.parametrize(("seconds", "wait"), [("900", "15 minutes"), ("60", "a minute"), ("2", "a minute")])
def test_a_page_says_how_long_to_wait_and_how_to_get_in_at_once(
    rf: RequestFactory, seconds: str, wait: str
) -> None:
    request = rf.get("/account/login/", headers={"Accept": "text/html"})
    refused = Refused("That was too often.", slug="rate-limited", headers={"Retry-After": seconds})
    text = page_or_problem(request, refused).content.decode()
    assert f"Wait {wait}, then load the page again." in text
    assert "Reset the password" in text


@pytest.mark.parametrize("path", ["/account/login/", "/me/", "/portal/"])
def test_a_page_that_says_that_the_database_does_not_answer_asks_it_nothing(
    rf: RequestFactory, django_assert_num_queries: Any, path: str
) -> None:
    request = rf.get(path, headers={"Accept": "text/html"})
    request.user = SimpleLazyObject(User.objects.first)  # type: ignore[assignment]
    with django_assert_num_queries(0):
        assert page_or_problem(request, Unavailable("The database does not answer.")).status_code == 503


def test_a_player_who_is_lost_stays_on_the_players_dark_pages(rf: RequestFactory) -> None:
    text = Client().get("/players/nobody", headers={"Accept": "text/html"}).content.decode()
    assert 'data-bs-theme="dark"' in text
    assert ('href="/games"' in text, "API" in text) == (True, False)
    forgery = Client(enforce_csrf_checks=True).post("/me/settings", headers={"Accept": "text/html"})
    assert "This is not allowed" in forgery.content.decode()


def test_a_browser_at_the_address_of_a_form_is_told_to_go_back() -> None:
    answer = Client().get("/theme", headers={"Accept": "text/html"})
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Go back to the page that the form is on" in answer.content.decode()


def test_a_pointer_escapes_what_rfc_6901_says() -> None:
    caller = factories.api(factories.server_key(factories.studio()))
    answer = caller.post("/games", {"a/b~c": 1})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/a~1b~0c"


@pytest.mark.django_db(transaction=True)
def test_a_session_that_can_t_be_stored_says_why() -> None:
    house = House()
    session, page = house.client("owner").session.session_key, house.game_path("achievements")
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        other.execute("SELECT FROM django_session WHERE session_key = %s FOR UPDATE", [session])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            busy = house.client("owner").get(page)
    assert (busy.status_code, "database does not answer" in busy.text) == (503, True)
    with connection.cursor() as cursor:
        cursor.execute("CREATE RULE gone_meanwhile AS ON UPDATE TO django_session DO INSTEAD NOTHING")
        gone = house.client("owner").get(page)
        cursor.execute("DROP RULE gone_meanwhile ON django_session")
    assert (gone.status_code, "You were signed out" in gone.text) == (409, True)
