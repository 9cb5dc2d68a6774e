"""The portal's pages of server keys at the HTTP border, and what rotation and use mean for the API."""

import re
import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keyring, last_use, selectors, services
from accounts.keys import is_well_formed, key_hash
from accounts.models import Game, ServerKey
from core.models import AuditEntry
from core.refusals import Conflict
from tests import factories
from tests.accounts.members import House, audited, hidden_value

pytestmark = pytest.mark.django_db

ALLOWED = {"owner": 200, "admin": 200, "developer": 200, "support": 403, "analyst": 403}
ALLOWED |= {"outsider": 404, "signed out": 302}


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def row(house: House) -> ServerKey:
    return services.issue_key(studio_id=house.studio.pk, name="Old", scopes=["unlocks:write"])[0]


def new_key(house: House, **changed: Any) -> dict[str, Any]:
    form = {"name": "Production", "scopes": ["players:read", "unlocks:write"]}
    return form | {"once": hidden_value(house.get("keys/new"), "once")} | changed


def shown(answer: Any) -> str:
    """Return the one key that a page shows."""
    found: set[str] = set(re.findall(r"lrl_sk_[0-9A-Za-z]{49}", answer.content.decode()))
    (key,) = found
    return key


def test_a_key_is_made_and_shown_once(house: House) -> None:
    answer = house.post("keys/new", new_key(house, game=str(house.game.uuid)))
    assert answer.status_code == 200
    key = shown(answer)
    assert is_well_formed(key)
    assert "no-store" in answer["Cache-Control"]
    assert key not in str(answer.cookies)
    row = ServerKey.objects.get()
    assert bytes(row.hash) == key_hash(key)
    assert (row.name, row.scopes, row.game, row.expires_at) == (
        "Production",
        ["players:read", "unlocks:write"],
        house.game,
        None,
    )
    assert row.created_by is not None
    assert row.created_by.email == "owner@example.com"
    assert factories.api(key).get("/players/nobody").status_code == 404
    for page in ("keys", f"keys/{row.uuid}"):
        text = house.get(page).content.decode()
        assert f"lrl_sk_…{key[-4:]}" in text
        assert key not in text
        assert key_hash(key).hex() not in text
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("key.issue", str(row.uuid))
    assert key not in str(entry.details)


def test_a_form_that_is_sent_again_shows_no_key_and_makes_none(house: House) -> None:
    form = new_key(house)
    shown(house.post("keys/new", form))
    again = house.client("owner").post(house.path("keys/new"), form, follow=True)
    assert again.redirect_chain[0][0] == house.path("keys")
    assert "shown once" in again.content.decode()
    assert not re.search(r"lrl_sk_[0-9A-Za-z]{49}", again.content.decode())
    assert ServerKey.objects.count() == 1
    assert len(audited(house.studio)) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "required"),
        ({"name": "x" * 101}, "100 characters"),
        ({"name": "a\nb"}, "can be seen"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"scopes": []}, "Choose one at least"),
        ({"scopes": ["everything"]}, "not one of the available"),
        ({"last_day": "2020-01-01"}, "This day is over"),
        ({"last_day": "9999-12-31"}, "within ten years"),
        ({"last_day": "soon"}, "valid date"),
        ({"last_day": "0000-00-00"}, "valid date"),
        ({"once": ""}, "open too long"),
    ],
)
def test_a_key_that_can_t_be_is_refused_with_its_form(
    house: House, changed: dict[str, Any], said: str
) -> None:
    answer = house.post("keys/new", new_key(house, **changed))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ServerKey.objects.exists()
    assert audited(house.studio) == []


def test_another_studio_s_game_gets_no_key(house: House) -> None:
    theirs = factories.game(house.elsewhere)
    Game.objects.filter(pk=house.game.pk).update(archived_at=timezone.now())
    for uuid in (theirs.uuid, uuid4(), "x", house.game.uuid):
        assert house.post("keys/new", new_key(house, game=str(uuid))).status_code == 404
    assert not ServerKey.objects.exists()


def test_a_last_day_ends_at_midnight_utc(house: House) -> None:
    today = timezone.now().astimezone(UTC).date()
    house.post("keys/new", new_key(house, last_day=today.isoformat()))
    midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    assert ServerKey.objects.get().expires_at == midnight


@pytest.mark.slow
def test_who_may_open_and_send_which_page(house: House, row: ServerKey) -> None:
    sent = {who: 422 if status == 200 else status for who, status in ALLOWED.items()}
    assert house.statuses("get", "keys") == ALLOWED
    for page in ("new", f"{row.uuid}/rotate", f"{row.uuid}/revoke"):
        assert house.statuses("get", f"keys/{page}") == ALLOWED
        assert house.statuses("post", f"keys/{page}") == sent
    assert house.statuses("get", f"keys/{row.uuid}") == ALLOWED
    assert audited(house.studio) == []


def test_another_studio_s_key_is_not_there(house: House) -> None:
    theirs = services.issue_key(studio_id=house.elsewhere.pk, name="Theirs")[0]
    for uuid in (theirs.uuid, uuid4()):
        for page in ("", "/rotate", "/revoke"):
            assert house.get(f"keys/{uuid}{page}").status_code == 404
        assert house.post(f"keys/{uuid}/rotate", {"overlap": "1h"}).status_code == 404
        assert house.post(f"keys/{uuid}/revoke", {"reason": "mine"}).status_code == 404
    theirs.refresh_from_db()
    assert (theirs.revoked_at, theirs.rotated_at) == (None, None)
    assert "Theirs" not in house.get("keys").content.decode()
    assert ServerKey.objects.count() == 1


@pytest.mark.parametrize(("overlap", "hours"), [("1h", 1), ("24h", 24), ("7d", 168)])
def test_a_rotated_key_works_on_and_says_when_it_ends(house: House, overlap: str, hours: int) -> None:
    row, old = services.issue_key(
        studio_id=house.studio.pk, name="Old", scopes=["definitions:read"], game_id=house.game.pk
    )
    before = factories.api(old).get("/games")
    assert not before.has_header("Deprecation")
    assert not before.has_header("Sunset")
    answer = house.post(f"keys/{row.uuid}/rotate", {"overlap": overlap})
    new = shown(answer)
    row.refresh_from_db()
    assert row.rotated_at is not None
    assert row.expires_at == row.rotated_at + timedelta(hours=hours)
    follower = ServerKey.objects.get(hash=key_hash(new))
    assert row.replaced_by == follower
    assert (follower.scopes, follower.game, follower.name) == (["definitions:read"], house.game, "Old")

    during = factories.api(old).get("/games")
    assert during.status_code == 200
    assert during["Deprecation"] == f"@{int(row.rotated_at.timestamp())}"
    assert parsedate_to_datetime(during["Sunset"]) == row.expires_at.replace(microsecond=0)
    refused = factories.api(old).post("/games", {"title": "x"})
    assert (refused.status_code, refused.has_header("Sunset")) == (403, True)
    assert not factories.api(new).get("/games").has_header("Sunset")

    ServerKey.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    selectors.forget_keys()
    ended = factories.api(old).get("/games")
    assert ended.status_code == 401
    assert ended.json()["type"].endswith("/problems/credential-expired")
    assert ended["WWW-Authenticate"] == "Bearer"
    assert "replaced it" in ended.json()["detail"]
    assert factories.api(new).get("/games").status_code == 200
    assert [action for action, _ in audited(house.studio)] == ["key.rotate"]


def test_a_key_ends_to_the_second_though_it_is_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    row, old = services.issue_key(studio_id=house.studio.pk, name="Old")
    house.post(f"keys/{row.uuid}/rotate", {"overlap": "1h"})
    row.refresh_from_db()
    assert row.expires_at is not None
    assert factories.api(old).get("/games").status_code == 200
    for seconds, status in ((-1, 200), (0, 401), (1, 401)):
        at = row.expires_at + timedelta(seconds=seconds)
        monkeypatch.setattr("accounts.authentication.clock.now", lambda at=at: at)
        assert factories.api(old).get("/games").status_code == status


def test_rotating_twice_makes_one_key(house: House, row: ServerKey) -> None:
    shown(house.post(f"keys/{row.uuid}/rotate", {"overlap": "24h"}))
    again = house.post(f"keys/{row.uuid}/rotate", {"overlap": "7d"})
    assert again["Location"] == house.path("keys")
    assert house.get(f"keys/{row.uuid}/rotate").status_code == 302
    assert ServerKey.objects.count() == 2
    assert len(audited(house.studio)) == 1


def test_an_overlap_that_is_not_offered_is_refused(house: House, row: ServerKey) -> None:
    for overlap in ("", "0h", "100y", "24"):
        assert house.post(f"keys/{row.uuid}/rotate", {"overlap": overlap}).status_code == 422
    assert ServerKey.objects.count() == 1


def test_a_key_with_an_end_is_never_prolonged_and_its_follower_lasts_as_long(house: House) -> None:
    ends = timezone.now() + timedelta(hours=2)
    row, _ = services.issue_key(studio_id=house.studio.pk, name="Short", expires_at=ends)
    house.post(f"keys/{row.uuid}/rotate", {"overlap": "7d"})
    row.refresh_from_db()
    assert row.expires_at == ends
    follower = row.replaced_by
    assert follower is not None
    assert follower.expires_at is not None
    lasts = follower.expires_at - timezone.now()
    assert timedelta(hours=1, minutes=55) < lasts <= timedelta(hours=2)


def test_a_key_that_ended_is_neither_rotated_nor_revoked_again(house: House, row: ServerKey) -> None:
    revoked = house.post(f"keys/{row.uuid}/revoke", {"reason": "Leaked in a log."})
    assert revoked["Location"] == house.path("keys")
    row.refresh_from_db()
    first = row.revoked_at
    assert house.post(f"keys/{row.uuid}/rotate", {"overlap": "1h"}).status_code == 302
    assert house.post(f"keys/{row.uuid}/revoke", {"reason": "Again."}).status_code == 302
    row.refresh_from_db()
    assert (row.revoked_at, row.rotated_at, ServerKey.objects.count()) == (first, None, 1)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("key.revoke", "Leaked in a log.")


def test_a_revoked_key_stops_at_once(house: House) -> None:
    row, key = services.issue_key(studio_id=house.studio.pk, name="Leaked")
    assert factories.api(key).get("/games").status_code == 200
    house.post(f"keys/{row.uuid}/revoke", {"reason": "Leaked."})
    refused = factories.api(key).get("/games")
    assert refused.status_code == 401
    assert refused.json()["type"].endswith("/problems/unauthenticated")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x00b"])
def test_a_key_is_not_revoked_without_a_reason(house: House, row: ServerKey, reason: str) -> None:
    assert house.post(f"keys/{row.uuid}/revoke", {"reason": reason}).status_code == 422
    row.refresh_from_db()
    assert row.revoked_at is None


def test_a_studio_has_so_many_keys_and_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "MOST_KEYS", 1)
    house.post("keys/new", new_key(house))
    refused = house.post("keys/new", new_key(house))
    assert refused.status_code == 422
    assert "Revoke those that nobody uses" in refused.content.decode()
    row = ServerKey.objects.get()
    shown(house.post(f"keys/{row.uuid}/rotate", {"overlap": "1h"}))
    second = ServerKey.objects.exclude(pk=row.pk).get()
    assert house.post(f"keys/{second.uuid}/rotate", {"overlap": "1h"}).status_code == 302
    assert ServerKey.objects.count() == 2


def test_the_list_costs_the_same_queries_however_long_it_is(house: House) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert house.get("keys").status_code == 200
        return len(captured)

    services.issue_key(studio_id=house.studio.pk, name="k", game_id=house.game.pk)
    queries()  # begins the session's memory
    few = queries()
    for number in range(20):
        services.issue_key(studio_id=house.studio.pk, name=f"k{number}", game_id=house.game.pk)
    assert queries() == few


def test_names_are_shown_escaped(house: House) -> None:
    services.issue_key(studio_id=house.studio.pk, name="<img src=x onerror=alert(1)>")
    page = house.get("keys").content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_a_key_s_last_use_is_known_and_costs_one_write_a_minute(house: House) -> None:
    row, key = services.issue_key(studio_id=house.studio.pk, name="Used")
    assert "Never" in house.get(f"keys/{row.uuid}").content.decode()
    with CaptureQueriesContext(connection) as captured:
        for _ in range(5):
            factories.api(key).get("/games")
    writes = [one["sql"] for one in captured.captured_queries if "SET last_used_at" in one["sql"]]
    assert len(writes) == 1
    row.refresh_from_db()
    assert row.last_used_at is not None
    assert "Never" not in house.get(f"keys/{row.uuid}").content.decode()

    used = row.last_used_at
    last_use.forget()  # as another process begins
    factories.api(key).get("/games")
    row.refresh_from_db()
    assert row.last_used_at == used
    ServerKey.objects.update(last_used_at=used - timedelta(minutes=2))
    last_use.forget()
    factories.api(key).get("/games")
    row.refresh_from_db()
    assert row.last_used_at == used  # `now()` of the test's one transaction


def test_a_key_that_is_refused_is_not_used(house: House) -> None:
    row, key = services.issue_key(studio_id=house.studio.pk, name="Over", expires_at=timezone.now())
    assert factories.api(key).get("/games").status_code == 401
    row.refresh_from_db()
    assert row.last_used_at is None


def together(*works: Any) -> list[Any]:
    """Run functions at the same moment; return what each returned or raised."""
    barrier = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = works[place]()
        except Exception as error:  # noqa: BLE001 - it is what is asked for
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_key(house: House) -> None:
    form = new_key(house)
    session = house.client("owner").cookies

    def send() -> int:
        from django.test import Client  # noqa: PLC0415 - a browser of its own, with the same cookies

        client = Client(headers={"Accept": "text/html"})
        client.cookies = session
        status: int = client.post(house.path("keys/new"), form).status_code
        return status

    assert sorted(together(send, send, send)) == [200, 302, 302]
    assert ServerKey.objects.count() == 1
    assert len(audited(house.studio)) == 1


@pytest.mark.django_db(transaction=True)
def test_rotation_revocation_and_putting_away_at_once_end_in_order(house: House) -> None:
    from accounts import games  # noqa: PLC0415 - beside the one test of it

    user = house.client("owner").get(house.path()).context["visit"].user
    common: dict[str, Any] = {"studio_id": house.studio.pk, "actor": "user:test", "at": timezone.now()}
    an_hour = timedelta(hours=1)
    for number in range(4):
        Game.objects.update(archived_at=None)
        row, _ = services.issue_key(studio_id=house.studio.pk, name=f"k{number}", game_id=house.game.pk)
        results = together(
            lambda row=row: keyring.rotate(uuid=row.uuid, overlap=an_hour, user_id=user.pk, **common),
            lambda row=row: keyring.rotate(uuid=row.uuid, overlap=an_hour, user_id=user.pk, **common),
            lambda row=row: keyring.revoke(uuid=row.uuid, reason="x", **common),
            lambda: games.archive(game_id=house.game.pk, reason="x", **common),
        )
        for result in results:
            assert not isinstance(result, Exception) or isinstance(result, Conflict), result
        assert ServerKey.objects.filter(replaces=row).count() <= 1
        # Whatever came first: nothing of a game that is put away works.
        assert not ServerKey.objects.filter(game=house.game, revoked_at=None).exists()


def test_limits_are_chosen_audited_and_taken_back(house: House, row: ServerKey) -> None:
    page = f"keys/{row.uuid}/limits"
    text = house.get(page).content.decode()
    assert 'max="20000"' in text
    assert "Empty: 20,000, as many as this instance allows." in text
    assert house.post(page, {"writes_per_s": "50", "reads_per_s": ""}).status_code == 302
    assert "50 writes a second" in house.get(f"keys/{row.uuid}").content.decode()
    assert audited(house.studio)[-1][0] == "key.limits"
    before = AuditEntry.objects.count()
    house.post(page, {"writes_per_s": "50", "reads_per_s": ""})
    assert AuditEntry.objects.count() == before, "nothing changed"
    house.post(page, {"writes_per_s": "", "reads_per_s": ""})
    row.refresh_from_db()
    assert (row.writes_per_s, row.reads_per_s) == (None, None)


@pytest.mark.parametrize("wrong", ["0", "-1", "20001", "1.5", "many", "9" * 30])
def test_a_limit_that_cannot_be_changes_nothing(house: House, row: ServerKey, wrong: str) -> None:
    answer = house.post(f"keys/{row.uuid}/limits", {"writes_per_s": wrong})
    assert answer.status_code == 422
    row.refresh_from_db()
    assert row.writes_per_s is None
