"""Players with a past who turn out to be one, and who leave: what is kept of them is found among everybody's."""

import time
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from bench.asking import ask
from bench.figures import Bench, Figure
from bench.load import BadAnswer
from bench.world import past_player

_LINKED: Final = 5
_ERASED: Final = 3  # each waits until whatever was under way has ended
_WITHIN_S: Final = 300.0
_POLL_S: Final = 0.02
_UNDER_WAY: Final = "SELECT count(*) FROM accounts_erasure WHERE done_at IS NULL"


def measure(bench: Bench) -> Iterator[Figure]:
    """Link ids to other players, and erase players, one after the other."""
    if bench.past is None:
        raise BadAnswer(
            "Nothing was loaded: persons are measured with a past, by `--scale` or after analytics."
        )
    names = (past_player(number) for number in range(1, bench.past.players))
    linked = [_linked(bench, next(names), next(names)) for _ in range(_LINKED)]
    yield _figure("player linked to another, until all have heard", linked)
    erased = [_erased(bench, next(names)) for _ in range(_ERASED)]
    yield _figure("player erased, until nothing is left", erased)


def _linked(bench: Bench, leaves: str, stays: str) -> float:
    code = ask(bench.platform, "POST", f"/api/v1/players/{stays}/link-code")["code"]
    began = time.perf_counter()
    ask(bench.platform, "POST", f"/api/v1/players/{leaves}/link", {"code": code})
    bench.platform.wait_for_followers(within_s=_WITHIN_S)
    return time.perf_counter() - began


def _erased(bench: Bench, name: str) -> float:
    began = time.perf_counter()
    ask(bench.platform, "DELETE", f"/api/v1/players/{name}")
    with bench.platform.connect() as connection:
        while (row := connection.execute(_UNDER_WAY).fetchone()) and row[0]:
            if time.perf_counter() - began > _WITHIN_S:
                raise BadAnswer(f"{name} is not erased after {_WITHIN_S:.0f} s.")
            time.sleep(_POLL_S)
    return time.perf_counter() - began


def _figure(name: str, seconds: Sequence[float]) -> Figure:
    return Figure(name, median(seconds), "s", lowest=min(seconds), highest=max(seconds))
