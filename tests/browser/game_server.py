"""A studio's game server, as it calls the API."""

import json
import time
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from tests.browser import walking

_TRIES = 20
GAME = walking.GAME.rsplit("/", 1)[1]


class Api:
    """The studio's game server."""

    def __init__(self, home: str, key: str) -> None:
        self.netloc, self.key = urlsplit(home).netloc, key

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask; return the status and what it says.

        A machine that is too busy says so, and is asked again: by the key it knows what it has stored all the same.
        """
        key = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        for _ in range(_TRIES):
            status, said, is_told_to_wait = self._call(method, path, body, key)
            if not is_told_to_wait:
                break
            time.sleep(1)
        return status, said

    def _call(self, method: str, path: str, body: object, key: dict[str, str]) -> tuple[int, Any, bool]:
        connection = HTTPConnection(self.netloc, timeout=60)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **key}
        text = None if body is None else json.dumps(body)
        connection.request(method, f"/api/v1{path}", text, headers)
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        is_told_to_wait = answer.status in (409, 503) and "Retry-After" in answer.headers
        return answer.status, json.loads(read) if read else None, is_told_to_wait

    def get(self, path: str) -> Any:
        """Return what is there."""
        return self.do("GET", path, among=(200,))

    def do(self, method: str, path: str, body: object = None, *, among: tuple[int, ...]) -> Any:
        """Ask for what has to be answered so."""
        status, answer = self.call(method, path, body)
        assert status in among, f"{method} {path} answers {status}: {answer}"
        return answer

    def unlock_next(self, player: str) -> tuple[str, int]:
        """Unlock something that a player has not yet, and that everybody sees; return its name and points."""
        for one in self.get(f"/players/{player}/achievements?game_id={GAME}")["results"]:
            if one["unlocked"] or one["hidden"] or one["progress"]:
                continue
            item = {"game_id": GAME, "player": player, "achievement": one["key"]}
            if self.call("POST", "/achievements/unlock", item)[0] == HTTPStatus.ACCEPTED:
                return one["name"], one["points"]
        raise AssertionError(f"{player} has everything")


def demo_server(said: str) -> Api:
    """Return the demo studio's, with the key that `make run` prints."""
    return Api(walking.printed(said, "Home"), walking.printed(said, "Server key"))
