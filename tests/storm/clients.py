"""Game servers that send what they plan to, each until it is taken, at a pace that lasts as long as the storm."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.platform import Answer, Client, Platform
from tests.storm.journal import Journal
from tests.storm.plan import Plan, Request
from tests.storm.studios import Studio

TAKEN = frozenset({200, 202})
# Nothing, busy, still running, limited: what the API tells clients to send again after.
_AGAIN = frozenset({0, 409, 429, 503})
_PAUSE_S = 0.3  # where nobody answered
_LONGEST_PAUSE_S = 1.0  # clients may wait longer, but then there would be less of a storm
_TIMEOUT_S = 3.0  # less than some freezes: what was stored meanwhile is found by the next attempt
_GIVES_UP_S = 300.0


class Sending:
    """All clients, each a thread of its own, until everything is taken."""

    def __init__(
        self,
        platform: Platform,
        plans: Sequence[Plan],
        studios: Sequence[Studio],
        *,
        folder: Path,
        seconds: float,
    ) -> None:
        """Plan; `seconds` is how long it lasts if nothing holds it up."""
        self.statuses: Counter[int] = Counter()
        self.surprises: list[str] = []
        self._folder, self._seconds = folder, seconds
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(number, platform, plan, studio), daemon=True)
            for number, (plan, studio) in enumerate(zip(plans, studios, strict=True))
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    @property
    def is_over(self) -> bool:
        """Say whether everybody is through."""
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, number: int, platform: Platform, plan: Plan, studio: Studio) -> None:
        client = Client(platform, timeout_s=_TIMEOUT_S, key=studio.key)
        chance = Random(number)
        began, pause = time.monotonic(), self._seconds / max(1, len(plan.requests))
        with Journal(self._folder / f"{number}.journal") as journal:
            for place, request in enumerate(plan.requests):
                time.sleep(max(0.0, began + place * pause - time.monotonic()))
                try:
                    self._send(client, request, studio, journal, chance)
                except Exception as error:  # noqa: BLE001 - the storm goes on, and its verdict says it
                    self.surprises.append(f"client {number}: {error!r}")
                    break
        client.close()

    def _send(
        self, client: Client, request: Request, studio: Studio, journal: Journal, chance: Random
    ) -> None:
        path = request.path.replace("GAME", studio.game)
        body = request.body if "/leaderboards/" in path else {"game_id": studio.game, **request.body}
        headers = {"Idempotency-Key": request.key} if request.key else {}
        deadline = time.monotonic() + _GIVES_UP_S
        while True:
            journal.intend(request.unlocks)
            answer = client.post(path, body, headers)
            journal.hear(
                answer.status,
                _outcomes(request, answer),
                replayed=answer.headers.get("idempotent-replayed") == "true",
            )
            with self._lock:
                self.statuses[answer.status] += 1
            if answer.status in TAKEN:
                return
            if answer.status not in _AGAIN:
                self.surprises.append(f"{answer.status} for {path}: {answer.body}")
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} was not taken within {_GIVES_UP_S:.0f} s")
            after = float(answer.headers.get("retry-after", _PAUSE_S))
            time.sleep(min(after, _LONGEST_PAUSE_S) * chance.uniform(0.2, 1.0))


def _outcomes(request: Request, answer: Answer) -> list[str]:
    if answer.status not in TAKEN or not request.unlocks:
        return []
    if "results" in answer.body:
        return [result["status"] for result in answer.body["results"]]
    return ["unlocked" if answer.status == 202 else "already_unlocked"]
