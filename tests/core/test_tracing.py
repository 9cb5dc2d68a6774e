"""Traces: who is traced, what is told, and that nothing is where nobody collects (the way through all processes:
tests/faults/test_traces.py).
"""

import json
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from accounts.models import Game, Studio
from config.children import BASE_DIR
from core import facts, followers, tracing
from core.admission import Admission, Sort
from core.db import run_prepared
from core.front_door import FrontDoor, Kinds
from core.group_commit import GroupCommit
from core.metrics import jobs
from core.tracing.recording import Recorder, Span
from tests import factories
from tests.collector import collecting
from tests.patience import LONG_S
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = f"00-{TRACE}-00f067aa0ba902b7-01"
NOT_SAMPLED = f"00-{TRACE}-00f067aa0ba902b7-00"
UNLOCK = "/api/v1/achievements/unlock"
OF_KEYS = 3


class Traced:
    """This process, traced by hand."""

    def __init__(self, ratio: float) -> None:
        self.exporter = InMemorySpanExporter()
        self.recorder = Recorder(ratio=ratio, hears_keys=OF_KEYS, exporter=self.exporter)
        tracing.recorder = self.recorder

    def spans(self) -> list[ReadableSpan]:
        self.recorder.close()
        return list(self.exporter.get_finished_spans())

    def named(self) -> list[str]:
        return sorted(span.name for span in self.spans())


@pytest.fixture
def traced(request: pytest.FixtureRequest) -> Iterator[Traced]:
    made = Traced(getattr(request, "param", 0.0))
    yield made
    tracing.recorder = None
    tracing.begin_here(None)
    made.recorder.close()


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> Game:
    made = factories.game(studio)
    factories.achievement(made)
    return made


@pytest.fixture
def door() -> FrontDoor:
    sorts = [(Sort("all", 9, 0.01), "")]
    return FrontDoor(WSGIHandler(), Admission([sorts[0][0]], room=9, of_one_caller=9), Kinds(sorts))


def ask(door: FrontDoor, path: str, credential: str, body: dict[str, Any], traceparent: str = "") -> int:
    sent = json.dumps(body).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(sent)),
        "HTTP_AUTHORIZATION": f"Bearer {credential}",
        "wsgi.input": BytesIO(sent),
        **({"HTTP_TRACEPARENT": traceparent} if traceparent else {}),
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []
    list(door(environ, lambda status, headers: statuses.append(status)))
    return int(statuses[0][:3])


def unlock(door: FrontDoor, game: Game, credential: str, player: str, traceparent: str = "") -> int:
    body = {"game_id": str(game.uuid), "player": player, "achievement": "first-blood"}
    return ask(door, UNLOCK, credential, body, traceparent)


def traces() -> list[str | None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT trace FROM core_fact WHERE kind = 'achievements_unlocked' ORDER BY tx, id")
        return [row[0] for row in cursor.fetchall()]


def test_what_a_server_key_traces_is_told_and_stands_in_the_log(
    traced: Traced, studio: Studio, game: Game, door: FrontDoor
) -> None:
    assert unlock(door, game, factories.server_key(studio), "p-1", SAMPLED) == 202
    spans = {span.name: span for span in traced.spans() if span.name != "postgresql"}
    assert sorted(spans) == ["POST api/v1/achievements/unlock", "commit"]
    request, commit = spans["POST api/v1/achievements/unlock"], spans["commit"]
    assert request.context is not None
    assert commit.context is not None
    assert f"{request.context.trace_id:032x}" == TRACE
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.response.status_code": 202,
        "http.route": "api/v1/achievements/unlock",
        "laurel.class": "unlocks",
    }
    (trace,) = [trace for trace in traces() if trace]
    assert trace == f"00-{TRACE}-{commit.context.span_id:016x}-01"


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        NOT_SAMPLED,
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"{SAMPLED}-more",
        SAMPLED.upper(),
        "'; DROP TABLE core_fact; --",
        "\u0660\u0660" + SAMPLED[2:],
    ],
)
def test_what_is_not_sampled_or_can_t_be_read_leaves_no_trace(
    traced: Traced, studio: Studio, game: Game, door: FrontDoor, traceparent: str
) -> None:
    assert unlock(door, game, factories.server_key(studio), "p-1", traceparent) == 202
    assert traces() == [None]
    assert traced.spans() == []


def test_a_stranger_and_a_player_s_device_have_nothing_traced(
    traced: Traced, studio: Studio, game: Game, door: FrontDoor
) -> None:
    factories.achievement(game, "mine", authority="client")
    key = factories.server_key(studio)
    body = {"game_id": str(game.uuid)}
    token = factories.api(key).post("/players/p-1/token", body).json()["token"]
    mine = {"game_id": str(game.uuid), "player": "me", "achievement": "mine"}
    assert ask(door, UNLOCK, token, mine, SAMPLED) == 202
    assert unlock(door, game, "nobody's", "p-2", SAMPLED) == 401
    assert traces() == [None]
    assert traced.spans() == []


def test_a_server_key_has_only_so_much_traced_in_a_second(traced: Traced) -> None:
    tokens = []
    for _ in range(OF_KEYS + 2):
        asked = traced.recorder.begin_request()
        traced.recorder.hear_key(SAMPLED)
        tokens.append(asked.span is not None)
        asked.end("POST", "unlocks", 202)
    assert tokens.count(True) in (OF_KEYS, OF_KEYS + 1, OF_KEYS + 2)  # a second may have ended meanwhile
    assert tokens[:OF_KEYS] == [True] * OF_KEYS


@pytest.mark.parametrize("traced", [1.0], indirect=True)
def test_by_chance_each_request_is_a_trace_of_its_own(
    traced: Traced, studio: Studio, game: Game, door: FrontDoor
) -> None:
    key = factories.server_key(studio)
    assert [unlock(door, game, key, f"p-{number}") for number in range(2)] == [202, 202]
    first, second = traces()
    assert first
    assert second
    assert first[3:35] != second[3:35]
    assert tracing.here() is None


@pytest.mark.parametrize("traced", [1.0], indirect=True)
def test_a_key_that_wants_no_trace_has_none(
    traced: Traced, studio: Studio, game: Game, door: FrontDoor
) -> None:
    assert unlock(door, game, factories.server_key(studio), "p-1", NOT_SAMPLED) == 202
    assert traces() == [None]


def test_an_error_of_the_server_is_one_of_the_span(traced: Traced) -> None:
    asked = traced.recorder.begin_request()
    traced.recorder.hear_key(SAMPLED)
    asked.end("GET", "reads", 503)
    (span,) = traced.spans()
    assert span.status.status_code.name == "ERROR"
    assert dict(span.attributes or {})["error.type"] == "503"


def test_requests_that_share_a_commit_are_linked(traced: Traced) -> None:
    running, go_on = threading.Event(), threading.Event()
    seen: list[Span | None] = []

    def run(items: Any) -> Any:
        running.set()
        go_on.wait(LONG_S)
        seen.append(tracing.here())
        return items

    group: GroupCommit[int, int] = GroupCommit(run)
    spans = [traced.recorder.start(f"request {number}") for number in range(2)]

    def submit(span: Span | None) -> None:
        with tracing.within(span):
            group.submit(1)

    threads = [threading.Thread(target=submit, args=(span,)) for span in (None, *spans)]
    threads[0].start()
    assert running.wait(LONG_S)
    for number, thread in enumerate(threads[1:], start=1):
        thread.start()
        deadline = time.monotonic() + LONG_S
        while len(group._waiting) < number and time.monotonic() < deadline:
            time.sleep(0.001)
    go_on.set()
    for thread in threads:
        thread.join()
    commits = [span for span in traced.spans() if span.name == "commit"]
    assert [each and each.trace_id for each in seen] == [None, spans[0].trace_id]
    by_trace = {f"{one.context.trace_id:032x}": one for one in commits if one.context}
    assert list(by_trace) == [span.trace_id for span in spans]
    links = [[f"{link.context.trace_id:032x}" for link in one.links] for one in by_trace.values()]
    assert links == [[spans[1].trace_id], [spans[0].trace_id]]
    assert dict(commits[0].attributes or {}) == {"laurel.requests": 2}


def test_what_follows_from_a_fact_is_of_its_trace(
    traced: Traced, studio: Studio, game: Game, door: FrontDoor
) -> None:
    key = factories.server_key(studio)
    hook = {"url": "https://hooks.example.com/", "events": ["achievement.unlocked"]}
    assert factories.api(key).post("/webhooks", hook).status_code == 201
    assert unlock(door, game, key, "p-1", SAMPLED) == 202
    assert unlock(door, game, key, "p-2") == 202
    followers.drain("webhooks")
    first, second = Delivery.objects.order_by("pk").values_list("trace", flat=True)
    spans = {span.name: span for span in traced.spans() if span.name != "postgresql"}
    follow = spans["follow webhooks"].context
    assert follow is not None
    assert first == f"00-{TRACE}-{follow.span_id:016x}-01"
    assert second == ""


def test_a_trace_that_can_t_be_read_holds_no_follower_up(traced: Traced) -> None:
    with tracing.following("social", ["nonsense", SAMPLED]):
        pass
    assert traced.named() == ["follow social", "follow social"]


def test_a_listener_that_fails_is_an_error_without_its_words(traced: Traced) -> None:
    with pytest.raises(ValueError), tracing.following("social", [SAMPLED]):  # noqa: PT011 - its words are not told
        raise ValueError("Key (name)=(Ada) exists")
    (span,) = traced.spans()
    assert dict(span.attributes or {}) == {"laurel.facts": 1, "error.type": "ValueError"}
    assert span.events == ()


def test_statements_are_told_without_values(traced: Traced) -> None:
    span = traced.recorder.start("request")
    with tracing.within(span):
        run_prepared("SELECT name FROM accounts_studio WHERE name = $1", ["Ada"])
    (statement,) = traced.spans()
    told = {"db.system.name": "postgresql", "db.query.summary": "FROM accounts_studio"}
    assert dict(statement.attributes or {}) == told


def test_a_transaction_s_trace_ends_with_it(
    traced: Traced, game: Game, studio: Studio, door: FrontDoor
) -> None:
    span = traced.recorder.start("request")
    with tracing.within(span), transaction.atomic():
        run_prepared("INSERT INTO core_fact (kind, size, payload) VALUES ('tried', 1, '{}')", [])
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO core_fact (kind, size, payload) VALUES ('tried', 1, '{}')")
        cursor.execute("SELECT trace FROM core_fact WHERE kind = 'tried' ORDER BY tx, id")
        assert cursor.fetchall() == [(span.traceparent,), (None,)]
    assert {fact.trace for fact in facts.read_after(0, 0, kinds={"tried"}) if fact.is_heard} == {
        span.traceparent,
        "",
    }


@pytest.mark.parametrize("traced", [1.0], indirect=True)
def test_scheduled_jobs_are_traces_by_chance(traced: Traced) -> None:
    jobs.began("1", "core.sweep")
    inside = tracing.here()
    jobs.ended("1", "core.sweep", ValueError("Ada"))
    assert inside is not None
    assert tracing.here() is None
    (span,) = [span for span in traced.spans() if span.name != "postgresql"]
    assert (span.name, span.status.status_code.name) == ("job core.sweep", "ERROR")


def test_log_lines_say_of_which_trace_they_are(traced: Traced) -> None:
    span = traced.recorder.start("request")
    with tracing.within(span):
        assert tracing.name_it(None, "info", {"event": "said"}) == {
            "event": "said",
            "trace_id": span.trace_id,
        }
    assert tracing.name_it(None, "info", {"event": "said"}) == {"event": "said"}


def test_a_collector_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        collector.answers.clear()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setattr(tracing, "ENDS_WITHIN_S", 0.2)
        monkeypatch.setattr("core.tracing.recording.ANSWERS_WITHIN_S", LONG_S)
        recorder = tracing.recorder = Recorder(ratio=1.0, hears_keys=0)
        began = time.perf_counter()
        for _ in range(600):
            recorder.begin_request().end("POST", "unlocks", 202)
        assert time.perf_counter() - began < LONG_S / 2
        began = time.perf_counter()
        tracing.end()
        assert time.perf_counter() - began < LONG_S / 2
        assert vars(tracing)["recorder"] is None
        collector.answers.set()
        for thread in threading.enumerate():
            if thread.name == "traces-end":
                thread.join()


@pytest.mark.parametrize(
    ("said", "ratio", "of_keys"),
    [
        ({}, 0.01, 10),
        ({"OTEL_TRACES_SAMPLER_ARG": "0.5"}, 0.5, 10),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}, 0.1, 0),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, 1.0, 0),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off", "TRACES_OF_KEYS_A_SECOND": "2"}, 0.0, 2),
    ],
)
def test_opentelemetry_s_variables_say_what_is_sampled(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], ratio: float, of_keys: int
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    read = runpy.run_path(str(Path(BASE_DIR) / "config/settings/tracing.py"))
    assert (read["TRACES_RATIO"], read["TRACES_OF_KEYS"], read["TRACES_ENDPOINT"]) == (ratio, of_keys, "")


@pytest.mark.parametrize("said", [{"OTEL_TRACES_SAMPLER": "jaeger_remote"}, {"OTEL_TRACES_SAMPLER_ARG": "7"}])
def test_a_sampler_that_there_is_not_is_refused(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str]
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured):
        runpy.run_path(str(Path(BASE_DIR) / "config/settings/tracing.py"))


@pytest.mark.slow
def test_without_a_collector_nothing_that_records_is_loaded() -> None:
    names = ("core.tracing.recording", "opentelemetry.exporter")
    asks = "import sys, django; django.setup(); import {}; print([name in sys.modules for name in {}])"
    rooms = "config.urls, config.celery, core.front_door, social.live.process, webhooks.sender"
    said = subprocess.run(
        [sys.executable, "-c", asks.format(rooms, names)],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[False, False]"
