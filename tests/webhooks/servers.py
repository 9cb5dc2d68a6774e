"""Receivers, name servers and canaries on real sockets."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dns.message
import dns.rrset

HOST = "hooks.example.com"


@dataclass(frozen=True)
class Heard:
    """A request that a receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


class Receiver:
    """An HTTP server, with TLS if it is given a certificate; `answer` decides on each request."""

    def __init__(
        self, answer: Callable[[BaseHTTPRequestHandler], None], tls: ssl.SSLContext | None, port: int
    ) -> None:
        self.heard: list[Heard] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                named = {name.lower(): value for name, value in self.headers.items()}
                outer.heard.append(Heard(self.path, named, body, time.monotonic()))
                answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # clients that go away, or don't trust us, are what is tried here

        self._server = Server(("127.0.0.1", port), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def says(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer always the same."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


@contextmanager
def receiver(
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None,
    tls: ssl.SSLContext | None = None,
    port: int = 0,
) -> Iterator[Receiver]:
    """Run a receiver."""
    made = Receiver(answer or says(204), tls, port)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def hanging() -> Iterator[Receiver]:
    """Run a receiver that answers nobody."""
    over = threading.Event()

    def wait(_: BaseHTTPRequestHandler) -> None:
        over.wait()

    with receiver(wait) as made:
        try:
            yield made
        finally:
            over.set()


@dataclass
class NameServer:
    """A DNS server on a UDP socket; `names` gives each name's addresses, or a list of them to give in turn."""

    names: dict[str, list[str] | Iterator[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hangs: bool = False
    fails: bool = False

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                data, client = self._socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(data)
            question = query.question[0]
            name = question.name.to_text(omit_final_dot=True).lower()
            kind = dns.rdatatype.to_text(question.rdtype)
            self.asked.append(f"{kind} {name}")
            if self.hangs:
                continue
            response = dns.message.make_response(query)
            known = self.names.get(name)
            if self.fails:
                response.set_rcode(dns.rcode.SERVFAIL)
            elif known is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
            else:
                found = known if isinstance(known, list) else next(known)
                fitting = [address for address in found if (":" in address) == (kind == "AAAA")]
                if fitting:
                    response.answer.append(dns.rrset.from_text(question.name, 0, "IN", kind, *fitting))
            with suppress(OSError):  # closed meanwhile
                self._socket.sendto(response.to_wire(), client)

    def close(self) -> None:
        self._socket.close()


class Canary:
    """Listens at a port of every address of this machine, and counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port: int = self._socket.getsockname()[1]
        self.visitors = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visitors += 1
            visitor.close()

    def close(self) -> None:
        self._socket.close()


def headers_for(heard: Heard) -> dict[str, str]:
    """Return what verifies a signature."""
    return {name: heard.headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
