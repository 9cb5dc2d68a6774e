"""Hold pages open: `python -m bench.holding HOST PORT` opens one for each token that it reads, a line each.

It says how many they are, and holds them until its input ends. A process of its own: the load generator's waiting is
exact for a few hundred sockets only.
"""

import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.load import Address, BadAnswer
from bench.websocket import Page
from config.children import BASE_DIR

_GLANCE_S = 0.5


@contextmanager
def held(address: Address, tokens: Sequence[str]) -> Iterator[float]:
    """Hold a page open for each token; give how many were opened a second. Raises BadAnswer."""
    command = [sys.executable, "-m", "bench.holding", address[0], str(address[1])]
    pipe = subprocess.PIPE
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=BASE_DIR, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(f"{token}\n" for token in tokens) + "\n")
        process.stdin.flush()
        said = process.stdout.readline().strip()
        if said != str(len(tokens)):
            raise BadAnswer(f"Of {len(tokens)} pages {said or 'none'} could be opened.")
        yield len(tokens) / (time.perf_counter() - began)
        process.stdin.close()
        if process.wait():
            raise BadAnswer("A page that was held open was closed.")


def main(host: str, port: int) -> None:
    """Open, say how many, and hold."""
    tokens = list(iter(lambda: sys.stdin.readline().strip(), ""))
    ended = threading.Event()
    with selectors.DefaultSelector() as selector:
        for token in tokens:
            page = Page((host, port), token=token, on_event=lambda _event, _now: None)
            selector.register(page.fileno(), selectors.EVENT_READ, page)
            _answer(selector, 0.0)
        print(len(tokens), flush=True)
        threading.Thread(target=_wait_for_the_end, args=(ended,), daemon=True).start()
        while not ended.is_set():
            _answer(selector, _GLANCE_S)


def _wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def _answer(selector: selectors.BaseSelector, seconds: float) -> None:
    """Read what has come: the server's pings are answered."""
    for key, _ in selector.select(seconds):
        key.data.on_readable(time.perf_counter())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
