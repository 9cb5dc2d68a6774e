"""Idempotency-Key: the same key and body have one effect and one answer."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Game, Studio
from accounts.services import create_players
from achievements.models import Achievement, Unlock
from core.idempotency import KEPT_DAYS
from tests import factories
from tests.factories import Api
from tests.platform import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
UNLOCK = "/achievements/unlock"


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> Game:
    made = factories.game(studio)
    factories.achievement(made, "first-blood")
    return made


@pytest.fixture
def server(studio: Studio) -> Api:
    return factories.api(factories.server_key(studio))


def body(game: Game, **more: Any) -> dict[str, Any]:
    return {"game_id": str(game.uuid), "player": "p-1", "achievement": "first-blood", **more}


def kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_idempotencykey")
        return int(cursor.fetchone()[0])


def test_the_same_request_is_answered_the_same_again(server: Api, game: Game) -> None:
    first = server.post(UNLOCK, body(game), Idempotency_Key="k-1")
    again = server.post(UNLOCK, body(game), Idempotency_Key="k-1")
    assert first.status_code == again.status_code == 202
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Unlock.objects.count() == 1


def test_it_holds_on_every_post(server: Api, game: Game) -> None:
    path = f"/games/{game.uuid}/achievements"
    sent = {"key": "another", "name": "Another"}
    for _ in range(2):
        assert server.post(path, sent, Idempotency_Key="k-1").status_code == 201
    for _ in range(2):
        assert server.post("/games", {"title": "Second"}, Idempotency_Key="k-2").status_code == 201
    assert Game.objects.count() == 2
    assert server.post(path, sent).status_code == 409


def test_what_takes_no_body_and_answers_none_is_answered_the_same_again(server: Api, studio: Studio) -> None:
    create_players(studio_id=studio.pk, external_ids=["p-1", "p-2"])
    asked = server.post("/players/p-1/friend-requests", {"to": "p-2"}).json()
    path = f"/players/p-2/friend-requests/{asked['id']}/decline"
    first, again = (server.post(path, b"", content_type="", Idempotency_Key="k-1") for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content) == (204, b"")
    assert "Content-Type" not in first
    assert "Content-Type" not in again
    assert again["Idempotent-Replayed"] == "true"
    assert server.post(path, {}).status_code == 404


@pytest.mark.parametrize("change", ["body", "path", "query"])
def test_a_key_is_for_one_request(server: Api, game: Game, change: str) -> None:
    path = f"/games/{game.uuid}/achievements"
    file = b'{"achievements": [{"key": "a", "name": "A"}]}'
    at = f"{path}/import?format=laurel"
    send = {"content_type": "application/octet-stream", "Idempotency_Key": "k-1"}
    assert server.post(at, file, **send).json()["created"] == 1
    others: dict[str, tuple[str, bytes]] = {
        "body": (at, file.replace(b'"A"', b'"B"')),
        "path": (f"/games/{factories.game(game.studio).uuid}/achievements/import?format=laurel", file),
        "query": (f"{at}&dry_run=true", file),
    }
    other_path, other_body = others[change]
    answer = server.post(other_path, other_body, **send)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


def test_another_studio_s_equal_key_is_another_key(server: Api, game: Game) -> None:
    server.post("/games", {"title": "Mine"}, Idempotency_Key="k-1")
    elsewhere = factories.api(factories.server_key(factories.studio()))
    answer = elsewhere.post("/games", {"title": "Theirs"}, Idempotency_Key="k-1")
    assert (answer.status_code, answer.json()["title"]) == (201, "Theirs")
    assert "Idempotent-Replayed" not in answer


def test_a_key_of_one_game_is_not_answered_what_another_one_of_its_studio_was(
    server: Api, studio: Studio, game: Game
) -> None:
    other = factories.api(factories.server_key(studio, game=factories.game(studio)))
    assert server.post(UNLOCK, body(game), Idempotency_Key="k-1").status_code == 202
    assert other.post(UNLOCK, body(game), Idempotency_Key="k-1").status_code == 422
    assert other.post(UNLOCK, body(game)).status_code == 404


def test_a_failure_is_not_frozen(server: Api, game: Game) -> None:
    for status, sent in ((422, body(game, player="")), (404, body(game, achievement="late")), (400, [])):
        assert server.post(UNLOCK, sent, Idempotency_Key="k-1").status_code == status
    assert kept() == 0
    assert server.post(UNLOCK, body(game), Idempotency_Key="k-1").status_code == 202


def test_a_refused_request_leaves_neither_its_effect_nor_its_key(server: Api, game: Game) -> None:
    file = b'{"achievements": [{"key": "a", "name": "A"}, {"key": "b", "name": ""}]}'
    at = f"/games/{game.uuid}/achievements/import?format=laurel"
    answer = server.post(at, file, content_type="application/octet-stream", Idempotency_Key="k-1")
    assert answer.status_code == 422
    assert (kept(), Achievement.objects.count()) == (0, 1)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x01b", "ü", "a\tb"])
def test_a_key_of_another_form_is_refused(server: Api, game: Game, key: str) -> None:
    answer = server.post(UNLOCK, body(game), Idempotency_Key=key)
    assert answer.status_code == 400
    assert not Unlock.objects.exists()


def test_a_key_has_up_to_255_printable_characters(server: Api, game: Game) -> None:
    key = "".join(chr(0x21 + n % 94) for n in range(255))
    assert server.post(UNLOCK, body(game), Idempotency_Key=key).status_code == 202
    assert server.post(UNLOCK, body(game), Idempotency_Key=key)["Idempotent-Replayed"] == "true"


def test_a_key_is_kept_for_seven_days(server: Api, game: Game) -> None:
    def age(days: float) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE core_idempotencykey SET created_at = now() - make_interval(secs => %s)",
                [days * 86400],
            )

    server.post(UNLOCK, body(game), Idempotency_Key="k-1")
    age(KEPT_DAYS - 0.01)
    assert server.post(UNLOCK, body(game), Idempotency_Key="k-1").status_code == 202
    age(KEPT_DAYS + 0.01)
    late = server.post(UNLOCK, body(game), Idempotency_Key="k-1")
    assert late.json()["status"] == "already_unlocked"
    assert "Idempotent-Replayed" not in late


def test_many_at_once_have_one_effect(studio: Studio) -> None:
    key = factories.server_key(studio)
    start = threading.Barrier(16)
    answers: list[Any] = []

    def send() -> None:
        caller = factories.api(key)
        start.wait()
        answers.append(caller.post("/games", {"title": "Once"}, Idempotency_Key="k-1"))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Game.objects.count() == 1
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert all(answer["Retry-After"] == "1" for answer in answers if answer.status_code == 409)
    repeated = factories.api(key).post("/games", {"title": "Once"}, Idempotency_Key="k-1")
    assert repeated["Idempotent-Replayed"] == "true"


def test_a_batch_that_waits_for_a_new_player_holds_nothing_that_others_wait_for(
    server: Api, studio: Studio, game: Game
) -> None:
    factories.player(studio, "known")
    unlocks = [{"player": name, "achievement": "first-blood"} for name in ("known", "new")]
    batch = {"game_id": str(game.uuid), "unlocks": unlocks}
    key = factories.server_key(studio)
    answers: list[Any] = []

    def send() -> None:
        answers.append(factories.api(key).post(f"{UNLOCK}/batch", batch, Idempotency_Key="k-1"))
        connection.close()

    waiting = threading.Thread(target=send)
    with transaction.atomic():
        create_players(studio_id=studio.pk, external_ids=["new"])
        waiting.start()
        wait_for(_somebody_waits, what="the batch to wait for the new player")
        assert server.post(UNLOCK, body(game, player="known")).status_code == 202
    waiting.join()
    assert answers[0].status_code == 202
    assert [one["status"] for one in answers[0].json()["results"]] == ["already_unlocked", "unlocked"]


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
