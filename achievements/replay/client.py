"""A game server's side of the HTTP API: one kept connection, patient with a platform that asks to wait."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

_BASE: Final = "/api/v1"
_TIMEOUT_S: Final = 60
_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
_LONGEST_PAUSE_S: Final = 60.0
_PAGE: Final = 1_000
# Too many requests, and what passes when the platform is back.
_WAIT: Final = frozenset({429, 502, 503, 504})


class Failed(Exception):
    """The platform can't be reached, or answered what it should not; the message is one sentence."""


class Refused(Failed):
    """The platform refused what was sent (4xx)."""


class Client:
    """Speaks JSON with one key over one connection; not for several threads at once."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Failed(f"{url} is no address of a platform: give one such as http://127.0.0.1:8000.")
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = make(parts.hostname, parts.port, timeout=_TIMEOUT_S)
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}

    def check(self) -> None:
        """Ask once whether the platform is there.

        Raises: Failed.
        """
        try:
            self._once("GET", _BASE, None)
        except (OSError, http.client.HTTPException) as problem:
            raise Failed(
                f"{self._url} can't be reached ({problem}): start the platform, or give --url."
            ) from None

    def get(self, path: str, **parameters: object) -> Any:
        """Return the answer to a GET of an API path."""
        return self._send("GET", path, parameters, None)

    def post(self, path: str, body: object, **parameters: object) -> Any:
        """Return the answer to a POST; a broken connection sends it again, so it must be safe to repeat."""
        return self._send("POST", path, parameters, json.dumps(body, ensure_ascii=False).encode())

    def pages(self, path: str, **parameters: object) -> Iterator[dict[str, Any]]:
        """Yield each page of a list, from the first to the last."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=_PAGE, **parameters, **({"cursor": cursor} if cursor else {}))
            yield page
            cursor = page["next_cursor"]
            if not cursor:
                return

    def rows(self, path: str, **parameters: object) -> list[dict[str, Any]]:
        """Return all rows of a list."""
        return [row for page in self.pages(path, **parameters) for row in page["results"]]

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def _send(self, method: str, path: str, parameters: dict[str, object], body: bytes | None) -> Any:
        target = _BASE + path + (f"?{urlencode(parameters)}" if parameters else "")
        wrong = ""
        for pause in _PAUSES_S:
            try:
                status, headers, content = self._once(method, target, body)
            except (OSError, http.client.HTTPException) as problem:
                wrong = f"{self._url} does not answer {method} {target} ({problem!r})."
                self.close()
                time.sleep(pause)
            else:
                if status not in _WAIT:
                    return _answer(method, target, status, content)
                wrong = f"{method} {target} is still answered {status}: {_detail(content)}"
                time.sleep(_asked_pause(headers) or pause)
        raise Failed(wrong)

    def _once(
        self, method: str, target: str, body: bytes | None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        headers = self._headers | ({} if body is None else {"Content-Type": "application/json"})
        self._connection.request(method, target, body=body, headers=headers)
        response = self._connection.getresponse()
        return response.status, response.headers, response.read()


def _answer(method: str, target: str, status: int, content: bytes) -> Any:
    if not 200 <= status < 300:
        kind = Refused if 400 <= status < 500 else Failed
        raise kind(f"{method} {target} was answered {status}: {_detail(content)}")
    try:
        return json.loads(content)
    except ValueError:
        raise Failed(f"{method} {target} was answered {status} with something that is not JSON.") from None


def _detail(content: bytes) -> str:
    """Return what a problem document says, or the beginning of whatever came instead."""
    try:
        return str(json.loads(content)["detail"])
    except (ValueError, KeyError, TypeError):
        return content[:200].decode(errors="replace")


def _asked_pause(headers: http.client.HTTPMessage) -> float | None:
    asked = headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_PAUSE_S) if asked.isascii() and asked.isdigit() else None
