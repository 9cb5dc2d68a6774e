"""The API against its own OpenAPI schema: Schemathesis sends what fits it and what does not, and follows its answers.

Every operation gets what lies at the schema's edges, and by chance what fits it and what does not; and what is created
is followed to what reads, changes and removes it. All of Schemathesis' checks look at each answer: no 5xx, no status,
type, header or shape that the schema does not name; what violates the schema is refused, and what fits it is not
malformed; nothing is told without a credential, or after it is gone. Chance is the same every time, and what fails is
shown as `curl` (docs/adr/0066-fuzzing.md).
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from django.db import connections

from config import children
from core import facts, followers
from tests import factories
from tests.security.api_routes import ABOUT, OPERATIONS, ROOT, Side
from tests.security.serving import WebServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
# How many an operation: as many as are promised, or more (`make fuzz`). As many walks lead from answer to answer.
EXAMPLES: Final = 1000 if os.environ.get("FUZZ") == "full" else 200
_FOLLOWED_EVERY_S: Final = 2.0
LEAVING: Final = ("leaving-1", "leaving-2", "leaving-3")
# Each in a process of its own (tests/conftest.py).
PARTS: Final = {
    "games": f"^/{ROOT}/(games|webhooks)",
    "players": f"^/{ROOT}/players",
    "reports and boards": f"^/{ROOT}(/(achievements|leaderboards|stats).*)?$",
}


def test_every_operation_is_in_one_part() -> None:
    for one in OPERATIONS:
        if one.route not in ABOUT:
            assert sum(bool(re.search(part, f"/{ROOT}{one.route}")) for part in PARTS.values()) == 1, one.name


@pytest.mark.parametrize("part", PARTS)
def test_every_operation_answers_as_its_schema_says(
    transactional_db: None, web: WebServer, tmp_path: Path, part: str
) -> None:
    fuzz(web, tmp_path, "--phases=examples,coverage,fuzzing", "--include-path-regex", PARTS[part])


def test_what_follows_an_answer_is_answered_as_its_schema_says(
    transactional_db: None, web: WebServer, tmp_path: Path
) -> None:
    fuzz(web, tmp_path, "--phases=stateful")


def fuzz(web: WebServer, folder: Path, *options: str) -> None:
    """Try a world of its own; fail with what Schemathesis says."""
    side = Side.make()
    config = folder / "schemathesis.toml"
    fixed = Path(__file__).with_name("fuzz.toml").read_text()
    config.write_text(f"{fixed}\n[dictionaries]\n{_dictionaries(side)}")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    command += [f"http://{children.HOST}:{web.port}/{ROOT}/schema", "--checks=all", "--no-color"]
    command += [f"--max-examples={EXAMPLES}", "--header", f"Authorization: Bearer {side.key}", *options]
    env = os.environ | {"SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("fuzz_hooks.py"))}
    with _followed():
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _followed() -> Iterator[None]:
    """Let listeners hear of what is reported, as workers would: where they fall behind, reads are refused."""
    ended = threading.Event()

    def follow() -> None:
        try:
            while not ended.wait(_FOLLOWED_EVERY_S):
                for name in facts.subscriptions():
                    followers.drain(name)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        followed = pool.submit(follow)
        try:
            yield
        finally:
            ended.set()
        followed.result()


def _dictionaries(side: Side) -> str:
    """Return the names of what there is in a world, as fuzz.toml asks for them."""
    for name in ("p-1", "p-2", "p-3", *LEAVING):
        factories.player(side.studio, name)
    named = side.named
    dictionaries = {
        "games": [named["game"]],
        "players": [named["player"], named["friend"], "player", "friend", "p-1", "p-2", "p-3"],
        "leaving": list(LEAVING),
        "keys": ["by-client", "had", "steps", "kills", "high"],
        "boards": ["high", "points"],
        "periods": [named["period"]],
        "snapshots": [named["snapshot"]],
        "webhooks": [named["webhook"]],
        "deliveries": [named["delivery"]],
        "requests": [named["request"]],
        "notifications": [named["notification"]],
    }
    return "".join(f"{name} = {{ values = {json.dumps(values)} }}\n" for name, values in dictionaries.items())
