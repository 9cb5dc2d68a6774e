"""Readers of a game's facts, as tests speak of them."""

import json
from typing import Any

from accounts.selectors import GameInfo
from tests import factories
from tests.factories import Api


def ask(api: Api, game: GameInfo, **query: Any) -> Any:
    """Ask for facts once."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return api.get(f"/games/{game.uuid}/facts?{asked}")


def lines_of(answer: Any) -> list[dict[str, Any]]:
    """Return an answer's lines."""
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/x-ndjson"
    whole = answer.content.decode()
    assert whole == "" or whole.endswith("\n")
    return [json.loads(line) for line in whole.splitlines()]


class Reader:
    """Follows a game's facts by the cursor of the last line or, where none came, by the answer's."""

    def __init__(self, api: Api, game: GameInfo, *, limit: int = 1000, since: str | None = None) -> None:
        """Begin at a cursor, or at the beginning."""
        self.api, self.game, self.limit, self.since = api, game, limit, since

    def step(self) -> tuple[list[dict[str, Any]], bool]:
        """Ask once; return the lines, and whether there is more."""
        query = {"limit": self.limit} | ({"since": self.since} if self.since else {})
        answer = ask(self.api, self.game, **query)
        lines = lines_of(answer)
        self.since = lines[-1]["cursor"] if lines else answer["X-Next-Cursor"]
        return lines, answer["X-Has-More"] == "true"

    def read(self) -> list[dict[str, Any]]:
        """Read to the end."""
        found, has_more = [], True
        while has_more:
            lines, has_more = self.step()
            found += lines
        return found


def reader(game: GameInfo, key: str, **how: Any) -> Reader:
    """Return a reader with a key."""
    return Reader(factories.api(key), game, **how)
