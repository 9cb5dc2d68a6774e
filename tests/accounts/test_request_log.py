"""The request log: what is noted of calls, at what cost, and what is never kept."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.db import OperationalError, ProgrammingError, connection
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.calls import keeping, middleware, notebook, redacting, writing
from accounts.calls.models import Call, CallCount
from accounts.calls.notebook import Notebook, Noted, Sort
from accounts.models import ServerKey, Studio
from core.refusals import Told
from tests import factories
from tests.accounts.calls import calls, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


def counted(of: Studio) -> dict[str, int]:
    return dict(CallCount.objects.filter(studio_id=of.pk).values_list("ending", "count"))


def a_call(owner: int | bytes = 1, *, at: float = 1000.0, **changes: Any) -> Noted:
    values: dict[str, Any] = {
        "key_id": None,
        "game": None,
        "method": "POST",
        "route": "api/v1/x",
        "path": "/api/v1/x",
        "status": 422,
        "told": Told("validation-failed", "No.", ()),
        "weight": 1,
        "duration_us": 10,
        "request_id": "r",
        "address": "203.0.113.7",
        "body": b"",
        "body_bytes": 0,
    }
    return Noted(at=at, owner=owner, **(values | changes))


def test_a_refused_call_is_noted_with_its_problem(studio: Studio) -> None:
    game = factories.game(studio)
    api = factories.api(factories.server_key(studio, scopes=["unlocks:write"]))
    body = {"game_id": str(game.uuid), "player": "p-1", "achievement": "nothing"}
    answer = api.post("/achievements/unlock", body, X_Request_Id="my-request")
    assert answer.status_code == 404
    write()
    [call] = calls(studio)
    assert (call.method, call.route, call.status) == ("POST", "api/v1/achievements/unlock", 404)
    assert (call.slug, call.detail) == ("not-found", answer.json()["detail"])
    assert call.request_id == "my-request"
    assert call.address == "127.0.0.0/24"
    assert call.key_id == ServerKey.objects.get().pk
    assert call.game == game.uuid
    assert call.weight == 1
    assert not call.is_summary
    assert call.duration_us is not None
    assert orjson.loads(call.body) == body
    assert counted(studio) == {"refused": 1}


def test_what_is_wrong_in_a_body_is_noted_place_by_place(studio: Studio) -> None:
    api = factories.api(factories.server_key(studio))
    answer = api.post("/games", {"title": "", "regions": "EU"})
    assert answer.status_code == 422
    write()
    [call] = calls(studio)
    told = [(row["pointer"], row["detail"]) for row in orjson.loads(call.errors)]
    assert told == [(row["pointer"], row["detail"]) for row in answer.json()["errors"]]


def test_calls_that_are_answered_are_counted_and_one_in_a_hundred_is_noted(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = factories.api(factories.server_key(studio))
    monkeypatch.setattr(middleware, "_SAMPLE", 0.0)
    for _ in range(3):
        assert api.get("/games").status_code == 200
    monkeypatch.setattr(middleware, "_SAMPLE", 1.0)
    assert api.get("/games").status_code == 200
    write()
    [call] = calls(studio)
    assert (call.route, call.status, call.weight, call.slug, call.body) == ("api/v1/games", 200, 100, "", "")
    assert counted(studio) == {"ok": 4}
    write()
    assert counted(studio) == {"ok": 4}


def test_samples_are_a_hundredth(studio: Studio) -> None:
    assert middleware._SAMPLE * middleware.SAMPLED == 1.0


def test_who_is_not_known_leaves_no_trace(studio: Studio) -> None:
    from accounts import keys  # noqa: PLC0415

    for credential in (None, keys.new_key(), "lrl_sk_mistyped", "eyJhbGciOiJIUzI1NiJ9.e30.x", "x" * 5000):
        assert factories.api(credential).get("/games").status_code == 401
    assert Client().get("/portal/").status_code == 302
    write()
    assert not Call.objects.exists()
    assert not CallCount.objects.exists()


def test_a_revoked_key_s_calls_are_its_studio_s(studio: Studio) -> None:
    key = factories.server_key(studio)
    factories.revoke(key)
    assert factories.api(key).get("/games").status_code == 401
    write()
    [call] = calls(studio)
    assert (call.status, call.slug, call.key_id) == (401, "unauthenticated", ServerKey.objects.get().pk)
    assert counted(studio) == {"refused": 1}


def test_an_expired_key_s_calls_are_its_studio_s(studio: Studio) -> None:
    key = factories.server_key(studio)
    ServerKey.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert factories.api(key).get("/games").status_code == 401
    write()
    assert [call.slug for call in calls(studio)] == ["credential-expired"]


def test_an_address_is_noted_as_the_documentation_writes_it(studio: Studio) -> None:
    assert factories.api(factories.server_key(studio)).get("/players/nobody/stats").status_code == 422
    write()
    [call] = calls(studio)
    assert (call.route, call.path) == ("api/v1/players/{player}/stats", "/api/v1/players/nobody/stats")


def test_an_address_that_nobody_has_is_noted_for_who_asked(studio: Studio) -> None:
    assert factories.api(factories.server_key(studio)).get("/nothing/here").status_code == 404
    write()
    [call] = calls(studio)
    assert (call.route, call.path) == ("", "/api/v1/nothing/here")


def test_a_player_token_s_calls_are_noted_without_a_key(studio: Studio) -> None:
    game = factories.game(studio)
    token = factories.player_token(game, factories.player(studio))
    assert factories.api(token).get("/games").status_code == 403
    write()
    [call] = calls(studio)
    assert (call.key_id, call.game, call.slug) == (None, game.uuid, "forbidden")


def test_nobody_s_calls_stand_in_another_studio_s_log(studio: Studio) -> None:
    other = factories.studio()
    game = factories.game(other)
    assert factories.api(factories.server_key(studio)).get(f"/games/{game.uuid}").status_code == 404
    write()
    assert len(calls(studio)) == 1
    assert calls(other) == []


def test_no_credential_is_ever_kept(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    key = factories.server_key(studio)
    token = factories.player_token(factories.game(studio), factories.player(studio))
    api = factories.api(key)
    body = {
        "title": f"my key is {key}, ok",
        "nested": [{"Authorization": "Bearer zyxwv", "api_key": "k1", "note": f"Bearer {token}"}],
        "password": ["hunter2"],
        "client_secret": {"a": "s3"},
        "email": "ada@example.com",
        "url": "https://user:pw@example.com/hook/T0k3n?sig=1",
        "hook": "whsec_" + "aB3" * 10,
        key: 1,
    }
    assert api.post("/games", body).status_code == 400
    assert api.get(f"/games/{key}").status_code == 404
    monkeypatch.setattr(middleware, "_SAMPLE", 1.0)
    assert api.get("/games", **{"X-Request-Id": key}).status_code == 200
    write()
    kept = " ".join(
        " ".join(map(str, row))
        for row in Call.objects.values_list("path", "detail", "errors", "body", "route", "request_id")
    )
    for secret in (
        key,
        key[-20:],
        token,
        "hunter2",
        "k1",
        "s3",
        "ada@",
        "pw@",
        "T0k3n",
        "sig=",
        "aB3aB3",
        "abc",
    ):
        assert secret not in kept, secret
    assert "https://example.com/…" in kept


def test_what_is_not_json_or_too_large_is_not_copied(studio: Studio) -> None:
    api = factories.api(factories.server_key(studio))
    large = orjson.dumps({"title": "x" * 70_000})
    for body, status in ((b"{", 400), (b'{"a": NaN}', 422), (b"\xff", 400), (large, 422)):
        assert api.post("/games", body).status_code == status
    assert api.post("/games", b"a=b", content_type="text/plain").status_code == 415
    write()
    assert [(call.body, call.body_bytes) for call in calls(studio)] == [
        ("", 1),
        ("", 10),
        ("", 1),
        ("", len(large)),
        ("", 0),
    ]


def test_a_body_of_a_thousand_things_is_cut(studio: Studio) -> None:
    api = factories.api(factories.server_key(studio))
    body = {"items": [{"n": n} for n in range(1000)], "text": "é" * 5000, "deep": 1}
    for _ in range(30):
        body["deep"] = {"deep": body["deep"]}
    assert api.post("/games", body).status_code in (400, 422)
    write()
    [call] = calls(studio)
    assert len(call.body.encode()) <= redacting.LARGEST_KEPT
    assert "… 990 more" in call.body


def test_a_flood_of_one_studio_is_summed_up_to_the_last_call() -> None:
    book, studio, other = Notebook(), factories.studio(), factories.studio()
    for n in range(5_000):
        book.note(a_call(studio.pk, at=1000 + n / 10_000), "refused")
    book.note(a_call(other.pk), "refused")
    writing.write(book, at=timezone.now())
    whole = [call for call in calls(studio) if not call.is_summary]
    [summary] = calls(studio, is_summary=True)
    assert len(whole) == 100
    assert summary.weight == 4_900
    assert (summary.route, summary.slug, summary.status) == ("api/v1/x", "validation-failed", 422)
    assert counted(studio) == {"refused": 5_000}
    assert len(calls(other)) == 1


def test_sums_wait_for_their_minute_and_go_on() -> None:
    book, studio = Notebook(), factories.studio()
    for n in range(150):
        book.note(a_call(studio.pk, at=1000 + n / 10_000), "refused")
    assert writing.write(book, at=timezone.now(), sums=False) == 100
    for _ in range(50):
        book.note(a_call(studio.pk, at=1000.5), "refused")
    writing.write(book, at=timezone.now(), sums=False)
    writing.write(book, at=timezone.now(), sums=True)
    assert [call.weight for call in calls(studio, is_summary=True)] == [100]


def test_a_flood_of_made_up_keys_fills_nothing() -> None:
    book, studio = Notebook(), factories.studio()
    for n in range(30_000):
        book.note(a_call(n.to_bytes(32, "big"), body=b"{}"), "refused")
    book.note(a_call(studio.pk), "refused")
    page = book._page
    assert len(page.calls) <= notebook.MOST_OF_KEYS + 1
    assert len(page.counts) <= 2 * notebook.MOST_KEYS + 1
    assert len(book._budgets) <= notebook.MOST_OWNERS
    writing.write(book, at=timezone.now())
    assert Call.objects.count() == len(calls(studio)) == 1
    assert CallCount.objects.count() == 1


def test_a_flood_of_many_studios_is_bounded_and_what_is_left_out_is_counted() -> None:
    book = Notebook()
    for n in range(10_000):
        book.note(a_call(n % 500, body=b"x" * 60_000), "refused")
    page = book._page
    assert len(page.calls) == notebook.MOST_CALLS
    assert sum(len(call.body) for call in page.calls) <= notebook.MOST_BODY_BYTES
    missed = sum(n for (_, ending), n in page.counts.items() if ending == "missed")
    assert missed == 10_000 - notebook.MOST_CALLS
    assert sum(n for (_, ending), n in page.counts.items() if ending == "refused") == 10_000


def test_addresses_without_end_fill_nothing() -> None:
    book = Notebook()
    for n in range(20_000):
        book.note(a_call(1, route=f"api/v1/{n}"), "refused")
    assert len(book._page.sums) <= notebook.MOST_SUMS_OF_ONE + 1
    assert sum(count for count, _ in book._page.sums.values()) == 20_000 - 100


def test_what_is_not_taken_in_time_is_written_next_time(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = factories.api(factories.server_key(studio))
    api.get("/games/nothing")
    with monkeypatch.context() as patch, connection.cursor() as cursor:
        patch.setattr(writing, "_COUNT", "SELECT pg_sleep(60), $1::text, $2::date")
        cursor.execute("SET LOCAL statement_timeout = 50")
        with pytest.raises(OperationalError):
            write()
        cursor.execute("SET LOCAL statement_timeout = 0")
    assert calls(studio) == []
    api.get("/games/nothing")
    write()
    assert len(calls(studio)) == 2
    assert counted(studio) == {"refused": 2}


def test_what_would_never_be_taken_stops_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    api = factories.api(factories.server_key(studio))
    api.get("/games/nothing")
    with monkeypatch.context() as patch:
        patch.setattr(writing, "_COUNT", "SELECT nothing($1, $2)")
        with pytest.raises(ProgrammingError):
            write()
    api.get("/games/nothing")
    write()
    assert counted(studio) == {"refused": 1}


def test_odd_paths_and_huge_sums_are_written() -> None:
    book, studio = Notebook(), factories.studio()
    for path in ("/api/v1/\ud800", "/api/v1/\0", "/api/v1/\udcff\n", "/api/v1/" + "é" * 2000):
        told = Told("conflict", f"{path} \0 \ud800", ((path, path),) * 30)
        book.note(a_call(studio.pk, path=path, told=told, body=b"\xff"), "refused")
    book._page.sums[Sort(studio.pk, "GET", "x", 404, "not-found")] = [1e15, 1000.0]
    writing.write(book, at=timezone.now())
    assert len(calls(studio)) == 5
    assert max(call.weight for call in calls(studio)) == 2**31 - 1


def test_what_can_not_be_written_for_long_stays_bounded() -> None:
    book = Notebook()
    for round_ in range(4):
        for n in range(1_000):
            book.note(a_call(n, at=1000 + round_ * 1e4), "refused")
        book.put_back(book.take(sums=True))
    assert len(book._page.calls) == notebook.MOST_CALLS
    counts = book._page.counts
    assert sum(n for (_, ending), n in counts.items() if ending == "refused") == 4_000
    assert sum(n for (_, ending), n in counts.items() if ending == "missed") == 2_000


def test_no_call_is_lost_among_threads(studio: Studio) -> None:
    book, done = Notebook(), threading.Event()
    pages: list[Any] = []

    def note() -> None:
        for _ in range(2_000):
            book.count(studio.pk, "ok")
            book.note(a_call(studio.pk), "refused")

    def take() -> None:
        while not done.is_set():
            pages.append(book.take(sums=True))

    taker = threading.Thread(target=take)
    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in (taker, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    taker.join()
    pages.append(book.take(sums=True))
    for ending in ("ok", "refused"):
        assert sum(page.counts[studio.pk, ending] for page in pages) == 8_000
    noted = sum(len(page.calls) for page in pages)
    assert noted + sum(count for page in pages for count, _ in page.sums.values()) == 8_000


def test_days_are_made_ahead_and_dropped_after_a_week(studio: Studio) -> None:
    now = timezone.now()
    later = now + timedelta(days=9)
    api = factories.api(factories.server_key(studio))
    api.get("/games/nothing")
    write()
    book = Notebook()
    book.note(a_call(studio.pk, at=(now - timedelta(days=30)).timestamp()), "refused")
    writing.write(book, at=now)
    assert len(calls(studio)) == 2
    assert keeping.keep(now=now) == []
    assert len(calls(studio)) == 1  # what no table was made for goes by itself
    assert f"accounts_call_{now:%Y%m%d}" in keeping.keep(now=later)
    assert calls(studio) == []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass(%s) IS NOT NULL", [f"accounts_call_{later + timedelta(days=3):%Y%m%d}"]
        )
        assert cursor.fetchone() == (True,)


def test_counts_are_of_the_day_they_are_written(studio: Studio) -> None:
    api = factories.api(factories.server_key(studio))
    for day in (1, 1, 2):
        api.get("/games/nothing")
        write(at=datetime(2026, 11, day, 23, 59, tzinfo=UTC))
    rows = CallCount.objects.filter(studio_id=studio.pk).order_by("day").values_list("day__day", "count")
    assert list(rows) == [(1, 2), (2, 1)]


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unix:", ""),
        ("<script>", ""),
    ],
)
def test_an_address_is_kept_as_its_network(text: str, network: str) -> None:
    assert redacting.address(text) == network


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.slow
@given(value=JSON)
def test_any_body_s_copy_is_short_and_fit_for_the_database(value: Any) -> None:
    copy = redacting.body_copy(orjson.dumps(value))
    assert len(copy.encode()) <= redacting.LARGEST_KEPT
    assert "\0" not in copy


@pytest.mark.slow
@given(
    secret=st.from_regex(r"[a-z]{8}[A-Z]{8}[0-9]{8}[a-zA-Z0-9]{0,20}", fullmatch=True),
    around=st.text(" .,:", max_size=5),
)
def test_long_runs_that_look_random_are_hidden(secret: str, around: str) -> None:
    assert secret not in redacting.hide(f"{around}{secret}{around}")


@given(
    name=st.sampled_from(
        ["token", "Secret", "apiKey", "API-KEY", "userPassword", "X-Signature", "linkCode", "code"]
    )
)
def test_values_under_such_names_are_hidden_whatever_they_are(name: str) -> None:
    copy = redacting.body_copy(orjson.dumps({name: {"a": ["plain"]}}))
    assert "plain" not in copy


def test_ids_and_names_stay_readable() -> None:
    for text in (
        str(uuid4()),
        "keeper-of-the-reach-2",
        "76561198000000001",
        "a" * 64,
        "Keeper of the Reach 2026",
    ):
        assert redacting.hide(text) == text
