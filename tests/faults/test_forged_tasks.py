"""Messages that somebody else laid into the broker run nothing, and the worker goes on (O3 of docs/threat-model.md)."""

import json
import pickle
from pathlib import Path
from typing import Any
from uuid import uuid4

import redis
from kombu import Connection

from tests.platform import Platform, wait_for


class _Mark:
    """What makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def _broker(platform: Platform) -> str:
    return f"{platform.valkey.url.rsplit('/', 1)[0]}/3"


def _lay_down(connection: Connection, task: str, body: bytes, content_type: str) -> None:
    headers = {"task": task, "id": str(uuid4()), "lang": "py", "argsrepr": "", "kwargsrepr": ""}
    with connection.SimpleQueue("bulk") as queue:
        queue.producer.publish(
            body,
            routing_key="bulk",
            headers=headers,
            content_type=content_type,
            content_encoding="utf-8" if "json" in content_type else "binary",
            correlation_id=headers["id"],
        )


def test_forged_messages_run_nothing_and_the_worker_goes_on(platform: Platform, tmp_path: Path) -> None:
    mark = tmp_path / "was run"
    worker = platform.process("worker").pid
    arguments = json.dumps([[f"touch {mark}"], {}, {}]).encode()
    with Connection(_broker(platform)) as connection, redis.Redis.from_url(_broker(platform)) as broker:
        for task in ("core.sweep", "os.system", "subprocess.run", ""):
            _lay_down(connection, task, pickle.dumps(_Mark(mark)), "application/x-python-serialize")
            _lay_down(connection, task, arguments, "application/json")
            _lay_down(connection, task, b"{" * 10_000, "application/json")
            _lay_down(connection, task, json.dumps([["a" * 5_000_000], {}, {}]).encode(), "application/json")
        wait_for(lambda: not broker.llen("bulk"), what="the worker to take them")
    platform.client().unlock_until_stored("after forged tasks", "a1")
    platform.wait_until_caught_up()
    assert platform.process("worker").alive
    assert platform.process("worker").pid == worker
    assert not mark.exists()
