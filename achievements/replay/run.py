"""A whole replay: import, send, wait until the boards have caught up, compare."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from tqdm import tqdm

from achievements.replay import sending
from achievements.replay.client import Client
from achievements.replay.comparing import board_differences, player_differences
from achievements.replay.expectations import Expected, as_sent, expect
from achievements.replay.files import Game
from achievements.replay.sending import Imported, Pace, Tally

# How long the boards may take to catch up after the last unlock was accepted.
PATIENCE_S: Final = 120.0
_LOOK_AGAIN_S: Final = 1.0

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Options:
    """How to replay: where, with which key, how fast, over how many connections."""

    url: str
    key: str
    batch: int
    connections: int
    speed: float | None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay did and found."""

    imported: Sequence[Imported]
    tally: Tally
    differences: Sequence[str]


class Replay:
    """Replays games over a few connections, each game on one of them: its unlocks are heard in order."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._local = threading.local()
        self._now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def run(self, games: Sequence[Game]) -> Outcome:
        """Replay games and compare.

        Raises: Failed when the platform can't be reached or refuses definitions.
        """
        self._client().check()
        expected = {game.name: expect(game, self._now) for game in games}
        imported = self._import(games)
        tally = self._send(games, imported)
        played = [game for game in games if game.unlocks]
        differences = [f"rejected: {reason}" for reason in tally.rejected]
        differences += self._compare_boards(played, imported, expected)
        differences += self._compare_players(played, imported, expected)
        return Outcome(list(imported.values()), tally, differences)

    def _import(self, games: Sequence[Game]) -> dict[str, Imported]:
        known = {row["title"]: row["id"] for row in self._client().rows("/games")}
        with self._bar("definitions", len(games), "games") as bar:

            def one(game: Game) -> tuple[str, Imported]:
                imported = sending.import_game(self._client(), game, known)
                bar.update()
                return game.name, imported

            return dict(self._each(one, games))

    def _send(self, games: Sequence[Game], imported: dict[str, Imported]) -> Tally:
        pace = Pace(self._options.speed)
        # The largest first, or the last connection works alone for long.
        largest_first = sorted(games, key=lambda game: -len(game.unlocks))
        with self._bar("unlocks", sum(len(game.unlocks) for game in games), "unlocks") as bar:

            def one(game: Game) -> Tally:
                items = [as_sent(unlock, self._now) for unlock in game.unlocks]
                return sending.send_unlocks(
                    self._client(),
                    imported[game.name].id,
                    items,
                    batch=self._options.batch,
                    pace=pace,
                    sent=bar.update,
                )

            total = Tally()
            for tally in self._each(one, largest_first):
                total.unlocked += tally.unlocked
                total.already_unlocked += tally.already_unlocked
                total.rejected += tally.rejected
            return total

    def _compare_boards(
        self, games: Sequence[Game], imported: dict[str, Imported], expected: dict[str, Expected]
    ) -> list[str]:
        """Compare until all boards are right or PATIENCE_S is over; return what is still wrong."""

        def one(game: Game) -> tuple[Game, list[str]]:
            listed = sending.board(self._client(), imported[game.name].id)
            found = board_differences(expected[game.name].board, listed)
            return game, [f"{game.name}: {difference}" for difference in found]

        behind, deadline = list(games), time.monotonic() + PATIENCE_S
        with self._bar("boards", len(games), "boards") as bar:
            while True:
                wrong = [(game, differences) for game, differences in self._each(one, behind) if differences]
                bar.update(len(behind) - len(wrong))
                behind = [game for game, _ in wrong]
                if not behind or time.monotonic() > deadline:
                    return [difference for _, differences in wrong for difference in differences]
                time.sleep(_LOOK_AGAIN_S)

    def _compare_players(
        self, games: Sequence[Game], imported: dict[str, Imported], expected: dict[str, Expected]
    ) -> list[str]:
        pairs = [(game, player) for game in games for player in expected[game.name].unlocked]
        with self._bar("players", len(pairs), "lists") as bar:

            def one(pair: tuple[Game, str]) -> list[str]:
                game, player = pair
                listed = sending.achievements_of(self._client(), imported[game.name].id, player)
                bar.update()
                due = expected[game.name].unlocked[player]
                return [f"{game.name}: {d}" for d in player_differences(player, due, game.points, listed)]

            return [difference for found in self._each(one, pairs) for difference in found]

    def _each(self, work: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
        """Do the work for each thing over the connections; the first failure ends it."""
        with ThreadPoolExecutor(self._options.connections) as pool:
            futures: list[Future[R]] = [pool.submit(work, thing) for thing in things]
            try:
                for future in as_completed(futures):
                    yield future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _client(self) -> Client:
        client: Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = Client(self._options.url, self._options.key)
        return client

    @contextmanager
    def _bar(self, what: str, total: int, unit: str) -> Iterator["tqdm[Any]"]:
        with tqdm(desc=what, total=total, unit=f" {unit}", disable=self._options.quiet) as bar:
            yield bar
