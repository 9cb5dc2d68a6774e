"""One trace from a request to what players and studios hear of it; and a collector that hangs."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.collector import Collector, Told, collecting
from tests.patience import LONG_S
from tests.platform import Platform, wait_for
from tests.webhooks.servers import receiver

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
HEARS = {"achievements", "analytics", "fanning", "history", "leaderboards", "social", "webhooks"}
SOON_S = 2.5  # a collector that hangs would cost 3 s


@pytest.fixture
def collector(platform: Platform) -> Iterator[Collector]:
    with collecting(platform.collector_port) as made:
        yield made


def unlock(platform: Platform, player: str, achievement: str = "a0") -> tuple[int, float]:
    body = {"game_id": platform.game, "player": player, "achievement": achievement}
    answer = platform.client().post("/achievements/unlock", body, HEADERS)
    return answer.status, answer.seconds


def hear_one(platform: Platform, token: str, is_there: list[bool]) -> str:
    """Return the first event of a player's stream."""
    with (
        httpx.Client(timeout=LONG_S) as client,
        client.stream(
            "GET", f"{platform.place.live_url}/api/v1/live", headers={"Authorization": f"Bearer {token}"}
        ) as stream,
    ):
        for line in stream.iter_lines():
            if line.startswith(": ready"):
                is_there.append(True)
            if line.startswith("event: "):
                return line.removeprefix("event: ")
    raise AssertionError("the stream ended")


def test_one_trace_leads_from_the_request_to_the_push_and_the_webhook(
    platform: Platform, collector: Collector
) -> None:
    client = platform.client()
    token = client.post("/players/traced/token", {"game_id": platform.game}).body["token"]
    is_there: list[bool] = []
    with receiver(port=platform.hook_port) as server, ThreadPoolExecutor() as pool:
        url = f"http://127.0.0.1:{platform.hook_port}/"
        made = client.post("/webhooks", {"url": url, "events": ["achievement.unlocked"]})
        heard = pool.submit(hear_one, platform, token, is_there)
        wait_for(lambda: bool(is_there), what="the stream")
        assert unlock(platform, "traced")[0] == 202
        assert heard.result(LONG_S) == "achievement.unlocked"
        wait_for(lambda: "webhook" in collector.of(TRACE), what="the webhook's span")
        (sent,) = server.heard
    client = platform.client()  # its connection may have ended meanwhile
    assert client.patch(f"/webhooks/{made.body['id']}", {"enabled": False}).status == 200
    # Each process tells once a second, at a time of its own.
    each_tells = {"POST api/v1/achievements/unlock", "commit", "push"}
    wait_for(
        lambda: follows(collector) >= HEARS and each_tells <= collector.of(TRACE).keys(),
        what="all spans",
    )

    spans = collector.of(TRACE)
    (request,), (webhook,), (push,) = (
        spans["POST api/v1/achievements/unlock"],
        spans["webhook"],
        spans["push"],
    )
    assert request.parent == PARENT
    assert sent.headers["traceparent"] == f"00-{TRACE}-{webhook.id}-01"
    assert webhook.attributes == {"laurel.attempt": 1, "http.response.status_code": 204}
    by_id = {span.id: span for many in spans.values() for span in many}
    assert way(webhook, by_id) == ["webhook", "follow webhooks", "commit", request.name]
    assert way(push, by_id) == ["push", "follow social", "commit", request.name]
    processes = {span.process for span in by_id.values()}
    assert processes == {"laurel-web", "laurel-worker", "laurel-send_webhooks", "laurel-live"}
    told = json.dumps([span.attributes for span in by_id.values()])
    assert "traced" not in told
    assert token not in told


def follows(collector: Collector) -> set[str]:
    return {name.removeprefix("follow ") for name in collector.of(TRACE) if name.startswith("follow ")}


def way(span: Told, by_id: dict[str, Told]) -> list[str]:
    """Return the names from a span up to the request."""
    names = [span.name]
    while parent := by_id.get(span.parent):
        names.append(parent.name)
        span = parent
    return names


def test_a_collector_that_hangs_or_is_gone_delays_no_unlock(platform: Platform, collector: Collector) -> None:
    collector.answers.clear()
    answers = [unlock(platform, "hung", f"a{number}") for number in range(30)]
    wait_for(lambda: collector.asked > 0, what="the collector to be asked")
    answers += [unlock(platform, "hung", f"a{number}") for number in range(30, 60)]
    collector.close()
    answers += [unlock(platform, "hung", f"a{number}") for number in range(60, 90)]
    # Two may meet a machine that stalls.
    assert [status for status, _ in answers].count(202) >= len(answers) - 2
    assert sorted(seconds for _, seconds in answers)[-3] < SOON_S
    platform.wait_until_caught_up()


def test_who_is_told_to_stop_tells_what_he_did(platform: Platform, collector: Collector) -> None:
    assert unlock(platform, "stopped", "a100")[0] == 202
    stop(platform, "web")
    assert "commit" in collector.of(TRACE)
    platform.wait_until_caught_up()
    stop(platform, "worker")
    assert follows(collector) >= HEARS - {"webhooks"}  # nobody listens any more


def stop(platform: Platform, name: str) -> None:
    process = platform.process(name)
    process.kill(signal.SIGTERM)
    wait_for(lambda: not process.alive, what=f"{name} to end")
    platform.start_again(name)
