"""Hold pages open: `python -m bench.holding HOST PORT` opens one for each token that it reads, a line each.

It says how many they are, and holds them until its input ends; then it says, as JSON, of which unlocks each page was
told and when. A process of its own: the load generator's waiting is exact for a few hundred sockets only.
"""

import argparse
import re
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import orjson

from bench.load import Address, BadAnswer
from bench.websocket import Page
from config.children import BASE_DIR

_GLANCE_S = 0.5
_UNLOCKED = b'"type":"achievement.unlocked"'
_KEY = re.compile(rb'"achievement":\{"key":"([^"]*)"')


class Told(NamedTuple):
    """A page, by its place among those that are held, was told of an achievement; `at` is of the monotonic clock."""

    page: int
    achievement: str
    at: float


class Holder:
    """A process that holds a page open for each token."""

    def __init__(
        self, address: Address, tokens: Sequence[str], *, source: str = "", per_second: float = 0.0
    ) -> None:
        """Begin to open them: from an address of this machine, and so many a second; or (0) as fast as it goes."""
        self._count = len(tokens)
        where = [address[0], str(address[1])]
        paced = ["--source", source, "--per-second", str(per_second)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.holding", *where, *paced],
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{token}\n" for token in tokens) + "\n")
        self._process.stdin.flush()

    @property
    def pid(self) -> int:
        """Return its number."""
        return self._process.pid

    def wait_until_open(self) -> None:
        """Return once all are open. Raises BadAnswer."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if said != str(self._count):
            raise BadAnswer(f"Of {self._count} pages {said or 'none'} could be opened.")

    def close(self) -> list[Told]:
        """Close all; return what they were told. Raises BadAnswer when one was closed before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        said = self._process.stdout.read()
        if self._process.wait():
            raise BadAnswer("A page that was held open was closed.")
        return [Told(*one) for one in orjson.loads(said)]

    def give_up(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@contextmanager
def held(address: Address, tokens: Sequence[str]) -> Iterator[float]:
    """Hold a page open for each token; give how many were opened a second. Raises BadAnswer."""
    began = time.perf_counter()
    holder = Holder(address, tokens)
    try:
        holder.wait_until_open()
        yield len(tokens) / (time.perf_counter() - began)
        holder.close()
    finally:
        holder.give_up()


def main(arguments: list[str] | None = None) -> None:
    """Open, say how many, hold, and say what they were told."""
    parser = argparse.ArgumentParser(prog="python -m bench.holding", description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--source", default="")
    parser.add_argument("--per-second", type=float, default=0.0)
    options = parser.parse_args(arguments)
    tokens = list(iter(lambda: sys.stdin.readline().strip(), ""))
    told: list[Told] = []
    ended = threading.Event()
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        for number, token in enumerate(tokens):
            while (
                options.per_second and (left := began + number / options.per_second - time.perf_counter()) > 0
            ):
                _answer(selector, left)
            page = Page(
                (options.host, options.port),
                token=token,
                on_event=partial(_hear, told, number),
                source=options.source,
            )
            selector.register(page.fileno(), selectors.EVENT_READ, page)
            _answer(selector, 0.0)
        print(len(tokens), flush=True)
        threading.Thread(target=_wait_for_the_end, args=(ended,), daemon=True).start()
        while not ended.is_set():
            _answer(selector, _GLANCE_S)
    print(orjson.dumps([[*one] for one in told]).decode())


def _hear(told: list[Told], number: int, event: bytes, now: float) -> None:
    if _UNLOCKED in event and (found := _KEY.search(event)) is not None:
        told.append(Told(number, found[1].decode(), now))


def _wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def _answer(selector: selectors.BaseSelector, seconds: float) -> None:
    """Read what has come: the server's pings are answered."""
    for key, _ in selector.select(seconds):
        key.data.on_readable(time.perf_counter())


if __name__ == "__main__":
    main()
