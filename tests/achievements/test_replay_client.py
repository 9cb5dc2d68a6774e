"""The replay's HTTP client against a server that misbehaves in every way a platform may."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from achievements.replay.client import Client, Failed, Refused

Script = list[tuple[int, dict[str, str], bytes] | None]


class Scripted(BaseHTTPRequestHandler):
    """Answers what the test wrote down, in order; None closes the connection without an answer."""

    protocol_version = "HTTP/1.1"
    script: ClassVar[Script] = []
    requests: ClassVar[list[tuple[str, str, str | None, bytes]]] = []

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.requests.append((self.command, self.path, self.headers["Authorization"], body))
        answer = self.script.pop(0)
        if answer is None:
            self.close_connection = True
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815  http.server's name

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def platform() -> Iterator[str]:
    Scripted.script, Scripted.requests = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def ok(value: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps(value).encode()


def test_a_request_carries_the_key_and_its_parameters(platform: str) -> None:
    Scripted.script = [ok({"id": 1})]
    client = Client(platform, "lrl_sk_test")
    assert client.post("/games", {"title": "Ä"}, dry_run="true") == {"id": 1}
    client.close()
    [(method, path, key, body)] = Scripted.requests
    assert (method, path, key) == ("POST", "/api/v1/games?dry_run=true", "Bearer lrl_sk_test")
    assert json.loads(body) == {"title": "Ä"}


@pytest.mark.slow
def test_a_busy_platform_and_a_broken_connection_are_tried_again(platform: str) -> None:
    Scripted.script = [(503, {"Retry-After": "0"}, b"{}"), None, (429, {}, b"{}"), ok([])]
    client = Client(platform, "k")
    assert client.get("/games") == []
    client.close()
    assert len(Scripted.requests) == 4


def test_a_list_is_read_to_its_last_page(platform: str) -> None:
    Scripted.script = [
        ok({"results": [{"n": 1}, {"n": 2}], "next_cursor": "a b"}),
        ok({"results": [{"n": 3}], "next_cursor": None}),
    ]
    client = Client(platform, "k")
    assert client.rows("/games") == [{"n": 1}, {"n": 2}, {"n": 3}]
    client.close()
    assert Scripted.requests[1][1] == "/api/v1/games?limit=1000&cursor=a+b"


def test_a_refusal_says_what_the_platform_says(platform: str) -> None:
    Scripted.script = [
        (404, {}, b'{"detail": "No such game."}'),
        (500, {}, b"<h1>Oh</h1>"),
        (200, {}, b"<html>"),
    ]
    client = Client(platform, "k")
    with pytest.raises(Refused, match=r"GET /api/v1/x was answered 404: No such game\."):
        client.get("/x")
    with pytest.raises(Failed, match="500: <h1>Oh"):
        client.get("/x")
    with pytest.raises(Failed, match="not JSON"):
        client.get("/x")
    client.close()


def test_a_platform_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(Failed, match=r"can't be reached \(.*\): start the platform, or give --url\.$"):
        Client("http://127.0.0.1:9", "k").check()
    with pytest.raises(Failed, match="no address"):
        Client("localhost:8000", "k")
