"""/webhooks at the border: shapes, refusals, other studios, ranges."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.keys import SCOPES
from accounts.models import Studio
from core.ids import new_id
from core.models import AuditEntry
from tests import factories
from tests.factories import Api
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.services import deliveries, endpoints

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_network")]

URL = "https://hooks.example.com/laurel"


@pytest.fixture
def hook(api: Api) -> dict[str, Any]:
    made: dict[str, Any] = api.post("/webhooks", {"url": URL}).json()
    return made


def delivered(hook: dict[str, Any], count: int = 1, **values: Any) -> list[Delivery]:
    """Store deliveries, parked an hour ago if nothing else is said."""
    endpoint = Endpoint.objects.get(uuid=hook["id"])
    at = timezone.now() - timedelta(hours=1)
    fields = {
        "event": "player.created",
        "payload": '{"type":"x"}',
        "created_at": at,
        "state": "parked",
        **values,
    }
    return [Delivery.objects.create(endpoint=endpoint, uuid=new_id(), **fields) for _ in range(count)]


def test_it_is_created_with_a_secret_that_is_not_shown_again(api: Api, hook: dict[str, Any]) -> None:
    assert hook["url"] == URL
    assert hook["events"] == sorted(
        ["achievement.unlocked", "achievement.revoked", "player.created", "leaderboard.period_ended"]
    )
    assert (hook["enabled"], hook["game_id"], hook["disabled_reason"]) == (True, None, None)
    secret = hook.pop("secret")
    assert secret.startswith("whsec_")
    shown = api.get(f"/webhooks/{hook['id']}")
    assert shown.json() == hook
    listed = api.get("/webhooks").json()
    assert listed["results"] == [hook]
    for text in (shown.content, api.get("/webhooks").content, str(AuditEntry.objects.values()).encode()):
        assert secret.removeprefix("whsec_").encode() not in text


def test_no_secret_is_kept_with_an_answer_that_is_given_again(api: Api) -> None:
    def post(path: str, body: dict[str, Any], key: str) -> Any:
        return api.post(path, body, Idempotency_Key=key)

    made = post("/webhooks", {"url": URL}, "create").json()
    path = f"/webhooks/{made['id']}/rotate-secret"
    rotated = post(path, {"overlap_hours": 1}, "rotate").json()
    again = post("/webhooks", {"url": URL}, "create")
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.json() == {name: value for name, value in made.items() if name != "secret"}
    assert Endpoint.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM core_idempotencykey")
        kept = [bytes(row[0]) for row in cursor.fetchall()]
    assert len(kept) == 2
    for secret in (made["secret"], rotated["secret"]):
        assert secret.encode() not in b"".join(kept)


def test_a_range_is_queued_in_short_transactions_whatever_its_header_says(
    api: Api, hook: dict[str, Any]
) -> None:
    delivered(hook)
    path, body = f"/webhooks/{hook['id']}/redeliver", {"since": "2026-01-01T00:00:00Z"}
    answer = api.post(path, body, Idempotency_Key="x")
    assert answer.json() == {"queued": 1}
    assert "Idempotent-Replayed" not in api.post(path, body, Idempotency_Key="x")


def test_it_is_changed_disabled_and_deleted_and_each_is_noted(api: Api, hook: dict[str, Any]) -> None:
    path = f"/webhooks/{hook['id']}"
    changed = api.patch(path, {"events": ["player.created"], "description": "Ours", "enabled": False}).json()
    assert (changed["events"], changed["description"]) == (["player.created"], "Ours")
    assert (changed["enabled"], changed["disabled_reason"]) == (False, "by_hand")
    assert api.patch(path, {"enabled": True}).json()["disabled_at"] is None
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == api.patch(path, {}).status_code == api.delete(path).status_code == 404
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "webhook.create",
        "webhook.change",
        "webhook.change",
        "webhook.delete",
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"url": 1}, 422),
        ({"url": URL, "events": []}, 422),
        ({"url": URL, "events": ["player.erased"]}, 422),
        ({"url": URL, "events": "player.created"}, 422),
        ({"url": URL, "events": [{}]}, 422),
        ({"url": URL, "events": {"player.created": True}}, 422),
        ({"url": URL, "secret": "mine"}, 400),
        ({"url": URL, "description": "x" * 201}, 422),
        ({"url": URL, "description": "a\x00b"}, 422),
        ({"url": f"{URL}/{'x' * 2048}"}, 422),
        ({"url": f"https://hooks.example.com?{'x' * 2022}"}, 422),  # with its path it is one too long
        ({"url": URL, "game_id": "x"}, 404),
        ([], 400),
    ],
)
def test_what_cannot_be_is_refused(api: Api, body: Any, status: int) -> None:
    assert api.post("/webhooks", body).status_code == status
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("hours", ["1", "1_0", "٢", 24.0, True, [1], -1])
def test_an_overlap_is_a_whole_number_of_hours(api: Api, hook: dict[str, Any], hours: Any) -> None:
    answer = api.post(f"/webhooks/{hook['id']}/rotate-secret", {"overlap_hours": hours})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/overlap_hours")
    assert api.get(f"/webhooks/{hook['id']}").json()["previous_secret_until"] is None


def test_the_scope_is_needed_and_a_player_token_is_not_enough(studio: Studio, hook: dict[str, Any]) -> None:
    others = [scope for scope in SCOPES if scope != "webhooks:write"]
    lesser = factories.api(factories.server_key(studio, scopes=others))
    token = factories.player_token(factories.game(studio), factories.player(studio))
    for caller in (lesser, factories.api(token)):
        for path in ("/webhooks", f"/webhooks/{hook['id']}", f"/webhooks/{hook['id']}/deliveries"):
            assert caller.get(path).status_code == 403
        assert caller.post("/webhooks", {"url": URL}).status_code == 403
    assert factories.api().get("/webhooks").status_code == 401


def test_another_studio_s_webhook_is_as_unknown_as_any(hook: dict[str, Any], api: Api) -> None:
    (delivery,) = delivered(hook)
    other = factories.api(factories.server_key(factories.studio()))
    mine = other.post("/webhooks", {"url": URL}).json()
    path = f"/webhooks/{hook['id']}"
    answers = [
        other.get(path),
        other.patch(path, {"enabled": False}),
        other.delete(path),
        other.post(f"{path}/test", {}),
        other.post(f"{path}/rotate-secret", {}),
        other.post(f"{path}/redeliver", {"since": "2026-01-01T00:00:00Z"}),
        other.get(f"{path}/deliveries"),
        other.get(f"{path}/deliveries/{delivery.uuid}"),
        other.get(f"/webhooks/{mine['id']}/deliveries/{delivery.uuid}"),
        other.post(f"/webhooks/{mine['id']}/deliveries/{delivery.uuid}/redeliver", {}),
        other.get("/webhooks/nonsense"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert api.get(path).json()["enabled"]
    assert Delivery.objects.get().state == "parked"


def test_a_key_of_one_game_knows_that_game_s_webhooks_only(
    api: Api, studio: Studio, hook: dict[str, Any]
) -> None:
    game = factories.game(studio)
    key = factories.api(factories.server_key(studio, game=game))
    made = key.post("/webhooks", {"url": URL}).json()
    assert made["game_id"] == str(game.uuid)
    assert [one["id"] for one in key.get("/webhooks").json()["results"]] == [made["id"]]
    assert key.get(f"/webhooks/{hook['id']}").status_code == 404
    assert key.post("/webhooks", {"url": URL, "game_id": str(factories.game(studio).uuid)}).status_code == 404
    foreign = factories.game()
    assert api.post("/webhooks", {"url": URL, "game_id": str(foreign.uuid)}).status_code == 404


def test_there_are_at_most_fifty(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST", 2)
    assert [api.post("/webhooks", {"url": URL}).status_code for _ in range(3)] == [201, 201, 409]


def test_deliveries_are_listed_in_pages_and_by_state_and_type(api: Api, hook: dict[str, Any]) -> None:
    parked = delivered(hook, 3)
    (done,) = delivered(hook, state="succeeded", event="achievement.unlocked")
    path = f"/webhooks/{hook['id']}/deliveries"
    first = api.get(f"{path}?limit=3").json()
    second = api.get(f"{path}?limit=3&cursor={first['next_cursor']}").json()
    found = [one["id"] for one in first["results"] + second["results"]]
    assert found == [str(row.uuid) for row in [done, *reversed(parked)]]
    assert second["next_cursor"] is None
    assert [one["id"] for one in api.get(f"{path}?state=succeeded").json()["results"]] == [str(done.uuid)]
    assert len(api.get(f"{path}?type=player.created").json()["results"]) == 3
    assert api.get(f"{path}?state=lost").status_code == 400
    assert api.get(f"{path}?state=parked&cursor={first['next_cursor']}").status_code == 400


def test_a_range_is_delivered_again(api: Api, hook: dict[str, Any]) -> None:
    delivered(hook, 3)
    delivered(hook, 2, state="succeeded")
    delivered(hook, 1, created_at=timezone.now() - timedelta(days=2))
    path = f"/webhooks/{hook['id']}/redeliver"
    since = (timezone.now() - timedelta(hours=2)).isoformat()
    assert api.post(path, {"since": since}).json() == {"queued": 3}
    assert api.post(path, {"since": since}).json() == {"queued": 0}
    both = api.post(path, {"since": since, "states": ["parked", "succeeded"]})
    assert (both.status_code, both.json()) == (202, {"queued": 2})
    assert Delivery.objects.filter(state="pending").count() == 5
    assert api.post(path, {"since": "yesterday"}).status_code == 422
    assert api.post(path, {"since": since, "until": "2020-01-01T00:00:00Z"}).status_code == 422
    assert api.post(path, {"since": since, "states": ["pending"]}).status_code == 422


def test_too_large_a_range_changes_nothing(
    api: Api, hook: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MOST_REDELIVERED", 2)
    delivered(hook, 3)
    assert api.post(f"/webhooks/{hook['id']}/redeliver", {"since": "2026-01-01T00:00:00Z"}).status_code == 409
    assert Delivery.objects.filter(state="parked").count() == 3


def test_a_disabled_one_takes_no_test_and_no_redelivery(api: Api, hook: dict[str, Any]) -> None:
    (delivery,) = delivered(hook)
    path = f"/webhooks/{hook['id']}"
    api.patch(path, {"enabled": False})
    assert api.post(f"{path}/test", {}).status_code == 409
    assert api.post(f"{path}/deliveries/{delivery.uuid}/redeliver", {}).status_code == 409
    assert api.post(f"{path}/redeliver", {"since": "2026-01-01T00:00:00Z"}).status_code == 409


def test_enabling_parks_what_has_waited(api: Api, hook: dict[str, Any]) -> None:
    delivered(hook, 2, state="pending", next_attempt_at=timezone.now())
    path = f"/webhooks/{hook['id']}"
    api.patch(path, {"enabled": False})
    api.patch(path, {"enabled": True})
    assert set(Delivery.objects.values_list("state", flat=True)) == {"parked"}


def test_a_new_address_begins_without_the_old_one_s_failures(api: Api, hook: dict[str, Any]) -> None:
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=4))
    path = f"/webhooks/{hook['id']}"
    assert api.patch(path, {"description": "ours", "url": hook["url"]}).json()["failing_since"] is not None
    assert api.patch(path, {"url": f"{URL}/elsewhere"}).json()["failing_since"] is None


def test_deliveries_are_kept_for_days(hook: dict[str, Any]) -> None:
    now = timezone.now()
    (old, older, fresh) = (
        delivered(hook, state="succeeded", created_at=now - timedelta(days=4))[0],
        delivered(hook, state="parked", created_at=now - timedelta(days=31))[0],
        delivered(hook, state="parked", created_at=now - timedelta(days=4))[0],
    )
    for delivery in (old, older, fresh):
        Attempt.objects.create(
            delivery=delivery,
            number=1,
            at=now,
            duration_ms=1,
            url=URL,
            request_headers="{}",
            response_headers="{}",
        )
    assert deliveries.keep(now=now) == 2
    assert list(Delivery.objects.values_list("pk", flat=True)) == [fresh.pk]
    assert list(Attempt.objects.values_list("delivery_id", flat=True)) == [fresh.pk]


def test_a_deleted_one_goes_with_all_that_was_its(api: Api, hook: dict[str, Any]) -> None:
    delivered(hook, 3)
    api.delete(f"/webhooks/{hook['id']}")
    deliveries.tidy(now=timezone.now() + timedelta(hours=1))
    assert not Delivery.objects.exists()
    assert not Endpoint.objects.exists()
