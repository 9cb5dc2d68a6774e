"""The open pages of all watchers, and when each was told of what."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.load import BadAnswer, read_until
from bench.platform import Platform
from bench.websocket import Page
from bench.world import watcher

_KEY = b'"achievement":{"key":"'
_UNLOCKED = b'"type":"achievement.unlocked"'


class Pages:
    """Open pages. `told` says when each unlock, as `player achievement`, came to its player's page."""

    def __init__(self, platform: Platform) -> None:
        """Open a page for every watcher."""
        self.told: dict[str, float] = {}
        self.open = [
            Page(platform.live, token=token, on_event=partial(self._hear, watcher(number)))
            for number, token in enumerate(platform.world.tokens)
        ]

    def wait_until_told(self, number: int, *, within_s: float = 60.0) -> None:
        """Read on until so many unlocks came. Raises BadAnswer when they don't."""
        try:
            read_until(lambda: len(self.told) >= number, self.open, within_s=within_s)
        except TimeoutError:
            raise BadAnswer(f"Of {number} unlocks only {len(self.told)} came to open pages.") from None

    def close(self) -> None:
        """Close all."""
        for page in self.open:
            page.close()

    def _hear(self, name: str, event: bytes, now: float) -> None:
        if _UNLOCKED not in event:
            return  # of ranks pages are told as well
        _, _, rest = event.partition(_KEY)
        key = rest[: rest.index(b'"')].decode()
        if self.told.setdefault(f"{name} {key}", now) != now:
            raise BadAnswer(f"A page was told of {key} of {name} twice.")


@contextmanager
def opened(platform: Platform) -> Iterator[Pages]:
    """Hold all watchers' pages open."""
    pages = Pages(platform)
    try:
        yield pages
    finally:
        pages.close()
