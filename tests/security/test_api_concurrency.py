"""Idempotency and concurrency: whatever is repeated, raced or cut off has one effect, whole, and one answer.

What many processes do at length, and what a process that is killed again and again leaves, is in tests/faults.
"""

import json
import random
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.models import Game
from achievements.models import Achievement, PlayerGame, PlayerTotal, Progress, Unlock
from core.rates import Rate
from tests import factories
from tests.security.nothing_changed import nothing_changed
from tests.security.serving import Answer, WebServer, request

pytestmark = pytest.mark.django_db(transaction=True)

UNLOCK: Final = "/api/v1/achievements/unlock"
BATCH: Final = f"{UNLOCK}/batch"
AT_ONCE: Final = 16


class World:
    """A studio whose game has twenty achievements of ten points."""

    def __init__(self) -> None:
        """Build it."""
        self.studio = factories.studio()
        self.game: Game = factories.game(self.studio)
        factories.achievements(self.game, {f"a{number}": 10 for number in range(20)})
        self.key = factories.server_key(self.studio)
        self.api = factories.api(self.key)

    def unlock(self, **more: Any) -> dict[str, Any]:
        """Return the body of an unlock."""
        return {"game_id": str(self.game.uuid), "player": "p-1", "achievement": "a0", **more}

    def sent(self, path: str, body: Any, key: str = "") -> bytes:
        """Return a request's bytes."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        return request(
            "POST", path, json.dumps(body).encode(), headers | ({"Idempotency-Key": key} if key else {})
        )

    def ask(self, web: WebServer, path: str, body: Any, key: str = "") -> Answer:
        """Send one over a socket."""
        [answer] = web.send(self.sent(path, body, key))
        return answer


@pytest.fixture
def world(transactional_db: None) -> World:
    """It."""
    return World()


def together(works: list[Callable[[], Any]]) -> list[Any]:
    """Do all of it as nearly at once as threads can, and return what each returned."""
    start = threading.Barrier(min(len(works), AT_ONCE))
    left = threading.local()

    def run(work: Callable[[], Any]) -> Any:
        if not hasattr(left, "began"):
            left.began = True
            start.wait(timeout=60)
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=min(len(works), AT_ONCE)) as pool:
        return list(pool.map(run, works))


def status(answer: Answer) -> int:
    """Return its status: 202 also for what is known already since it was stored, but answered 503, and sent again."""
    return 202 if answer.status == 200 and answer.repeated else answer.status


def is_replayed(answer: Answer) -> bool:
    """Say whether it is what another request was answered, likewise."""
    return "idempotent-replayed" in answer.headers and not answer.repeated


def totals() -> tuple[int, int, int]:
    """Return how many unlocks there are, and what the totals of games and players say they are worth."""
    games = sum(PlayerGame.objects.values_list("points", flat=True))
    return Unlock.objects.count(), games, sum(PlayerTotal.objects.values_list("points", flat=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    "meanwhile",
    [pytest.param(name, id=f"C1-{name}") for name in ("nothing", "web anew", "no Valkey", "6 days")],
)
def test_the_same_request_is_answered_the_same_whatever_was_meanwhile(
    web: WebServer, world: World, meanwhile: str
) -> None:
    from core.redis import client  # noqa: PLC0415 - of the settings of this test

    first = world.ask(web, UNLOCK, world.unlock(), "k-1")
    assert first.status == 202
    if meanwhile == "web anew":
        web.restart()
    if meanwhile == "no Valkey":
        client("boards").flushall()
    if meanwhile == "6 days":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE core_idempotencykey SET created_at = created_at - interval '6 days'")
    with nothing_changed():
        again = world.ask(web, UNLOCK, world.unlock(), "k-1")
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    "other", [pytest.param(name, id=f"C2-{name}") for name in ("body", "path", "query", "spaces")]
)
def test_a_key_that_was_used_for_another_request_is_refused(world: World, other: str) -> None:
    body = {"achievements": [{"key": "new", "name": "New"}]}
    path = f"/games/{world.game.uuid}/achievements/import?format=laurel"
    kind = {"content_type": "application/octet-stream", "Idempotency_Key": "k-1"}
    assert world.api.post(path, body, **kind).status_code == 200
    elsewhere = factories.game(world.studio)
    path, sent = {
        "body": (path, json.dumps({"achievements": [{"key": "other", "name": "New"}]}).encode()),
        "path": (f"/games/{elsewhere.uuid}/achievements/import?format=laurel", json.dumps(body).encode()),
        "query": (f"{path}&dry_run=true", json.dumps(body).encode()),
        "spaces": (path, json.dumps(body, indent=1).encode()),
    }[other]
    with nothing_changed():
        answer = world.api.post(path, sent, **kind)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


def test_c2_another_caller_s_equal_key_is_another_key(world: World) -> None:
    other = World()
    for each in (world, other):
        answer = each.api.post("/achievements/unlock", each.unlock(), Idempotency_Key="k-1")
        assert answer.status_code == 202
        assert "Idempotent-Replayed" not in answer
    assert totals() == (2, 20, 20)


@pytest.mark.slow
def test_c3_of_hundreds_at_once_under_one_key_one_has_an_effect(web: WebServer, world: World) -> None:
    heard = together([lambda: world.ask(web, "/api/v1/games", {"title": "Once"}, "k-1")] * 320)
    statuses = Counter(answer.status for answer in heard)
    assert set(statuses) <= {201, 409}
    assert statuses[201] > 1
    assert {answer.headers.get("retry-after") for answer in heard if answer.status == 409} <= {"1"}
    assert len({answer.body for answer in heard if answer.status == 201}) == 1
    assert Game.objects.filter(title="Once").count() == 1


KEYS: Final = {
    "empty": "",
    "256 characters": "x" * 256,
    "a control": "a\x01b",
    "a tab": "a\tb",
    "no ASCII": "é",
    "DEL": "\x7f",
}


@pytest.mark.parametrize("key", [pytest.param(key, id=f"C4-{name}") for name, key in KEYS.items()])
def test_a_key_of_another_form_is_refused(world: World, key: str) -> None:
    with nothing_changed():
        answer = world.api.post("/achievements/unlock", world.unlock(), Idempotency_Key=key)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


def test_c4_two_headers_are_one_key_that_is_neither(web: WebServer, world: World) -> None:
    """They reach us as one value (RFC 9110 §5.3), so that neither of them is answered for the other."""
    first = world.ask(web, UNLOCK, world.unlock(), "k-1")
    twice = world.sent(UNLOCK, world.unlock(), "k-1").replace(
        b"\r\n\r\n", b"\r\nIdempotency-Key: k-2\r\n\r\n", 1
    )
    [answer] = web.send(twice)
    assert (first.status, answer.status) == (202, 200)
    assert not is_replayed(answer)


@pytest.mark.parametrize(
    "status", [pytest.param(status, id=f"C5-{status}") for status in (400, 404, 409, 422, 429)]
)
def test_a_failure_is_not_frozen(world: World, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    bodies = {
        400: world.unlock(playr="p-1"),
        404: world.unlock(achievement="late"),
        409: world.unlock(achievement="draft"),
        422: world.unlock(player=""),
    }
    factories.achievement(world.game, "draft", state="draft")
    with monkeypatch.context() as patch, nothing_changed():
        if status == 429:
            patch.setitem(settings.RATES, "server-writes", Rate("server-writes", 0.001, 1))
            world.api.post("/achievements/unlock", [])
        body = bodies.get(status, world.unlock())
        first = world.api.post("/achievements/unlock", body, Idempotency_Key="k-1")
    assert first.status_code == status, first.content
    again = world.api.post("/achievements/unlock", world.unlock(), Idempotency_Key="k-1")
    assert (again.status_code, "Idempotent-Replayed" in again) == (202, False)
    assert totals() == (1, 10, 10)


@pytest.mark.slow
def test_c5_what_the_database_did_not_answer_in_time_is_not_frozen(web: WebServer, world: World) -> None:
    with nothing_changed():
        with _locked(world):
            [first] = web.send(world.sent(UNLOCK, world.unlock(), "k-1"), tries=1)
        assert (first.status, first.slug) == (503, "unavailable")
        assert int(first.headers["retry-after"]) > 0
    again = world.ask(web, UNLOCK, world.unlock(), "k-1")
    assert (again.status, is_replayed(again)) == (202, False)
    assert totals() == (1, 10, 10)


@contextmanager
def _locked(world: World) -> Iterator[None]:
    """Hold, from another connection, what an unlock of the world writes."""
    ready, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE achievements_unlock IN ACCESS EXCLUSIVE MODE")
            ready.set()
            over.wait(timeout=60)
        connections.close_all()

    holding = threading.Thread(target=hold)
    holding.start()
    assert ready.wait(timeout=60)
    try:
        yield
    finally:
        over.set()
        holding.join()


def _wait_for(sql: str, *, what: str, meanwhile: Callable[[], object] = bool) -> None:
    deadline = time.monotonic() + 60
    with connection.cursor() as cursor:
        while True:
            cursor.execute(sql)
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline, what
            meanwhile()


@contextmanager
def _sent_until(web: WebServer, sent: bytes, sql: str, *, what: str) -> Iterator[None]:
    """Send a request whose answer nobody reads; another time if one came before there is what SQL asks for."""
    with ExitStack() as lines:

        def send() -> socket.socket:
            line = lines.enter_context(web.connect())
            line.sendall(sent)
            return line

        line = send()

        def send_again() -> None:
            nonlocal line
            if select.select([line], [], [], 0)[0]:
                time.sleep(0.5)
                line = send()

        _wait_for(sql, what=what, meanwhile=send_again)
        yield


@pytest.mark.slow
@pytest.mark.parametrize("key", ["k-1", ""])
def test_c6_who_never_heard_of_a_commit_asks_again_and_hears_of_it(
    web: WebServer, world: World, key: str
) -> None:
    """The process is killed as soon as the unlock is there, and its client has read nothing."""
    there_is = "SELECT count(*) > 0 FROM achievements_unlock"
    with _sent_until(web, world.sent(UNLOCK, world.unlock(), key), there_is, what="the unlock"):
        web.kill()
    web.sweep()
    web.restart()
    with nothing_changed():
        again = world.ask(web, UNLOCK, world.unlock(), key)
    said = json.loads(again.body)
    if key:
        assert (again.status, again.headers["idempotent-replayed"]) == (202, "true")
        assert said["totals"]["points"] == 10
    else:
        assert (again.status, said["status"]) == (200, "already_unlocked")
    assert str(Unlock.objects.get().event_id) == said["event_id"]
    assert totals() == (1, 10, 10)


@pytest.mark.slow
def test_c7_what_was_killed_half_done_is_done_once_when_it_is_asked_again(
    web: WebServer, world: World
) -> None:
    """The process is killed while its transaction waits; nothing of it stays, and no key is taken for ever."""
    with nothing_changed():
        waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
        sent = world.sent(UNLOCK, world.unlock(), "k-1")
        with _locked(world), _sent_until(web, sent, waits, what="the request to wait"):
            web.kill()
        web.sweep()
        # PgBouncer keeps sessions on which nothing happens.
        theirs = "pg_stat_activity WHERE application_name = 'laurel-web' AND state <> 'idle'"
        _wait_for(f"SELECT count(*) = 0 FROM {theirs}", what="the end of its sessions")
    web.restart()
    began = time.monotonic()
    while (answer := world.ask(web, UNLOCK, world.unlock(), "k-1")).status == 409:
        assert time.monotonic() - began < 60
        time.sleep(0.2)
    assert (answer.status, is_replayed(answer)) == (202, False)
    assert totals() == (1, 10, 10)


def test_c8_the_same_unlock_from_everywhere_at_once_counts_once(web: WebServer, world: World) -> None:
    heard = together([lambda: world.ask(web, UNLOCK, world.unlock())] * 64)
    # The one that is stored may be answered 503, and is known already when it is sent again.
    expected = ({202: 1, 200: 63}, {200: 64})
    assert Counter(answer.status for answer in heard) in expected[: 1 + any(one.repeated for one in heard)]
    assert len({json.loads(answer.body)["event_id"] for answer in heard}) == 1
    assert totals() == (1, 10, 10)


@pytest.mark.slow
def test_c10_batches_in_opposite_orders_stop_nobody(web: WebServer, world: World) -> None:
    """Whoever locks rows in the order in which they were sent waits for ever for whoever does so in the other one."""
    players = [f"p-{number}" for number in range(10)]
    pairs = [(player, f"a{number}") for player in players for number in range(10)]

    def batch(order: int) -> Answer:
        chance = random.Random(order)
        mixed = pairs[:: -1 if order % 2 else 1] if order < 8 else chance.sample(pairs, len(pairs))
        items = [{"player": player, "achievement": key} for player, key in mixed]
        return world.ask(web, BATCH, {"game_id": str(world.game.uuid), "unlocks": items})

    heard = together([partial(batch, order) for order in range(64)])
    assert {answer.status for answer in heard} == {202}
    new = sum(json.loads(answer.body)["unlocked"] for answer in heard)
    # Those of a batch that was stored, but answered 503, are known already when it is sent again.
    assert new == len(pairs) or (new < len(pairs) and any(answer.repeated for answer in heard))
    assert totals() == (100, 1000, 1000)


@pytest.mark.slow
def test_c11_an_unlock_that_meets_an_erasure_brings_nobody_back(web: WebServer, world: World) -> None:
    credential = f"Bearer {world.key}"
    players = [f"p-{number}" for number in range(8)]
    for player in players:
        assert status(world.ask(web, UNLOCK, world.unlock(player=player))) == 202

    def unlock(player: str, number: int) -> int:
        return status(world.ask(web, UNLOCK, world.unlock(player=player, achievement=f"a{number}")))

    def erase(player: str) -> int:
        return web.ask("DELETE", f"/api/v1/players/{player}", Authorization=credential).status

    works: list[Callable[[], Any]] = []
    for player in players:
        works += [partial(unlock, player, number) for number in range(1, 6)]
        works.append(partial(erase, player))
        works += [partial(unlock, player, number) for number in range(6, 12)]
    heard = Counter(together(works))
    assert set(heard) <= {202, 410}, heard
    for player in players:
        assert web.ask("GET", f"/api/v1/players/{player}", Authorization=credential).status == 410
    assert totals() == (0, 0, 0)


@pytest.mark.slow
def test_c11_an_unlock_that_meets_an_archived_definition_has_one_outcome(
    web: WebServer, world: World
) -> None:
    path = f"/api/v1/games/{world.game.uuid}/achievements"
    archived = b'{"state": "archived"}'

    def change(number: int) -> int:
        return web.ask("PATCH", f"{path}/a{number}", archived, Authorization=f"Bearer {world.key}").status

    works: list[Callable[[], Any]] = []
    for number in range(10):
        works += [
            partial(world.ask, web, UNLOCK, world.unlock(player=f"p-{player}", achievement=f"a{number}"))
            for player in range(6)
        ]
        works.append(partial(change, number))
    heard = together(works)
    answers = [answer for answer in heard if isinstance(answer, Answer)]
    statuses = Counter(map(status, answers))
    assert set(statuses) <= {202, 409}
    assert [one for one in heard if isinstance(one, int)] == [200] * 10
    stored, *_ = totals()
    assert totals() == (stored, 10 * stored, 10 * stored)
    # What was stored, but answered 503, may be sent again when its definition is archived.
    unsaid = sum(answer.status == 409 and answer.repeated > 0 for answer in answers)
    assert statuses[202] <= stored <= statuses[202] + unsaid
    assert Achievement.objects.filter(state="archived").count() == 10


@pytest.mark.slow
def test_c12_of_scores_that_come_in_any_order_and_twice_the_best_stays(web: WebServer, world: World) -> None:
    factories.leaderboard(world.game, "high", tie_break="earliest")
    path = f"/api/v1/leaderboards/{world.game.uuid}/high"
    scores = [(f"p-{number % 5}", number, str(uuid4())) for number in range(100)]
    sent = scores * 2
    random.Random(7).shuffle(sent)
    heard = together(
        [
            partial(world.ask, web, f"{path}/scores", {"player": player, "score": score, "event_id": event})
            for player, score, event in sent
        ]
    )
    assert {answer.status for answer in heard} <= {200, 202}
    for number in range(5):
        answer = web.ask("GET", f"{path}/players/p-{number}", Authorization=f"Bearer {world.key}")
        assert json.loads(answer.body)["score"] == 95 + number


def test_c12_of_equal_scores_the_first_stays_first_though_it_is_sent_again(world: World) -> None:
    factories.leaderboard(world.game, "high", tie_break="earliest")
    path = f"/leaderboards/{world.game.uuid}/high"
    for player in ("first", "second", "third"):
        assert world.api.post(f"{path}/scores", {"player": player, "score": 7}).status_code == 202
    for player in ("second", "first", "third"):
        world.api.post(f"{path}/scores", {"player": player, "score": 7})
    ranks = [
        world.api.get(f"{path}/players/{player}").json()["rank"] for player in ("first", "second", "third")
    ]
    assert ranks == [1, 2, 3]


@pytest.mark.slow
def test_i15_steps_of_one_from_everywhere_add_up_and_unlock_once(web: WebServer, world: World) -> None:
    factories.achievement(world.game, "steps", type="incremental", target=100)
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "steps", "steps": 1, "op": "add"}
    events = [str(uuid4()) for _ in range(100)] * 2
    heard = together(
        [
            partial(world.ask, web, "/api/v1/achievements/progress", {**body, "event_id": event})
            for event in events
        ]
    )
    assert {answer.status for answer in heard} == {202}
    assert Progress.objects.get().current == 100
    assert Unlock.objects.count() == 1


def test_c9_an_event_that_is_sent_twice_counts_once(world: World) -> None:
    """Without an Idempotency-Key too: an event's id is one."""
    factories.stat(world.game)
    event = str(uuid4())
    body = {
        "game_id": str(world.game.uuid),
        "player": "p-1",
        "event_id": event,
        "stats": {"kills": {"add": 3}},
    }
    assert world.api.post("/stats/report", body).status_code == 202
    with nothing_changed():
        assert world.api.post("/stats/report", body).status_code == 200
    assert world.api.get(f"/players/p-1/stats?game_id={world.game.uuid}").json() == {"kills": 3}


def test_c13_a_key_is_forgotten_after_seven_days_and_not_before(world: World) -> None:
    world.api.post("/achievements/unlock", world.unlock(), Idempotency_Key="k-1")
    for days, replayed in ((6.99, True), (7.01, False)):
        at = timezone.now() - timedelta(days=days)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE core_idempotencykey SET created_at = %s", [at])
        answer = world.api.post("/achievements/unlock", world.unlock(), Idempotency_Key="k-1")
        assert ("Idempotent-Replayed" in answer) is replayed
    assert totals() == (1, 10, 10)
