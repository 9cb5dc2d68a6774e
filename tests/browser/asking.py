"""What stands between a browser and Laurel's pages: while Laurel has too much to do just now, it asks again.

Whoever would wait longer than `web` promises, as on a machine that stalls, is answered 503, and may send the same
request again. As Chromium's proxy this hears of what Playwright's routes do not: of pages behind a redirect, and of
files in forms.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

FOR_S: Final = 60.0
AGAIN_AFTER_S: Final = 0.5
_ANSWERED_WITHIN_S: Final = 120.0
_OF_A_CONNECTION: Final = {"connection", "keep-alive", "proxy-connection", "transfer-encoding"}


class _Asks(BaseHTTPRequestHandler):
    """Hands on a request until there is room for it, and then its answer."""

    def do_GET(self) -> None:
        self._ask()

    def do_POST(self) -> None:
        self._ask()

    def _ask(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        place = urlsplit(self.path).netloc
        path = self.path.removeprefix(f"http://{place}")
        headers = {name: value for name, value in self.headers.items() if _is_handed_on(name)}
        until = time.monotonic() + FOR_S
        while True:
            with closing(HTTPConnection(place, timeout=_ANSWERED_WITHIN_S)) as line:
                line.request(self.command, path, body or None, headers)
                answer = line.getresponse()
                content = answer.read()
            if answer.status != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > until:
                break
            time.sleep(AGAIN_AFTER_S)
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if _is_handed_on(name):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # a browser opens many connections at once


def _is_handed_on(header: str) -> bool:
    return header.lower() not in _OF_A_CONNECTION


def again() -> AbstractContextManager[int]:
    """Stand there meanwhile; gives the port."""
    return standing(_Server(("127.0.0.1", 0), _Asks))


@contextmanager
def standing(server: ThreadingHTTPServer) -> Iterator[int]:
    """Let a server answer meanwhile; gives its port."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
