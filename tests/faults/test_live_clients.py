"""200 clients of three kinds, while what they hear through is killed again and again."""

import random
import shutil
import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.faults import FULL
from tests.faults.clients import Client, Following, SocketClient, StreamClient, heard_in, open_in
from tests.platform import STARTS_WITHIN_S, Platform, wait_for

CLIENTS = 200
IN_A_BROWSER = 20
UNLOCKS = 50  # of each client's player
KILLS = 20 if FULL else 9
IN_A_BATCH = 50
SEED = 20261126
_KILLED = ("live", "valkey", "worker")
_TYPE = "achievement.unlocked"


@pytest.fixture
def page() -> Iterator[Page]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("There is no Chromium on this machine.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page()
        browser.close()


def tokens(platform: Platform, names: list[str]) -> list[str]:
    client = platform.client()
    body = {"game_id": platform.game}
    answers = [client.until_answered(client.post, f"/players/{name}/token", body) for name in names]
    assert {answer.status for answer in answers} == {201}
    return [answer.body["token"] for answer in answers]


def unlock_all(platform: Platform, names: list[str], seconds: float) -> None:
    """Unlock UNLOCKS achievements for everybody, spread over a time; each batch until it is stored."""
    client = platform.client()
    groups = [names[start : start + IN_A_BATCH] for start in range(0, len(names), IN_A_BATCH)]
    pause = seconds / UNLOCKS / len(groups)
    for number in range(UNLOCKS):
        for group in groups:
            unlocks = [{"player": name, "achievement": f"a{number}"} for name in group]
            body = {"game_id": platform.game, "unlocks": unlocks}
            answer = client.until_answered(client.post, "/achievements/unlock/batch", body)
            assert answer.status == 202, answer
            time.sleep(pause)


def kill_in_turn(platform: Platform, clients: list[Client], chance: random.Random) -> None:
    """Kill KILLS processes, one after the other; each is back before the next one goes.

    Before `live` is killed, at least half of the clients have come back since it was killed last.
    """
    connections = 0
    for number in range(KILLS):
        name = _KILLED[number % len(_KILLED)]
        time.sleep(chance.uniform(0.1, 0.6))
        if name == "live":
            enough = connections + len(clients) // 2
            wait_for(
                lambda enough=enough: _connections(clients) >= enough,  # type: ignore[misc]
                what="clients to be back",
                within_s=STARTS_WITHIN_S,
            )
            connections = _connections(clients)
        platform.kill(name)
        time.sleep(chance.uniform(0.1, 0.6))
        platform.start_again(name)


def _connections(clients: list[Client]) -> int:
    return sum(client.connections for client in clients)


def unlocks(events: list[dict[str, object]]) -> list[str]:
    """Return the ids of unlocks in the order in which they came first."""
    return list(dict.fromkeys(str(event["id"]) for event in events if event["type"] == _TYPE))


@pytest.mark.slow
def test_each_client_ends_with_exactly_its_events_in_order(platform: Platform, page: Page) -> None:
    chance = random.Random(SEED)
    names = [f"listener-{number}" for number in range(CLIENTS)]
    credentials = tokens(platform, names)
    ours, browsers = credentials[:-IN_A_BROWSER], credentials[-IN_A_BROWSER:]
    clients: list[Client] = [
        (SocketClient if number % 2 else StreamClient)(token) for number, token in enumerate(ours)
    ]
    address = f"127.0.0.1:{platform.place.port + 1}"
    page.goto(f"{platform.place.url}/livez")
    with Following(clients, address):
        open_in(page, address, browsers)
        seconds = KILLS * 1.5
        sending = threading.Thread(target=unlock_all, args=(platform, names, seconds))
        sending.start()
        kill_in_turn(platform, clients, chance)
        sending.join()
        platform.wait_until_caught_up()

        def heard() -> list[list[str]]:
            return [unlocks(client.events) for client in clients] + [unlocks(one) for one in heard_in(page)]

        wait_for(lambda: min(map(len, heard())) >= UNLOCKS, what="every client", within_s=STARTS_WITHIN_S)
        found = heard()
    reader = platform.client()
    for name, ids in zip(names, found, strict=True):
        inbox = reader.until_answered(reader.get, f"/players/{name}/notifications?limit=1000")
        rows = inbox.body["results"]
        assert ids == [row["id"] for row in reversed(rows) if row["type"] == _TYPE], name
        assert len(ids) == UNLOCKS
    assert _connections(clients) > 2 * len(clients)  # they were lost, and came back
    platform.assert_whole()
