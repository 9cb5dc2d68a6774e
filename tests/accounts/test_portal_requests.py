"""The request log's pages and its CSV file: who may read them, what they show, how one gets through a long log."""

import csv
import io
import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.calls import log, writing
from accounts.calls.models import Call
from accounts.calls.notebook import Notebook
from core.refusals import Told
from tests import factories
from tests.accounts.calls import refused_call, write
from tests.accounts.members import House
from tests.accounts.test_request_log import a_call

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>{{ 7|add:7 }}\u202e"


@pytest.fixture
def house() -> House:
    return House()


def note(house: House, number: int = 1, **changes: Any) -> None:
    """Note a refusal, of so many seconds ago."""
    book, age = Notebook(), changes.pop("age", 60)
    at = (timezone.now() - timedelta(seconds=age)).timestamp()
    told = Told("validation-failed", f"Reason {number}.", (("/a", "No."),))
    values = {"told": told, "request_id": f"request-{number}", "status": 422} | changes
    book.note(a_call(house.studio.pk, at=at, **values), "refused")
    writing.write(book, at=timezone.now())


def page(house: House, query: str = "", *, by: str = "owner") -> str:
    answer = house.client(by).get(house.path(f"requests{query}"))
    assert answer.status_code == 200, answer.content
    return unescape(answer.content.decode())


def shown(text: str) -> list[str]:
    return re.findall(r"Reason (\d+)\.", text)


def settle() -> None:
    """Let time pass until what is noted has settled."""
    Call.objects.update(noted_at=timezone.now() - timedelta(minutes=1))


def lines(house: House, query: str = "") -> list[list[str]]:
    answer = house.client("owner").get(house.path(f"requests.csv{query}"))
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.getvalue().decode(), newline=""), strict=True))


def test_who_may_read_it(house: House) -> None:
    pk = refused_call(house.studio)
    for rest in ("requests", "requests.csv", f"requests/{pk}"):
        assert house.statuses("get", rest) == {
            "owner": 200,
            "admin": 200,
            "developer": 200,
            "support": 403,
            "analyst": 403,
            "outsider": 404,
            "signed out": 302,
        }, rest


def test_another_studio_s_calls_are_nowhere(house: House) -> None:
    theirs = refused_call(house.elsewhere)
    mine = refused_call(house.studio)
    assert house.get(f"requests/{theirs}").status_code == 404
    assert house.get(f"requests/{mine}").status_code == 200
    assert page(house).count("/requests/") == 1
    assert len(lines(house)) == 2 - 1 + 1
    settle()
    assert len(lines(house)) == 3


def test_a_call_is_shown_with_all_of_its_problem_and_what_to_do(house: House) -> None:
    key = factories.server_key(house.studio)
    factories.api(key).post("/games", {"title": "", "regions": "EU"}, X_Request_Id="abc-1")
    write()
    call = Call.objects.get()
    text = unescape(house.get(f"requests/{call.pk}").content.decode())
    for told in (
        "A value can't be",
        call.detail,
        "/title",
        "/problems/validation-failed",
        "abc-1",
        f"…{key[-4:]}",
    ):
        assert told in text, told
    assert '"regions": "EU"' in text
    assert "names each value with a pointer" in text  # the remedy
    assert "127.0.0.0/24" in text


def test_an_unknown_or_absurd_number_is_nothing(house: House) -> None:
    for number in (0, 1, 2**63 - 1, 2**63, 10**40):
        assert house.get(f"requests/{number}").status_code == 404


@pytest.mark.slow
def test_it_is_filtered_by_what_the_address_says(house: House) -> None:
    key = factories.server_key(house.studio)
    pk = house.studio.keys.get()
    note(house, 1)
    note(house, 2, status=503, told=Told("unavailable", "Reason 2."))
    note(house, 3, key_id=pk.pk, route="api/v1/games/<str:game_id>", path="/api/v1/games/x%")
    note(house, 4, game=str(house.game.uuid), age=3 * 3600)
    note(house, 5, age=26 * 3600)
    assert key
    at = timezone.now() - timedelta(hours=2)
    for query, found in {
        "": ["5", "4", "3", "2", "1"],
        "?ending=refused": ["5", "4", "3", "1"],
        "?ending=failed": ["2"],
        "?ending=ok": [],
        "?problem=unavailable": ["2"],
        f"?key={pk.uuid}": ["3"],
        f"?game={house.game.uuid}": ["4"],
        "?route=games": ["3"],
        "?route=/api/v1/games/x%25": ["3"],
        "?route=/api/v1/games/_": [],
        "?request_id=request-4": ["4"],
        "?span=1h": ["3", "2", "1"],
        "?span=24h": ["4", "3", "2", "1"],
        f"?from={at:%Y-%m-%dT%H:%M}": ["3", "2", "1"],
        f"?to={at:%Y-%m-%dT%H:%M}": ["5", "4"],
        f"?span=24h&to={at:%Y-%m-%dT%H:%M}&ending=refused&problem=validation-failed": ["4"],
        "?unknown=1&problem=": ["5", "4", "3", "2", "1"],
    }.items():
        assert shown(page(house, query)) == found, query
    assert "No call matches." in page(house, "?ending=ok")
    assert "Clear filters" in page(house, "?ending=ok")
    assert "Clear filters" not in page(house)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?problem=nothing", "not one of the available choices"),
        ("?key=x", "not one of the available choices"),
        ("?game=0198f2c4-6f1e-7000-8000-000000000000", "not one of the available choices"),
        ("?ending=x", "not one of the available choices"),
        ("?span=9y", "not one of the available choices"),
        ("?route=a%00b", "characters"),
        ("?route=a%0ab", "Use characters that can be seen."),
        ("?request_id=" + "x" * 129, "at most 128 characters"),
        ("?from=yesterday", "Use a time such as"),
        ("?from=0001-01-01T00:00", "from 2000 on"),
        ("?to=9999-12-31T23:59", "before 3000"),
        ("?from=2026-11-21T00:00&to=2026-11-20T00:00", "The end is before the beginning."),
    ],
)
def test_a_filter_that_can_not_be_is_refused_with_a_sentence(house: House, query: str, told: str) -> None:
    note(house)
    for rest in ("requests", "requests.csv"):
        answer = house.get(f"{rest}{query}")
        assert answer.status_code == 422
        text = unescape(answer.content.decode())
        assert told in text
        assert "Nothing was looked up." in text
        assert "Reason 1." not in text


@pytest.mark.parametrize("cursor", ["x", "a.b", "%00", "x" * 3000])
def test_a_forged_cursor_is_refused(house: House, cursor: str) -> None:
    assert house.get(f"requests?cursor={cursor}").status_code == 400
    assert house.get(f"requests.csv?since={cursor}").status_code == 400


@pytest.mark.slow
def test_a_long_log_is_paged_without_a_gap_while_new_ones_come(house: House) -> None:
    book = Notebook()
    now = timezone.now().timestamp()
    for number in range(230):
        told = Told("conflict", f"Reason {number}.")
        book.note(a_call(house.studio.pk, at=now - 1000 * (230 - number), told=told), "refused")
    writing.write(book, at=timezone.now())
    seen, query, pages = [], "?ending=refused", 0
    while query:
        text = page(house, query)
        pages += 1
        seen += [int(one) for one in shown(text)]
        note(house, 1000 + pages)
        older = re.search(r'href="[^"]*/requests(\?[^"]*cursor=[^"]*)"', text)
        query = older[1] if older else ""
    assert (pages, seen) == (5, list(range(229, -1, -1)))


def test_what_was_refused_most_is_told_first_with_all_that_was_summed_up(house: House) -> None:
    book, now = Notebook(), timezone.now().timestamp()
    for _ in range(4_412):
        book.note(a_call(house.studio.pk, at=now), "refused")
    book.note(a_call(house.studio.pk, at=now, status=404, told=Told("not-found", "None.")), "refused")
    writing.write(book, at=timezone.now())
    text = page(house)
    assert re.search(r">4,412<.*A value can't be", text, re.S)
    assert "and 4,312 more like it" in text
    [summary] = Call.objects.filter(is_summary=True, slug="validation-failed")
    assert "4,312 calls like others" in house.get(f"requests/{summary.pk}").content.decode()


def test_it_says_how_many_could_not_be_noted(house: House) -> None:
    from accounts.calls.models import CallCount  # noqa: PLC0415

    CallCount.objects.create(
        studio_id=house.studio.pk, day=timezone.now().date(), ending="missed", count=1204
    )
    assert "1,204 refused calls could not be noted." in page(house)


def test_what_is_older_than_a_week_is_not_shown(house: House) -> None:
    note(house, 1, age=7 * 86_400 + 60)
    pk = Call.objects.get().pk
    assert shown(page(house)) == []
    assert house.get(f"requests/{pk}").status_code == 404
    settle()
    assert len(lines(house)) == 2


def test_the_file_goes_on_where_the_last_one_ended(house: House) -> None:
    for number in range(3):
        note(house, number)
    settle()
    note(house, 3)
    rows = lines(house)
    assert [row[7] for row in rows[1:-1]] == ["Reason 2.", "Reason 1.", "Reason 0."]
    cursor = rows[-1][0]
    assert [row[7] for row in lines(house, f"?since={cursor}")[1:-1]] == []
    settle()
    note(house, 4)
    settle()
    rows = lines(house, f"?since={cursor}")
    assert [row[7] for row in rows[1:-1]] == ["Reason 3.", "Reason 4."]
    assert [row[7] for row in lines(house, f"?since={rows[-1][0]}")[1:-1]] == []
    assert house.client("owner").get(f"/portal/{uuid4()}/requests.csv?since={cursor}").status_code == 404


def test_no_cell_of_the_file_is_a_formula(house: House) -> None:
    note(house, 1, told=Told("conflict", "=cmd|' /C calc'!A0"), path="/api/v1/@x", request_id="+1")
    settle()
    for text in lines(house)[1]:
        assert not text.startswith(("=", "+", "@"))


def test_hostile_texts_are_shown_as_texts(house: House) -> None:
    note(
        house,
        told=Told("conflict", HOSTILE, ((HOSTILE, HOSTILE),)),
        path=f"/api/v1/{HOSTILE}",
        route="",
        body=b'{"a": "<script>alert(1)</script>"}',
    )
    for rest in ("requests", f"requests/{Call.objects.get().pk}"):
        text = house.get(rest).content.decode()
        assert "<script>alert" not in text
        assert "14" not in re.findall(r"alert\(1\)[^<]{0,40}", unescape(text))[0]


def test_pages_ask_little_of_the_database(house: House, django_assert_max_num_queries: Any) -> None:
    pk = refused_call(house.studio)
    for number in range(60):
        note(house, number, key_id=house.studio.keys.get().pk, game=str(house.game.uuid))
    page(house)
    with django_assert_max_num_queries(14):
        page(house)
    with django_assert_max_num_queries(10):
        house.get(f"requests/{pk}")


def test_a_studio_without_calls_is_told_so(house: House) -> None:
    assert "No call was refused in seven days." in page(house)
    assert log.refused_by_problem(house.studio.pk, at=timezone.now()) == []
    assert Client().get(house.path("requests")).status_code == 302
