"""What stands before a busy platform: it turns away, and loses answers, as each client has to bear."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOST = "/achievements/unlock"
_PASSED_ON = ("Authorization", "Content-Type", "Idempotency-Key")
_TOLD = ("Content-Type", "Idempotent-Replayed", "Retry-After")
# How attempts end at a platform that has too much to do, or is at the one before still.
_OF_A_MOMENT = ("503", "409")


@dataclass
class Front:
    """Where it listens, and what came: for each path of a POST the keys of its attempts, and how each ended."""

    port: int
    attempts: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ends(self, path: str) -> list[str]:
        """Return how a path's attempts ended, but for those that came to a busy platform."""
        return [end for _, end in self.attempts[path] if end not in _OF_A_MOMENT]


@contextmanager
def impatient_front(port: int) -> Iterator[Front]:
    """Stand before a platform's port. Of each path's POSTs the first is turned away; LOST's next has no answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(*self._ask())

        def do_POST(self) -> None:
            path = self.path.removeprefix("/api/v1")
            attempts = front.attempts.setdefault(path, [])
            key = self.headers["Idempotency-Key"] or ""
            if not attempts:
                self.rfile.read(int(self.headers["Content-Length"]))
                attempts.append((key, "turned away"))
                self._answer(503, {"Retry-After": "0"}, b'{"status": 503}')
                return
            status, headers, body = self._ask()
            end = "replayed" if "Idempotent-Replayed" in headers else str(status)
            attempts.append((key, end))
            if path == LOST and front.ends(path)[1:] == [end]:
                self.close_connection = True
                return
            self._answer(status, headers, body)

        def _ask(self) -> tuple[int, dict[str, str], bytes]:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
            headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
            behind = HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                behind.request(self.command, self.path, body, headers)
                answer = behind.getresponse()
                told = {name: answer.headers[name] for name in _TOLD if name in answer.headers}
                return answer.status, told, answer.read()
            finally:
                behind.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    front = Front(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
