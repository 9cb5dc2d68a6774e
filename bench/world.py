"""What is measured on: names that seed and load generator agree on, and requests that are all new unlocks."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple
from uuid import UUID

ACHIEVEMENTS = 250
PAST_ACHIEVEMENTS = 200  # of those, what players of bench/load_history.py come to at most
WATCHERS = 200  # players with an open page
REGIONS = ("EU", "NA", "ASIA")  # of the large board; a quarter of its players has none
BATCH = 100
MOST_SCORE = 1_000_000
LARGE, SMALL = "large", "small"  # boards of scores of the large board's game
STAR = "star"  # a player with 500 friends
STAT = "kills"  # a sum, of the game
UNGUARDED = "X-Unguarded"  # a header that bench/guarded.py hears
# Players take their turns in an order that is no order to an index: a prime that divides no number of players used.
_STRIDE = 7919


@dataclass(frozen=True)
class World:
    """What bench/seed.py created: games by their public ids and internal numbers, players by their count."""

    key: str
    studio: int
    game: str
    game_number: int
    board: str
    board_number: int
    players: int
    tokens: list[str]
    followers: list[str]
    patient_followers: list[str]  # whose queue is `bulk`: they gather for a second


def player(number: int) -> str:
    """Return the studio's id of a player."""
    return f"player-{number}"


def watcher(number: int) -> str:
    """Return the studio's id of a player with an open page."""
    return f"watcher-{number}"


def large_player(number: int) -> str:
    """Return the studio's id of a player of the large board, from 1."""
    return f"board-{number}"


def veteran(number: int) -> str:
    """Return the studio's id of a player with two years behind him."""
    return f"veteran-{number}"


def past_player(number: int | str) -> str:
    """Return the studio's id of a player whose past was loaded; of an empty one, what all of them begin with."""
    return f"past-{number}"


def friend(number: int) -> str:
    """Return the studio's id of a friend of the player with 500."""
    return f"friend-{number}"


def achievement(number: int) -> str:
    """Return an achievement's key."""
    return f"achievement-{number}"


class Requests:
    """HTTP requests; no two of them are about the same player and achievement."""

    def __init__(self, world: World, host: str) -> None:
        """Begin with the first pair."""
        self._world = world
        head = f"Host: {host}\r\nAuthorization: Bearer {world.key}\r\n"
        self._keyed = head.encode()
        self._anonymous = f"Host: {host}\r\n".encode()
        self._pairs = pairs(world.players)
        self._watched = (
            (watcher(n % WATCHERS), achievement(n // WATCHERS)) for n in range(WATCHERS * ACHIEVEMENTS)
        )
        self._newcomers = itertools.count()
        self._scored = itertools.count()
        self._reported = itertools.count()
        self._random = Random(5)

    def go_on_with(self, past_players: int) -> None:
        """Let those whose past was loaded unlock what they have left, all over their ids."""
        self._pairs = pairs(
            past_players, name=past_player, first=PAST_ACHIEVEMENTS, count=ACHIEVEMENTS - PAST_ACHIEVEMENTS
        )

    def unlock(self, name: str, key: str) -> bytes:
        """Return an unlock of anybody's."""
        body = f'{{"game_id":"{self._world.game}","player":"{name}","achievement":"{key}"}}'
        return self._post("/api/v1/achievements/unlock", body)

    def single(self) -> bytes:
        """Return an unlock of a player who exists."""
        return self.unlock(*next(self._pairs))

    def newcomer(self) -> bytes:
        """Return an unlock of a player nobody has named before."""
        number = next(self._newcomers)
        return self.unlock(f"newcomer-{number}", achievement(number % ACHIEVEMENTS))

    def watched(self) -> tuple[str, bytes]:
        """Return an unlock of a player with an open page: `player achievement` and the request."""
        name, key = next(self._watched)
        return f"{name} {key}", self.unlock(name, key)

    def batch(self, size: int = BATCH) -> bytes:
        """Return a batch of unlocks of as many players."""
        return self._batch(next(self._pairs) for _ in range(size))

    def earlier(self, start: int) -> bytes:
        """Return a batch of BATCH players' unlocks of the last achievement, from one player on."""
        return self._batch(
            (player(number), achievement(ACHIEVEMENTS - 1)) for number in range(start, start + BATCH)
        )

    def watched_batch(self) -> bytes:
        """Return a batch of BATCH unlocks of players with open pages."""
        return self._batch(next(self._watched) for _ in range(BATCH))

    def score(self, board: str, players: int) -> bytes:
        """Return a score for one of a board's players; about half of them are better than what he has."""
        item = self._score(players)
        return self._post(f"/api/v1/leaderboards/{self._world.board}/{board}/scores", item)

    def scores(self, board: str, players: int) -> bytes:
        """Return a batch of BATCH scores."""
        items = ",".join(self._score(players) for _ in range(BATCH))
        return self._post(
            f"/api/v1/leaderboards/{self._world.board}/{board}/scores/batch", f'{{"scores":[{items}]}}'
        )

    def report(self) -> bytes:
        """Return a report that adds one to a player's stat, as an event of its own."""
        return self._post("/api/v1/stats/report", self._report(game=f'"game_id":"{self._world.game}",'))

    def reports(self) -> bytes:
        """Return a batch of BATCH such reports of as many players."""
        items = ",".join(self._report() for _ in range(BATCH))
        body = f'{{"game_id":"{self._world.game}","reports":[{items}]}}'
        return self._post("/api/v1/stats/report/batch", body)

    def get(self, path: str, *, keyed: bool, etag: str | None = None) -> bytes:
        """Return a GET."""
        known = f"If-None-Match: {etag}\r\n" if etag else ""
        return (
            f"GET {path} HTTP/1.1\r\n{known}".encode() + (self._keyed if keyed else self._anonymous) + b"\r\n"
        )

    def visit(self, path: str, *, cookie: str = "") -> bytes:
        """Return a look at a page by a browser, of anybody or of somebody who is signed in."""
        sent = f"Cookie: {cookie}\r\n" if cookie else ""
        head = f"GET {path} HTTP/1.1\r\nAccept-Encoding: gzip, deflate, br\r\n{sent}"
        return head.encode() + self._anonymous + b"\r\n"

    def own_dashboard(self, token: str) -> bytes:
        """Return a look at a player's dashboard by himself."""
        head = f"GET /api/v1/players/me/dashboard HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"
        return head.encode() + self._anonymous + b"\r\n"

    def _score(self, players: int) -> str:
        number = next(self._scored) * _STRIDE % players
        return f'{{"player":"{large_player(number + 1)}","score":{self._random.randrange(2 * MOST_SCORE)}}}'

    def _report(self, game: str = "") -> str:
        number = next(self._reported)
        name, event = player(number * _STRIDE % self._world.players), UUID(int=self._random.getrandbits(128))
        return f'{{{game}"player":"{name}","stats":{{"{STAT}":{{"add":1}}}},"event_id":"{event}"}}'

    def _batch(self, pairs: Iterator[tuple[str, str]]) -> bytes:
        items = ",".join(f'{{"player":"{name}","achievement":"{key}"}}' for name, key in pairs)
        body = f'{{"game_id":"{self._world.game}","unlocks":[{items}]}}'
        return self._post("/api/v1/achievements/unlock/batch", body)

    def _post(self, path: str, body: str) -> bytes:
        head = f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + self._keyed + b"\r\n" + body.encode()


def pairs(
    players: int, *, name: Callable[[int], str] = player, first: int = 0, count: int = ACHIEVEMENTS
) -> Iterator[tuple[str, str]]:
    """Return every pair of a player and one of some achievements once; neighbours differ in both."""
    for round_ in range(count):
        for turn in range(players):
            number = turn * _STRIDE % players
            yield name(number), achievement(first + (round_ + number) % count)


class Visit(NamedTuple):
    """What a player does at a moment: unlocks an achievement, by its number, or (None) looks at his dashboard."""

    at_s: float
    player: int
    unlocks: int | None


# A tenth of the players for whom Laurel is made, at their rates: 10,000 unlocks a minute among 100,000 of them.
_UNLOCKS_PER_S = 0.1 / 60
_LOOKS_PER_S = 1 / 240
_LOOKS_AFTER = 0.5  # of the unlocks
_LOOKS_WITHIN_S = 10.0  # on average


def visits(players: int, *, seconds: float, chance: Random) -> list[Visit]:
    """Return what players do within a time, in its order.

    Each unlocks something now and then and looks at his dashboard now and then, and after every other unlock soon.
    Pauses are exponential, as waiting times are.
    """
    listed: list[Visit] = []
    for number in range(players):
        looks = list(_moments(_LOOKS_PER_S, seconds, chance))
        for unlocked, at in enumerate(_moments(_UNLOCKS_PER_S, seconds, chance)):
            listed.append(Visit(at, number, unlocked))
            if chance.random() < _LOOKS_AFTER:
                looks.append(at + chance.expovariate(1 / _LOOKS_WITHIN_S))
        listed += [Visit(at, number, None) for at in looks]
    return sorted(listed, key=lambda visit: visit.at_s)


def _moments(per_second: float, seconds: float, chance: Random) -> Iterator[float]:
    at = chance.expovariate(per_second)
    while at < seconds:
        yield at
        at += chance.expovariate(per_second)
