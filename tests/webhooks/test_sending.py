"""Messages on their way: signed, retried, noted, whatever the receiver does."""

import json
import ssl
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import trustme
from django.db import connection
from django.utils import timezone
from post_office.models import Email
from prometheus_client import REGISTRY
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.models import Game, Studio, User
from core import followers
from core.db import run_prepared
from core.facts import Fact
from core.ids import new_id
from leaderboards.facts import LeaderboardPeriodEnded
from tests import factories
from tests.accounts.visitors import member
from tests.factories import Api
from tests.patience import LONG_S
from tests.webhooks import world
from tests.webhooks.servers import HOST, NameServer, hanging, headers_for, receiver, says
from webhooks import announcing, metrics, queue
from webhooks.models import Attempt, Delivery, Disabled, Endpoint
from webhooks.queue import Done, Due, Message, Outcome
from webhooks.rules import schedule
from webhooks.sender import MOST_OF_A_SLOW_ONE
from webhooks.services import attempts, deliveries

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_network")]


def create(api: Api, port: int, *, scheme: str = "http", **more: Any) -> dict[str, Any]:
    answer = api.post("/webhooks", {"url": f"{scheme}://{HOST}:{port}/laurel", **more})
    assert answer.status_code == 201, answer.json()
    made: dict[str, Any] = answer.json()
    return made


def send_test(api: Api, hook: dict[str, Any]) -> str:
    answer = api.post(f"/webhooks/{hook['id']}/test", {})
    assert answer.status_code == 202
    return str(answer.json()["delivery_id"])


def _ask(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    return run_prepared(sql, params)


def tried(times: int = 1) -> bool:
    return Attempt.objects.count() >= times


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("", "delivered"),
        ("status: The receiver answered 500.", "refused"),
        ("timeout: There was no whole answer.", "timeout"),
        ("blocked-address: It leads to 127.0.0.1.", "blocked"),
        ("tls: The certificate is another one's.", "error"),
    ],
)
def test_attempts_are_counted_by_what_became_of_them(error: str, expected: str) -> None:
    before = REGISTRY.get_sample_value("laurel_webhook_attempts_total", {"outcome": expected}) or 0
    metrics.count(Outcome(None, error, 20, {}, b"", None))
    assert REGISTRY.get_sample_value("laurel_webhook_attempts_total", {"outcome": expected}) == before + 1


def test_what_waits_to_be_sent_is_told(api: Api, studio: Studio) -> None:
    with receiver() as server:
        hook = create(api, server.port)
    send_test(api, hook)
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=90))
    due, oldest = (metric.samples[0].value for metric in metrics.figures(_ask))
    assert due == 1
    assert 90 <= oldest < 90 + LONG_S


def wait_to_be_sent(hook: dict[str, Any], count: int) -> int:
    """Let messages have been due for 90 s; return their endpoint's key."""
    endpoint = Endpoint.objects.get(uuid=hook["id"])
    now = timezone.now()
    queue.add([Message(endpoint.pk, new_id(), "webhook.test", "{}", now) for _ in range(count)])
    Delivery.objects.filter(endpoint=endpoint).update(next_attempt_at=now - timedelta(seconds=90))
    return endpoint.pk


def waits_for_senders() -> bool:
    return bool(next(m for m in metrics.figures(_ask) if "oldest" in m.name).samples[0].value >= 90)


def test_what_waits_for_a_receiver_that_hangs_waits_for_no_sender_until_they_stop(api: Api) -> None:
    with hanging() as server:
        wait_to_be_sent(create(api, server.port), queue.MOST_OF_ONE + 6)
        assert waits_for_senders()
        world.send_until(lambda: len(server.heard) >= queue.MOST_OF_ONE and not waits_for_senders())
        assert waits_for_senders()  # what the sender could not finish, and what nobody has taken
    due = next(iter(metrics.figures(_ask))).samples[0].value
    assert due == queue.MOST_OF_ONE + 6


def test_what_waits_for_a_receiver_that_fails_waits_for_no_sender(api: Api) -> None:
    wait_to_be_sent(create(api, 9999), 2)
    other = wait_to_be_sent(create(api, 9998), 2)
    Endpoint.objects.exclude(pk=other).update(failing_since=timezone.now())
    assert waits_for_senders()
    Endpoint.objects.update(failing_since=timezone.now())
    assert not waits_for_senders()


@pytest.mark.parametrize(("under_way_s", "is_delayed"), [(1, True), (16, False)])
def test_a_receiver_that_takes_seconds_is_no_delay_of_the_senders(
    api: Api, under_way_s: int, is_delayed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_ANSWERED_WITHIN_S", queue.LEASE_S // 2)
    endpoint = wait_to_be_sent(create(api, 9999), 2)
    (due,) = attempts.take([(endpoint, 1)], most=1)
    Delivery.objects.filter(pk=due.id).update(next_attempt_at=due.until - timedelta(seconds=under_way_s))
    assert waits_for_senders() is is_delayed


def test_an_unlock_reaches_the_studio_s_server_signed(api: Api, studio: Studio) -> None:
    game = factories.game(studio)
    factories.achievement(game)
    with receiver() as server:
        hook = create(api, server.port, events=["achievement.unlocked"])
        unlock = {"game_id": str(game.uuid), "player": "p-1", "achievement": "first-blood"}
        assert api.post("/achievements/unlock", unlock).status_code == 202
        followers.drain("webhooks")
        world.send_until(tried)
    (heard,) = server.heard
    assert heard.path == "/laurel"
    assert heard.headers["content-type"] == "application/json"
    message = Webhook(hook["secret"]).verify(heard.body, headers_for(heard))
    assert message["type"] == "achievement.unlocked"
    data = message["data"]
    assert (data["player"]["external_id"], data["achievement"]["key"]) == ("p-1", "first-blood")
    assert (data["game_id"], data["points"]) == (str(game.uuid), 10)
    assert data["totals"] == {"points": 10, "unlocked": 1}
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("succeeded", 1, 204)
    assert heard.headers["webhook-id"] == f"msg_{delivery.uuid}"


def test_a_changed_body_a_foreign_secret_and_an_old_message_do_not_verify(api: Api) -> None:
    with receiver() as server:
        hook = create(api, server.port)
        send_test(api, hook)
        world.send_until(tried)
    (heard,) = server.heard
    verifier, headers = Webhook(hook["secret"]), headers_for(heard)
    verifier.verify(heard.body, headers)
    other = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    late = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 600)}
    renamed = {**headers, "webhook-id": "msg_other"}
    for judge, body, said in (
        (verifier, heard.body + b" ", headers),
        (verifier, heard.body, late),
        (verifier, heard.body, renamed),
        (other, heard.body, headers),
    ):
        with pytest.raises(WebhookVerificationError):
            judge.verify(body, said)


def test_during_a_rotation_both_secrets_verify_and_then_the_new_one_only(api: Api) -> None:
    with receiver() as server:
        hook = create(api, server.port)
        rotated = api.post(f"/webhooks/{hook['id']}/rotate-secret", {"overlap_hours": 1}).json()
        send_test(api, hook)
        world.send_until(tried)
        Endpoint.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
        send_test(api, hook)
        world.send_until(lambda: tried(2))
    during, after = server.heard
    for secret in (hook["secret"], rotated["secret"]):
        Webhook(secret).verify(during.body, headers_for(during))
    Webhook(rotated["secret"]).verify(after.body, headers_for(after))
    with pytest.raises(WebhookVerificationError):
        Webhook(hook["secret"]).verify(after.body, headers_for(after))


@pytest.mark.parametrize("key", [{}, {"Idempotency_Key": "k-1"}])
def test_without_a_body_both_secrets_sign_for_a_day(api: Api, key: dict[str, str]) -> None:
    hook = api.post("/webhooks", {"url": "https://hooks.example.com/"}).json()
    began = timezone.now()
    rotated = api.post(f"/webhooks/{hook['id']}/rotate-secret", b"", content_type="", **key)
    assert rotated.status_code == 200
    until = datetime.fromisoformat(rotated.json()["previous_secret_until"])
    assert timedelta(hours=23) < until - began < timedelta(hours=25)


def test_a_failed_attempt_is_repeated_on_schedule_under_the_same_id(api: Api) -> None:
    statuses = iter([500, 503, 200])

    def answer(request: BaseHTTPRequestHandler) -> None:
        says(next(statuses))(request)

    with receiver(answer) as server:
        send_test(api, create(api, server.port))
        pauses = []
        for number in (1, 2, 3):
            world.send_until(lambda number=number: tried(number))  # type: ignore[misc]
            delivery = Delivery.objects.get()
            if delivery.next_attempt_at is not None:
                assert delivery.last_attempt_at is not None
                pauses.append(delivery.next_attempt_at - delivery.last_attempt_at)
                Delivery.objects.update(next_attempt_at=timezone.now())
    assert len({heard.headers["webhook-id"] for heard in server.heard}) == 1
    assert len({heard.body for heard in server.heard}) == 1
    assert (delivery.state, delivery.attempts, delivery.failures, delivery.last_error) == (
        "succeeded",
        3,
        2,
        "",
    )
    for pause, least in zip(pauses, schedule.PAUSES, strict=False):
        taken = timedelta(seconds=60)  # at the very most, by the attempt itself
        assert least <= pause <= least * (1 + schedule.JITTER) + taken


def test_after_the_last_attempt_it_is_parked_and_may_be_asked_for(api: Api) -> None:
    with receiver(says(500)) as server:
        hook = create(api, server.port)
        uuid = send_test(api, hook)
        Delivery.objects.update(failures=len(schedule.PAUSES))
        world.send_until(tried)
        assert Delivery.objects.get().state == "parked"
        again = api.post(f"/webhooks/{hook['id']}/deliveries/msg_{uuid}/redeliver", {})
        assert (again.status_code, again.json()["state"]) == (202, "pending")
        world.send_until(lambda: tried(2))
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.failures, delivery.attempts) == ("pending", 1, 2)


def test_the_log_shows_what_was_sent_and_answered(api: Api) -> None:
    with receiver(says(418, b"\0short and stout\xff", X_Pot="tea")) as server:
        hook = create(api, server.port)
        uuid = send_test(api, hook)
        world.send_until(tried)
    shown = api.get(f"/webhooks/{hook['id']}/deliveries/{uuid}").json()
    (entry,) = shown["log"]
    assert shown["payload"]["type"] == "webhook.test"
    assert (entry["number"], entry["error"]) == (1, "status: The receiver answered 418.")
    assert entry["request"]["url"] == hook["url"]
    assert entry["request"]["headers"]["webhook-id"] == f"msg_{uuid}"
    assert (entry["response"]["status"], entry["response"]["headers"]["X-Pot"]) == (418, "tea")
    assert entry["response"]["body"] == "\N{REPLACEMENT CHARACTER}short and stout\N{REPLACEMENT CHARACTER}"
    assert hook["secret"] not in json.dumps(shown)


def test_410_disables_and_what_comes_then_is_parked(api: Api, studio: Studio) -> None:
    with receiver(says(410)) as server:
        hook = create(api, server.port)
        send_test(api, hook)
        world.send_until(tried)
    shown = api.get(f"/webhooks/{hook['id']}").json()
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "gone")
    factories.player(studio, "newcomer")
    followers.drain("webhooks")
    assert Delivery.objects.get(event="player.created").state == "parked"
    assert api.post(f"/webhooks/{hook['id']}/test", {}).status_code == 409


def test_what_an_address_answers_says_nothing_of_an_endpoint_that_moved_meanwhile(api: Api) -> None:
    def moved(request: BaseHTTPRequestHandler) -> None:
        Endpoint.objects.update(url="https://elsewhere.example.com/")
        connection.close()  # this thread's
        says(410)(request)

    with receiver(moved) as server:
        send_test(api, create(api, server.port))
        world.send_until(tried)
    endpoint = Endpoint.objects.get()
    assert (endpoint.disabled, endpoint.failing_since) == (Disabled.NO, None)


def test_five_days_of_failures_disable_and_a_success_before_forgives(api: Api) -> None:
    answers = iter([200, 500])

    def answer(request: BaseHTTPRequestHandler) -> None:
        says(next(answers))(request)

    with receiver(answer) as server:
        hook = create(api, server.port)
        Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
        send_test(api, hook)
        world.send_until(tried)
        assert Endpoint.objects.get().failing_since is None
        Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
        send_test(api, hook)
        world.send_until(lambda: tried(2))
    shown = api.get(f"/webhooks/{hook['id']}").json()
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "failing")
    deliveries.tidy(now=timezone.now())
    assert set(Delivery.objects.values_list("state", flat=True)) == {"succeeded", "parked"}
    enabled = api.patch(f"/webhooks/{hook['id']}", {"enabled": True}).json()
    assert (enabled["enabled"], enabled["failing_since"]) == (True, None)


def test_what_is_enabled_while_others_are_parked_is_not(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = wait_to_be_sent(create(api, 9999), 2)

    def enabled_meanwhile(sql: str, params: Any) -> Any:
        found = run_prepared(sql, params)
        if sql == deliveries._DISABLED:
            Endpoint.objects.update(disabled="", disabled_at=None)
        return found

    Endpoint.objects.update(disabled="by_hand", disabled_at=timezone.now())
    monkeypatch.setattr(deliveries, "run_prepared", enabled_meanwhile)
    deliveries.tidy(now=timezone.now())
    assert Delivery.objects.filter(endpoint_id=endpoint, state="pending").count() == 2


@pytest.mark.parametrize("answer", [410, 500])
def test_owners_are_told_once_that_a_webhook_was_stopped(
    api: Api, studio: Studio, answer: int, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "core.mail.Queue"  # pytest-django sets another
    owners = [member(studio, "owner", f"owner-{n}@example.com").email for n in range(2)]
    User.objects.filter(email=owners[1]).update(language="de")
    member(studio, "admin")
    member(factories.studio(), "owner", "elsewhere@example.com")
    locked_out = member(studio, "owner", "gone@example.com")
    type(locked_out.user).objects.filter(pk=locked_out.user.pk).update(is_active=False)
    with receiver(says(answer)) as server:
        hook = create(api, server.port)
        Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
        send_test(api, hook)
        world.send_until(tried)
    row, now = Delivery.objects.get(), timezone.now()
    due = Due(row.pk, row.endpoint_id, row.uuid, "{}", 1, 1, now)
    again = Outcome(status=answer, error=f"status: The receiver answered {answer}.", duration_ms=1)
    attempts.note([Done(due, now, hook["url"], {}, again, None, False)])  # it was under way meanwhile
    mails = list(Email.objects.order_by("pk"))
    assert [mail.to for mail in mails] == [[owner] for owner in owners]
    assert [mail.subject for mail in mails] == [
        f"A webhook of {studio.name} was stopped",
        f"Ein Webhook von {studio.name} wurde angehalten",
    ]
    for mail in mails:
        assert f"/portal/{studio.uuid}/webhooks/{hook['id']}" in mail.message
        assert f"http://{HOST}:{server.port}/laurel" in mail.message
        assert hook["secret"] not in mail.message
    assert len(Email.objects.filter(message__contains="410" if answer == 410 else "5 ")) == 2


def test_retry_after_is_heeded(api: Api) -> None:
    with receiver(says(503, Retry_After="7200")) as server:
        send_test(api, create(api, server.port))
        world.send_until(tried)
    due = Delivery.objects.get().next_attempt_at
    assert due is not None
    assert timedelta(minutes=119) < due - timezone.now() <= timedelta(hours=2)


@pytest.mark.parametrize(
    "wish", [f"Mon, 01 Jan {10**20} 00:00:00 GMT", f"Mon, 01 Jan 2035 00:00:00 +{10**25}"]
)
def test_a_wish_that_no_clock_can_show_is_none(api: Api, wish: str) -> None:
    with receiver(says(503, Retry_After=wish)) as server:
        send_test(api, create(api, server.port))
        world.send_until(tried)
    assert Delivery.objects.get().last_error == "status: The receiver answered 503."


def test_redirects_are_not_followed(api: Api) -> None:
    with (
        receiver() as elsewhere,
        receiver(says(307, Location=f"http://127.0.0.1:{elsewhere.port}/")) as server,
    ):
        send_test(api, create(api, server.port))
        world.send_until(tried)
    assert len(server.heard) == 1
    assert elsewhere.heard == []
    assert Delivery.objects.get().last_error == "status: The receiver answered 307."


@pytest.mark.parametrize("body", [b"x" * 64 * 1024, b"x" * 3_000_000], ids=["64 KiB", "3 MB"])
def test_of_a_long_answer_the_beginning_is_read(api: Api, body: bytes) -> None:
    with receiver(says(200, body)) as server:
        send_test(api, create(api, server.port))
        world.send_until(tried)
    assert Delivery.objects.get().state == "succeeded"
    assert len(Attempt.objects.get().response_body) == 4 * 1024


def test_of_many_long_headers_the_first_are_kept(api: Api) -> None:
    headers = {f"X_{number}": "x" * 1_000 for number in range(40)}
    with receiver(says(200, b"", **headers)) as server:
        send_test(api, create(api, server.port))
        world.send_until(tried)
    assert Delivery.objects.get().state == "succeeded"
    assert 15_000 < len(Attempt.objects.get().response_headers) < 17_000


def test_an_answer_that_unpacks_to_more_is_not_unpacked(api: Api) -> None:
    with receiver(says(200, b"\x1f\x8b" + bytes(100), Content_Encoding="gzip")) as server:
        send_test(api, create(api, server.port))
        world.send_until(tried)
    assert Delivery.objects.get().state == "succeeded"
    assert len(Attempt.objects.get().response_body) == 102


def test_headers_without_end_are_a_failure(api: Api) -> None:
    with receiver(says(200, X_Long="x" * 100_000)) as server:
        send_test(api, create(api, server.port))
        world.send_until(tried)
    assert Delivery.objects.get().last_error.startswith("protocol:")


def test_who_is_not_there_is_named_in_plain_words(api: Api) -> None:
    with receiver() as server:
        port = server.port
    send_test(api, create(api, port))
    world.send_until(tried)
    error = Delivery.objects.get().last_error
    assert error.startswith("connect: ")
    assert str(port) in error
    assert "ssl" not in error


@pytest.fixture
def abrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody at the end; until then there is time enough, as for all tests."""
    monkeypatch.setattr("webhooks.sender.LAST_WORDS_S", 0.0)


@pytest.mark.slow
@pytest.mark.usefixtures("abrupt")
def test_who_does_not_answer_delays_nobody(api: Api) -> None:
    with hanging() as silent, receiver() as living:
        for server in (silent, living):
            hook = create(api, server.port)
            for _ in range(30):
                send_test(api, hook)
        world.send_until(lambda: len(living.heard) >= 30 and len(silent.heard) >= queue.MOST_OF_ONE)
    # Given back: none of them has an end that could be noted.
    waiting = Delivery.objects.filter(state="pending", attempts=0, next_attempt_at__lte=timezone.now())
    assert waiting.filter(endpoint__url__contains=f":{silent.port}/").count() == 30


def test_who_takes_long_to_answer_is_sent_little_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """His answers would hold as many places as somebody's who never answers."""
    monkeypatch.setattr("webhooks.sender._SLOW_S", 0.1)
    lock, here, seen = threading.Lock(), set[int](), list[int]()

    def slowly(request: BaseHTTPRequestHandler) -> None:
        with lock:
            here.add(id(request))
            seen.append(len(here))
        time.sleep(0.2)
        with lock:
            here.discard(id(request))
        says(204)(request)

    with receiver(slowly) as server:
        wait_to_be_sent(create(api, server.port), queue.MOST_OF_ONE + 6)
        world.send_until(lambda: len(server.heard) >= queue.MOST_OF_ONE + 6)
    assert max(seen[queue.MOST_OF_ONE :]) <= MOST_OF_A_SLOW_ONE < max(seen)


@pytest.mark.usefixtures("abrupt")
def test_a_studio_all_of_whose_servers_hang_delays_no_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.sender.MOST_UNDER_WAY", 16)
    monkeypatch.setattr("webhooks.sender.MOST_OF_A_STUDIO", 8)
    other = factories.api(factories.server_key(factories.studio()))
    with hanging() as silent, receiver() as living:
        for _ in range(6):
            hook = create(api, silent.port)
            for _ in range(4):
                send_test(api, hook)
        hook = create(other, living.port)
        send_test(other, hook)
        # One for each endpoint, and so once more while the studio has any room left.
        world.send_until(lambda: len(living.heard) >= 1 and len(silent.heard) >= 12)
    assert Delivery.objects.filter(state="pending", attempts=0).count() == 24


def test_of_a_delivery_that_went_while_it_was_sent_nothing_is_kept(api: Api) -> None:
    """As with who is erased meanwhile: the receiver answers with what it was sent."""

    def echo(request: BaseHTTPRequestHandler) -> None:
        Delivery.objects.filter(pk=first).delete()
        connection.close()  # this thread's
        says(200, b"thanks, Anna")(request)

    with receiver(echo) as server:
        hook = create(api, server.port)
        send_test(api, hook)
        first = Delivery.objects.get().pk
        world.send_until(lambda: len(server.heard) >= 1)
        assert not Attempt.objects.exists()
        send_test(api, hook)
        world.send_until(tried)
    assert Attempt.objects.get().delivery_id == Delivery.objects.get().pk


@pytest.mark.slow
def test_who_does_not_answer_in_time_has_not_got_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.sending.WITHIN_S", 0.5)
    monkeypatch.setattr(schedule, "PAUSES", [timedelta(0)] * 1000)
    over = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        while not over.wait(0.1):
            request.wfile.write(b"x")
            request.wfile.flush()

    with hanging() as silent, receiver(drip) as dripping:
        for server in (silent, dripping):
            send_test(api, create(api, server.port))
        late = Attempt.objects.filter(error__startswith="timeout: ")
        # Repeated until the beginning of an answer was in time, however slow this machine is.
        world.send_until(lambda: set(late.values_list("status", flat=True)) == {None, 200})
        over.set()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"pending"}


def test_certificates_are_verified(
    api: Api, certificate: ssl.SSLContext, names: NameServer, authority: trustme.CA
) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(HOST).configure_cert(stranger)
    expired = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, not_after=timezone.now() - timedelta(days=1)).configure_cert(expired)
    names.names["other.example.com"] = ["127.0.0.1"]
    with (
        receiver(tls=certificate) as good,
        receiver(tls=stranger) as untrusted,
        receiver(tls=expired) as old,
        receiver() as plain,
    ):
        for server in (good, untrusted, old, plain):
            send_test(api, create(api, server.port, scheme="https"))
        answer = api.post("/webhooks", {"url": f"https://other.example.com:{good.port}/"})
        send_test(api, answer.json())
        world.send_until(lambda: tried(5))
    assert len(good.heard) == 1
    assert untrusted.heard == old.heard == plain.heard == []
    by_url = dict(Attempt.objects.values_list("url", "error"))
    assert by_url.pop(f"https://{HOST}:{good.port}/laurel") == ""
    assert all(error.startswith("tls:") for error in by_url.values()), by_url


def test_a_taken_delivery_whose_sender_died_is_due_again(api: Api, studio: Studio) -> None:
    with receiver() as server:
        hook = create(api, server.port)
        send_test(api, hook)
        pk = Endpoint.objects.get().pk
        (taken,) = attempts.take([(pk, 5)], most=5)
        assert attempts.take([(pk, 5)], most=5) == []
        attempts.give_back([taken])
        world.send_until(tried)
    assert len(server.heard) == 1


@pytest.mark.parametrize("is_parked", [False, True])
def test_a_failure_does_not_undo_what_was_asked_for_meanwhile(api: Api, is_parked: bool) -> None:
    hook = create(api, 9999)
    uuid = send_test(api, hook)
    pk = Endpoint.objects.get().pk
    (taken,) = attempts.take([(pk, 5)], most=5)
    assert api.post(f"/webhooks/{hook['id']}/deliveries/{uuid}/redeliver", {}).status_code == 202
    later = None if is_parked else timezone.now() + timedelta(hours=24)
    failed = Outcome(500, "status: The receiver answered 500.", 1)
    attempts.note([Done(taken, timezone.now(), hook["url"], {}, failed, later, is_parked)])
    (again,) = attempts.take([(pk, 5)], most=5)
    assert (again.failures, again.attempts) == (0, 1)
    attempts.note([Done(again, timezone.now(), hook["url"], {}, Outcome(204, "", 1), None, False)])
    assert Delivery.objects.get().state == "succeeded"


def test_a_replayed_fact_queues_nothing_twice(api: Api, studio: Studio) -> None:
    hook = create(api, 9999)
    factories.player(studio, "p-1")
    followers.drain("webhooks")
    followers.rewind("webhooks", fact_id=0)
    followers.drain("webhooks")
    assert Delivery.objects.count() == 1
    assert len(api.get(f"/webhooks/{hook['id']}/deliveries").json()["results"]) == 1


def test_an_endpoint_of_one_game_hears_of_that_game_only(api: Api, studio: Studio) -> None:
    games: list[Game] = [factories.game(studio) for _ in range(2)]
    for game in games:
        factories.achievement(game)
    create(api, 9999, game_id=str(games[0].uuid), events=["achievement.unlocked", "achievement.revoked"])
    for game in games:
        about = {"game_id": str(game.uuid), "player": "p-1", "achievement": "first-blood"}
        api.post("/achievements/unlock", about)
    revoke = {"game_id": str(games[0].uuid), "player": "p-1", "achievement": "first-blood", "reason": "x"}
    assert api.post("/achievements/revoke", revoke).status_code == 202
    followers.drain("webhooks")
    told = [json.loads(row.payload) for row in Delivery.objects.order_by("id")]
    assert [one["type"] for one in told] == ["achievement.unlocked", "achievement.revoked"]
    assert {one["data"]["game_id"] for one in told} == {str(games[0].uuid)}


def test_another_studio_s_players_and_unlocks_are_not_told(api: Api) -> None:
    create(api, 9999)
    other = factories.game()
    factories.achievement(other)
    stranger = factories.api(factories.server_key(other.studio))
    stranger.post(
        "/achievements/unlock", {"game_id": str(other.uuid), "player": "x", "achievement": "first-blood"}
    )
    followers.drain("webhooks")
    assert not Delivery.objects.exists()


def test_no_bytes_of_a_receiver_keep_an_attempt_from_being_noted(api: Api) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(
            b"HTTP/1.1 500 \xff\xfe\r\nX-\xe9: \xff\xed\xa0\x80\r\nContent-Length: 4\r\n\r\n\0\xed\xa0\x80"
        )

    with receiver(answer) as server:
        send_test(api, create(api, server.port))
        world.send_until(tried)
    assert Delivery.objects.get().attempts == 1


def test_a_period_that_ends_again_after_a_restore_has_the_id_that_it_had() -> None:
    told = {"period": 7, "ends_us": 1_764_158_400_000_000, "starts_us": 1_764_072_000_000_000}
    facts = [
        Fact(tx, tx, timezone.now(), LeaderboardPeriodEnded.kind, 1, {**told, "period": period})
        for tx, period in ((100, 7), (200, 7), (200, 8))
    ]
    endpoint = new_id()
    first, again, another = (announcing.message_id(fact, endpoint, 0) for fact in facts)
    assert first == again != another
    assert first.version == 7
