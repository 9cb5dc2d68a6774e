"""Lines of the log in production, and what Sentry is told of errors."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from config.children import BASE_DIR

pytestmark = pytest.mark.slow
SAYS = """
import logging, structlog
from core import slow_queries
log = structlog.get_logger("core.followers")
structlog.contextvars.bind_contextvars(request_id="req-7")
slow_queries.note("SELECT $1", 0.25)
logging.getLogger("uvicorn.error").warning("a server says %s", "so")
try:
    password = "a variable's secret"
    raise ValueError("what broke\\nDETAIL: Key (name)=(somebody) exists")
except ValueError:
    log.exception("listener failed", player="a field's secret")
logging.getLogger("django.request").error("Internal Server Error: %s", "/players/an-argument's-secret")
"""


class Sentry(HTTPServer):
    """Takes what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Takes)
        self.heard = ""


class _Takes(BaseHTTPRequestHandler):
    server: Sentry

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard += gzip.decompress(body).decode() if body[:2] == b"\x1f\x8b" else body.decode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    with Sentry() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def said(**env: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", SAYS],
        cwd=BASE_DIR,
        env={**os.environ, "DEBUG": "0", "PUBLIC_URL": "http://127.0.0.1:8000", **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()


def test_each_line_is_json_and_names_its_request() -> None:
    lines = [json.loads(line) for line in said()]
    assert [line["event"] for line in lines] == [
        "slow query",
        "a server says so",
        "listener failed",
        "Internal Server Error: /players/an-argument's-secret",
    ]
    assert {line["request_id"] for line in lines} == {"req-7"}
    assert (lines[0]["sql"], lines[0]["ms"], lines[0]["level"]) == ("SELECT $1", 250, "warning")
    assert "ValueError: what broke" in lines[2]["exception"]


def test_sentry_hears_of_errors_and_of_nobody(sentry: Sentry) -> None:
    said(SENTRY_DSN=f"http://key@127.0.0.1:{sentry.server_port}/1")
    assert "what broke" in sentry.heard
    assert "listener failed" in sentry.heard
    assert "Internal Server Error: %s" in sentry.heard
    assert '"request_id":"req-7"' in sentry.heard.replace(": ", ":")
    assert "slow query" not in sentry.heard
    for secret in ("a variable's secret", "a field's secret", "an-argument's-secret", "somebody"):
        assert secret not in sentry.heard.replace(SAYS, "")
