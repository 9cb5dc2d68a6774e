"""The weather: one process or server after the other is killed, frozen or emptied, by chance."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.platform import Platform

_AWAY_S = (0.1, 1.5)
_FROZEN_S = (0.5, 4.0)
_LOOKS_EVERY_S = 0.3


@dataclass(frozen=True)
class Strike:
    """What happens once.

    Attributes:
        at_s: seconds after the storm's begin.
        name: of a process or a server.
        kind: killed, frozen or emptied.
        lasts_s: until it is started again, or goes on.

    """

    at_s: float
    name: str
    kind: str
    lasts_s: float

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.at_s:6.1f} s  {self.name} {self.kind} for {self.lasts_s:.1f} s"


def forecast(platform: Platform, seed: int, *, strikes: int, seconds: float) -> list[Strike]:
    """Return what will happen: everything once before anything happens again."""
    chance = Random(f"{seed}/weather")
    deck = [(name, kind) for name in platform.names for kind in ("killed", "frozen")]
    deck.append((platform.boards, "emptied"))
    dealt = list(_dealt(deck, strikes, chance))
    every = seconds / max(1, strikes)
    found = []
    for number, (name, kind) in enumerate(dealt):
        shortest, longest = _FROZEN_S if kind == "frozen" else _AWAY_S
        lasts = 0.0 if kind == "emptied" else chance.uniform(shortest, max(shortest, min(longest, every)))
        found.append(Strike(every * (number + chance.uniform(0, 0.3)), name, kind, lasts))
    return found


def _dealt(deck: Sequence[tuple[str, str]], count: int, chance: Random) -> Iterator[tuple[str, str]]:
    left: list[tuple[str, str]] = []
    for _ in range(count):
        if not left:
            left = chance.sample(deck, len(deck))
        yield left.pop()


class Weather:
    """Lets it happen; who dies of somebody else's death is started again.

    All in the caller's thread: a process ends with the thread that started it (config/launch.py).
    """

    def __init__(self, platform: Platform) -> None:
        """Know whom it may strike."""
        self._platform = platform
        self.happened: list[Strike] = []
        self.restarted: list[str] = []

    def pass_over(self, strikes: Sequence[Strike]) -> None:
        """Let everything happen, each at its time."""
        began = time.monotonic()
        for strike in strikes:
            self._keep_until(began + strike.at_s)
            self._let(strike)
            self.happened.append(strike)

    def keep(self, seconds: float) -> None:
        """Start again what ends by itself, for a time, as the supervisor of `make run` would."""
        self._keep_until(time.monotonic() + seconds)

    def _keep_until(self, end: float) -> None:
        while (left := end - time.monotonic()) > 0:
            for name in self._platform.names:
                if not self._platform.process(name).alive:
                    self._platform.process(name).launch()
                    self.restarted.append(name)
            time.sleep(min(left, _LOOKS_EVERY_S))

    def _let(self, strike: Strike) -> None:
        process = self._platform.process(strike.name)
        if strike.kind == "emptied":
            self._platform.empty_boards()
            return
        process.start()  # unless it runs
        if strike.kind == "killed":
            self._platform.kill(strike.name)
            time.sleep(strike.lasts_s)
            process.start()
        else:
            process.freeze()
            time.sleep(strike.lasts_s)
            process.thaw()
