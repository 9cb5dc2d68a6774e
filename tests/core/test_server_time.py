"""A machine whose clock is an hour off goes by PostgreSQL's."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from config import children
from config.processes import Process
from core import clock, server_time
from core.clock import parse_rfc3339, rfc3339
from tests import factories
from tests.platform import STARTS_WITHIN_S, wait_for
from tests.pooling import database_url
from tests.webhooks import world
from tests.webhooks.servers import receiver

pytestmark = pytest.mark.django_db(transaction=True)
LIBRARY: Final = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
needs_faketime = pytest.mark.skipif(LIBRARY is None, reason="Debian has it in faketime.")
NEAR: Final = timedelta(minutes=1)  # this machine may be busy


def off_by(by: str) -> dict[str, str]:
    """Return the environment of a process whose clock is off."""
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME": by, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@contextmanager
def running(process: Process) -> Iterator[None]:
    try:
        process.start(within_s=STARTS_WITHIN_S)
        yield
    finally:
        process.stop()


@pytest.fixture
def hour_behind() -> Iterator[None]:
    """Let this process know that its machine is an hour behind PostgreSQL."""
    clock.set_behind(timedelta(hours=1))
    yield
    clock.set_behind(timedelta())


def test_clocks_that_agree_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_time, "_asked_at", float("-inf"))
    clock.set_behind(timedelta(hours=1))
    server_time.learn()
    assert abs(clock.now() - datetime.now(UTC)) < NEAR
    clock.set_behind(timedelta(hours=1))
    server_time.learn()  # asked a moment ago
    assert clock.now() - datetime.now(UTC) > NEAR
    clock.set_behind(timedelta())


@needs_faketime
@pytest.mark.slow
@pytest.mark.parametrize("by", ["-1h", "+1h"])
def test_a_process_whose_clock_is_an_hour_off_learns_what_time_it_is(by: str) -> None:
    asked = "from core import clock, server_time; server_time.learn(); print(clock.now().isoformat())"
    argv = [sys.executable, "manage.py", "shell", "--no-imports", "-c", asked]
    env = os.environ | off_by(by) | {"DATABASE_URL": database_url()}
    said = subprocess.run(argv, cwd=children.BASE_DIR, env=env, capture_output=True, text=True, check=True)
    learnt = datetime.fromisoformat(said.stdout.strip().splitlines()[-1])
    assert abs(learnt - datetime.now(UTC)) < NEAR


def test_what_is_reported_is_judged_by_postgresql_s_clock(hour_behind: None) -> None:
    """This machine's clock would call what was a moment ago an hour ahead."""
    studio = factories.studio()
    game = factories.game(studio)
    factories.achievements(game, {"now": 1, "later": 1})
    api = factories.api(factories.server_key(studio))

    def unlock(key: str, at: datetime) -> Any:
        sent = {"game_id": str(game.uuid), "player": "p-1", "achievement": key, "unlocked_at": rfc3339(at)}
        return api.post("/achievements/unlock", sent)

    theirs = datetime.now(UTC) + timedelta(hours=1)
    assert unlock("now", theirs).status_code == 202
    assert unlock("later", theirs + timedelta(minutes=30)).status_code == 422
    token = api.post("/players/p-1/token", {"game_id": str(game.uuid)}).json()
    assert abs(parse_rfc3339(token["expires_at"]) - theirs - timedelta(hours=1)) < NEAR


@needs_faketime
@pytest.mark.slow
def test_a_sender_whose_clock_is_an_hour_off_signs_by_postgresql_s(tmp_path: Path) -> None:
    api = factories.api(factories.server_key(factories.studio()))
    with receiver() as server:
        allowed: dict[str, Any] = {
            "allowed_networks": ["127.0.0.0/8"],
            "ports": [server.port],
            "plain_http": True,
        }
        with world.operator_allows(**allowed):
            wanted = {"url": f"http://127.0.0.1:{server.port}/", "events": ["achievement.unlocked"]}
            hook = api.post("/webhooks", wanted).json()
            assert api.post(f"/webhooks/{hook['id']}/test", {}).status_code == 202
        env = (
            os.environ
            | off_by("-1h")
            | {
                "DATABASE_URL": database_url(),
                "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
                "WEBHOOK_PORTS": str(server.port),
                "WEBHOOK_PLAIN_HTTP": "1",
            }
        )
        argv = [sys.executable, "manage.py", "send_webhooks"]
        with running(Process("sender", argv, var_dir=tmp_path, env=env, folder=children.BASE_DIR)):
            wait_for(lambda: bool(server.heard), what="the message")
    signed_at = int(server.heard[0].headers["webhook-timestamp"])
    assert abs(signed_at - time.time()) < NEAR.total_seconds()
