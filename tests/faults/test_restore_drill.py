"""A drill: the server is killed under load, and restored to a named second (docs/operations/backups.md).

DRILL=full loads for minutes rather than seconds.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from tests.platform import ACHIEVEMENTS, Answer, Platform, wait_for
from tests.webhooks.servers import Receiver, receiver

IS_FULL = os.environ.get("DRILL") == "full"
LOADED_S = 60.0 if IS_FULL else 1.5  # before the backup, between it and the named second, and after that
CLIENTS, PAUSE_S = 3, 0.01 if IS_FULL else 0.05
GONE, STAYS = "gone-4711", "stays-4712"
WITHIN_S = 300.0
Pair = tuple[str, str]


@dataclass(frozen=True)
class Sent:
    """An unlock that a client sent, by its own clock, which is the server's."""

    pair: Pair
    sent_at: float
    answered_at: float
    status: int


@dataclass
class Load:
    """Clients that unlock until they are told to stop, and their journal."""

    platform: Platform
    journal: list[Sent] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def unlock(self, number: int) -> None:
        """Unlock one after the other, each once."""
        client = self.platform.client()
        count = 0
        while not self.over.is_set():
            pair = f"drilled-{number}-{count // ACHIEVEMENTS}", f"a{count % ACHIEVEMENTS}"
            sent_at = time.time()
            answer = client.unlock(*pair)
            self.journal.append(Sent(pair, sent_at, time.time(), answer.status))
            count += 1
            time.sleep(PAUSE_S)


@contextmanager
def load(platform: Platform) -> Iterator[Load]:
    made = Load(platform)
    threads = [threading.Thread(target=made.unlock, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.over.set()
        for thread in threads:
            thread.join()


def told(server: Receiver) -> dict[Pair, set[str]]:
    """Return the ids under which a receiver heard of each unlock."""
    found: dict[Pair, set[str]] = {}
    for heard in list(server.heard):
        data = json.loads(heard.body)["data"]
        about = data["player"]["external_id"], data["achievement"]["key"]
        found.setdefault(about, set()).add(heard.headers["webhook-id"])
    return found


def erase(platform: Platform, player: str) -> Answer:
    """Erase a player, and wait until the ledger is copied."""
    client = platform.client()
    answer = client.until_answered(client.delete, f"/players/{player}")
    assert answer.status == 202, answer
    copy = Path(platform.env["BACKUP_DIR"]) / "erasures" / f"{answer.body['id']}.json"
    wait_for(copy.exists, what="the copy of the ledger", within_s=WITHIN_S)
    return answer


def test_a_named_second_is_restored_and_nothing_else(platform: Platform) -> None:
    with receiver(port=platform.hook_port) as server:
        url = f"http://127.0.0.1:{platform.hook_port}/"
        made = _endpoint(platform, url)
        _drill(platform, server)
    assert platform.client().patch(f"/webhooks/{made.body['id']}", {"enabled": False}).status == 200


def _endpoint(platform: Platform, url: str) -> Answer:
    """Make an endpoint, once the tests before have not used up what may be written."""
    deadline = time.monotonic() + WITHIN_S
    body = {"url": url, "events": ["achievement.unlocked"]}
    while (made := platform.client().post("/webhooks", body)).status == HTTPStatus.TOO_MANY_REQUESTS:
        assert time.monotonic() < deadline, made
        time.sleep(0.5)
    assert made.status == HTTPStatus.CREATED, made
    return made


def _drill(platform: Platform, server: Receiver) -> None:
    client = platform.client()
    for player in (GONE, STAYS):
        client.unlock_until_stored(player, "a0")
    with load(platform) as loaded:
        time.sleep(LOADED_S)
        platform.manage("backup")
        time.sleep(LOADED_S)
        moment = int(time.time()) + 1.0
        time.sleep(moment + LOADED_S - time.time())
    erase(platform, GONE)
    # A new connection: the web server has closed the one that was idle for so long.
    platform.client().unlock_until_stored(STAYS, "a1")
    # What was delivered of the time that is about to be lost, the receiver has for good.
    wait_for(lambda: (STAYS, "a1") in told(server), what="a webhook", within_s=WITHIN_S)
    heard_before = told(server)
    platform.kill("postgres")
    platform.close_clients()
    platform.stop()

    said = platform.manage("restore", "--to", datetime.fromtimestamp(moment, UTC).isoformat())
    assert "1 people who were erased since are being erased again." in said, said
    platform.postgres.start()
    platform.valkey.start()
    platform.start_processes()
    _require_exactly(platform, loaded.journal, moment)
    _require_gone(platform)
    platform.wait_until_caught_up(within_s=WITHIN_S)
    due = "SELECT count(*) FROM webhooks_delivery WHERE state <> 'succeeded'"
    wait_for(lambda: platform.rows(due) == [(0,)], what="every delivery", within_s=WITHIN_S)
    assert {pair: ids for pair, ids in told(server).items() if len(ids) > 1} == {}
    assert len(told(server)) >= len(heard_before)
    platform.assert_whole()
    assert "All is as it follows" in platform.manage("verify")


def _require_exactly(platform: Platform, journal: list[Sent], moment: float) -> None:
    rows = platform.rows("""
        SELECT i.external_id, a.key FROM achievements_unlock u
          JOIN achievements_achievement a ON a.id = u.achievement_id
          JOIN accounts_playeridentity i ON i.player_id = u.player_id
    """)
    stored = {(player, key) for player, key in rows}
    acknowledged = {one.pair for one in journal if one.status == 202 and one.answered_at <= moment}
    later = {one.pair for one in journal if one.sent_at > moment}
    assert len(acknowledged) > CLIENTS
    assert later
    assert acknowledged - stored == set(), "lost"
    assert later & stored == set(), "from after the named second"
    assert (STAYS, "a0") in stored
    assert (STAYS, "a1") not in stored


def _require_gone(platform: Platform) -> None:
    assert platform.client().get(f"/players/{GONE}").status == 410
    assert platform.client().get(f"/players/{STAYS}").status == 200
    under_way = "SELECT count(*) FROM accounts_erasure WHERE done_at IS NULL"
    wait_for(lambda: platform.rows(under_way) == [(0,)], what="the erasure", within_s=WITHIN_S)
    look = f"from tests.accounts.erasures import left_of; print('left:', left_of(['{GONE}']))"
    assert "left: []" in platform.manage("shell", "-v0", "-c", look)
