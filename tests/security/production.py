"""A `web` process as production starts it, behind a proxy that speaks https, and browsers of it."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import psycopg

from config import children, var_dir
from config.children import Place
from config.embedded import Servers
from config.processes import stop_all
from core.dependencies import SAFE_SETTINGS
from tests.platform import STARTS_WITHIN_S, wait_for
from tests.pooling import database_url

URL = "https://laurel.example"
ANSWERED_WITHIN_S = ASKED_FOR_S = 60.0
BEHIND_A_PROXY = {"Host": "laurel.example", "X-Forwarded-Proto": "https"}


def environment(servers: Servers, place: Place, **more: str) -> dict[str, str]:
    """Return what an operator would set, on the database of the tests."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": servers.redis_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "PUBLIC_URL": URL,
        "LIVE_URL": URL,
        "PORT": str(place.port),
        "VAR_DIR": str(place.folder),
        "DEBUG": "0",
        "DEMO": "0",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **more,
    }


@contextmanager
def keeps_what_it_acknowledged(servers: Servers) -> Iterator[None]:
    """Let the tests' PostgreSQL be as safe as production's for a while."""
    kept = servers.postgres.data / "postgresql.auto.conf"
    before = kept.read_text()
    safe = "".join(f"{name} = on\n" for name in SAFE_SETTINGS)
    try:
        _read_anew(servers, before + safe, "on")
        yield
    finally:
        _read_anew(servers, before, "off")


def _read_anew(servers: Servers, text: str, expected: str) -> None:
    data = servers.postgres.data
    (data / "postgresql.auto.conf").write_text(text)
    os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGHUP)
    with psycopg.connect(servers.database_url, autocommit=True) as asked:
        wait_for(lambda: asked.execute("SHOW fsync").fetchone() == (expected,), what="PostgreSQL's settings")


@contextmanager
def running(servers: Servers, folder: Path, **more: str) -> Iterator[Place]:
    """Run `web` and `live`; yield where they listen."""
    place = Place(folder, var_dir.free_ports(2))
    env = environment(servers, place, **more)
    collect(env)
    started = [one for one in children.children(place, env) if one.name in ("web", "live")]
    with keeps_what_it_acknowledged(servers):
        try:
            for process in started:
                process.start(within_s=STARTS_WITHIN_S)
            yield place
        finally:
            stop_all(started)


def collect(env: dict[str, str]) -> None:
    """Lay static files where pages name them."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
    subprocess.run(command, cwd=children.BASE_DIR, env=env, check=True)


def asked(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send a request, and again while `web` says that this machine has too much to do just now."""
    until = time.monotonic() + ASKED_FOR_S
    while (answer := send()).status_code == 503 and time.monotonic() < until:
        time.sleep(0.5)
    return answer


class Browser:
    """Keeps cookies, of which httpx would send none that is Secure to the port behind the proxy."""

    def __init__(self, place: Place) -> None:
        """Know no cookie yet."""
        self.cookies: dict[str, str] = {}
        self.was_set: dict[str, list[Morsel[str]]] = {}  # each Set-Cookie that came, by name
        self._place = place

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Look at a page."""
        return self._send("GET", path, headers)

    def post(self, path: str, form: dict[str, Any], *, on: str | None = None) -> httpx.Response:
        """Send a form that stands on a page, with that page's token."""
        page = self.get(on or path).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        data = {**form, "csrfmiddlewaretoken": token[1]} if token else form
        return self._send("POST", path, {"Origin": URL, "Referer": f"{URL}{path}"}, data=data)

    def _send(self, method: str, path: str, headers: dict[str, str], **others: Any) -> httpx.Response:
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        told = {**BEHIND_A_PROXY, "Accept": "text/html", "Cookie": sent, **headers}
        url, timeout = f"{self._place.url}{path}", ANSWERED_WITHIN_S
        answer = asked(lambda: httpx.request(method, url, headers=told, timeout=timeout, **others))
        for line in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.was_set.setdefault(name, []).append(morsel)
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.coded_value
        return answer
