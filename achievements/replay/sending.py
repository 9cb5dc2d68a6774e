"""Sends games and unlocks as a game's server would, and reads back what became of them."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from achievements.replay.client import Client, Failed, Refused
from achievements.replay.expectations import Place
from achievements.replay.files import Game


class Pace:
    """Lets at most so many unlocks a second through, over all threads; no number means no limit."""

    def __init__(self, a_second: float | None) -> None:
        self._a_second = a_second
        self._lock = threading.Lock()
        self._next = time.monotonic()

    def wait(self, unlocks: int) -> None:
        """Wait until so many more may be sent."""
        if not self._a_second:
            return
        with self._lock:
            mine = max(self._next, time.monotonic())
            self._next = mine + unlocks / self._a_second
        time.sleep(max(0.0, mine - time.monotonic()))


@dataclass(slots=True)
class Tally:
    """What became of the unlocks that were sent."""

    unlocked: int = 0
    already_unlocked: int = 0
    rejected: list[str] = field(default_factory=list)

    def add(self, result: dict[str, Any]) -> None:
        """Count one result."""
        if result["status"] == "unlocked":
            self.unlocked += 1
        elif result["status"] == "already_unlocked":
            self.already_unlocked += 1
        else:
            self.rejected.append(str(result.get("problem", {}).get("detail", "no reason given")))


@dataclass(frozen=True, slots=True)
class Imported:
    """Where a game is on the platform, and how many of its definitions were new, changed or known."""

    id: str
    created: int
    updated: int
    unchanged: int


def import_game(client: Client, game: Game, known: dict[str, str]) -> Imported:
    """Create a game, unless `known` (title → id) has it, and import its definitions.

    Raises: Failed when the platform refuses a row.
    """
    game_id = known.get(game.title) or client.post("/games", {"title": game.title})["id"]
    answer = client.post(f"/games/{game_id}/achievements/import", game.document, format="laurel")
    if answer["errors"]:
        first = answer["errors"][0]
        raise Failed(f"The definitions of {game.name} were refused: row {first['row']}: {first['detail']}")
    return Imported(game_id, answer["created"], answer["updated"], answer["unchanged"])


def send_unlocks(
    client: Client,
    game_id: str,
    items: Sequence[dict[str, str]],
    *,
    batch: int,
    pace: Pace,
    sent: Callable[[int], object],
) -> Tally:
    """Send a game's unlocks one batch after the other; `sent` hears how many more are through."""
    tally = Tally()
    for start in range(0, len(items), batch):
        some = items[start : start + batch]
        pace.wait(len(some))
        for result in (
            _send_batch(client, game_id, some) if batch > 1 else _send_one(client, game_id, some[0])
        ):
            tally.add(result)
        sent(len(some))
    return tally


def board(client: Client, game_id: str) -> list[Place]:
    """Return a game's whole points board."""
    rows = client.rows(f"/leaderboards/{game_id}")
    return [Place(row["rank"], row["player"].get("external_id", ""), row["score"]) for row in rows]


def achievements_of(client: Client, game_id: str, player: str) -> list[dict[str, Any]]:
    """Return a player's list of a game's achievements."""
    return client.rows(f"/players/{quote(player, safe='')}/achievements", game_id=game_id)


def _send_batch(client: Client, game_id: str, items: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    answer = client.post("/achievements/unlock/batch", {"game_id": game_id, "unlocks": items})
    results: list[dict[str, Any]] = answer["results"]
    if len(results) != len(items):
        raise Failed(f"A batch of {len(items)} unlocks was answered with {len(results)} results.")
    return results


def _send_one(client: Client, game_id: str, item: dict[str, str]) -> list[dict[str, Any]]:
    try:
        return [client.post("/achievements/unlock", {"game_id": game_id, **item})]
    except Refused as refusal:
        return [{"status": "rejected", "problem": {"detail": str(refusal)}}]
