"""nginx as it is shipped, before a `web` and a `live` of the tests, and what can be sent to it."""

import os
import re
import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from config import programs, var_dir
from config.children import HOST, Place
from config.processes import Process
from config.production.preparing import lay_certificate, lay_nginx
from tests.platform import STARTS_WITHIN_S
from tests.security import production

NAME = urlsplit(production.URL).hostname or ""
WITHIN_S = production.ANSWERED_WITHIN_S
# Debian keeps it where only root looks.
PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass(frozen=True)
class Proxy:
    """An nginx that runs."""

    folder: Path
    http_port: int
    port: int

    def ask(self, path: str, method: str = "GET", **more: object) -> httpx.Response:
        """Send a request by https to the name that it serves, and again while `web` has too much to do."""
        return production.asked(lambda: self.ask_once(path, method, **more))

    def ask_once(self, path: str, method: str = "GET", **more: object) -> httpx.Response:
        """Send it whatever is answered."""
        url = f"https://{NAME}:{self.port}{path}"
        with httpx.Client(transport=_ToUs(verify=believing()), timeout=WITHIN_S) as client:
            return client.request(method, url, **more)  # type: ignore[arg-type]

    def line(self, name: str = NAME) -> ssl.SSLSocket:
        """Open a connection, as somebody who asks for that name."""
        return believing().wrap_socket(
            socket.create_connection((HOST, self.port), timeout=WITHIN_S), server_hostname=name
        )

    def send(self, *parts: bytes) -> bytes:
        """Write bytes to a connection of their own, and return what came until it was closed."""
        heard = b""
        with self.line() as line:
            for part in parts:
                line.sendall(part)
            while piece := line.recv(65_536):
                heard += piece
        return heard


class _ToUs(httpx.HTTPTransport):
    """Leads each name to this machine, while certificate and header say the name."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": NAME}
        request.url = request.url.copy_with(host=HOST)
        return super().handle_request(request)


def believing() -> ssl.SSLContext:
    """Return a client's trust in whatever certificate it is shown."""
    context = ssl.SSLContext(
        ssl.PROTOCOL_TLS_CLIENT
    )  # reading the authorities would take longest, and none is asked
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def in_front_of(place: Place, folder: Path, *, behind: str = "") -> Iterator[Proxy]:
    """Run nginx in front of `web` and `live`; what it says where it is `behind` another proxy may be given."""
    assert PROGRAM is not None
    folder.mkdir(exist_ok=True)
    http_port = var_dir.free_ports(2)
    proxy = Proxy(folder, http_port, http_port + 1)
    lay_certificate(folder, NAME)
    settings = lay_nginx(
        folder,
        PUBLIC_URL=production.URL,
        PUBLIC_HOST=NAME,
        SERVER_NAME=NAME,
        HTTP_PORT=f"{HOST}:{http_port}",
        HTTPS_PORT=f"{HOST}:{http_port + 1}",
        WEB=f"{HOST}:{place.port}",
        LIVE=f"{HOST}:{place.port + 1}",
        TLS=str(folder),
    )
    (folder / "behind" / "another.conf").write_text(behind)
    account = programs.account_for(folder, folder)
    programs.hand_over(folder, account)
    process = Process(
        "nginx",
        [PROGRAM, "-c", str(settings), "-g", "daemon off;"],
        var_dir=folder.parent,
        account=account,
        ready=lambda: _listens(proxy.port),
    )
    try:
        process.start(within_s=STARTS_WITHIN_S)
        yield proxy
    finally:
        process.stop()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def status(answer: bytes) -> int:
    """Return the status of what came over a connection; 0 for nothing."""
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    return int(found[1]) if found else 0
