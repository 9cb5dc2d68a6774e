"""Guards: what the door and the limits of `web` take of single unlocks, side by side in the same process."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from statistics import median

from bench.figures import Bench, Figure
from bench.load import Address, Run, in_turn, saturate
from bench.world import UNGUARDED
from config import var_dir
from config.children import HOST, Place, children

_CONNECTIONS = 64
_PAIRS = 5  # for each repetition: a pair takes turns in who is first
_NEW = {202}
_COLD = {202, 503}
_AT_MOST_PER_SECOND = 12_000


def measure(bench: Bench) -> Iterator[Figure]:
    """Saturate one server with and without its guards in turn; each pair gives a ratio."""
    ratios = []
    with _server(bench) as address:
        _saturated(bench, address, is_guarded=True, expected=_COLD)
        for number in range(bench.plan.repetitions * _PAIRS):
            order = (True, False) if number % 2 else (False, True)
            rate = {is_guarded: _saturated(bench, address, is_guarded=is_guarded) for is_guarded in order}
            ratios.append(rate[True].per_second / rate[False].per_second)
    yield Figure(
        f"single unlocks, {_CONNECTIONS} connections, with the door and the limits, of those without",
        median(ratios),
        "×",
        lowest=min(ratios),
        highest=max(ratios),
        bar="≥ 0.9",
    )


@contextmanager
def _server(bench: Bench) -> Iterator[Address]:
    """Run a `web` that takes guards off for who asks so, beside the platform's own, which rests meanwhile."""
    place = Place(bench.platform.place.folder / "guards", var_dir.free_ports())
    web = next(one for one in children(place, bench.platform.env) if one.name == "web")
    web.argv = [word.replace("config.wsgi:", "bench.guarded:") for word in web.argv]
    web.start()
    try:
        yield HOST, place.port
    finally:
        web.stop()


def _saturated(bench: Bench, address: Address, *, is_guarded: bool, expected: Collection[int] = _NEW) -> Run:
    bench.platform.wait_for_followers()
    seconds, single = bench.plan.seconds / 2, bench.platform.requests.single
    mark = b"" if is_guarded else f"\r\n{UNGUARDED}: 1".encode()
    count = int(seconds * _AT_MOST_PER_SECOND)
    requests = [single().replace(b"\r\n\r\n", mark + b"\r\n\r\n", 1) for _ in range(count)]
    source = in_turn(iter(requests))
    return saturate(address, source, connections=_CONNECTIONS, expected=expected, seconds=seconds)
