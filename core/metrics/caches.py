"""How often what is kept was there: in the process (`keys`, `catalogues`, `boards`) or in Valkey (the others)."""

from core.metrics.tallies import Tally


class Looks:
    """How often something was looked for in one cache; error: what keeps it was away."""

    __slots__ = ("errors", "hits", "misses")

    def __init__(self) -> None:
        """Begin at nothing."""
        self.hits = self.misses = self.errors = 0

    def note(self, found: object) -> None:
        """Count a look that found something, or None."""
        if found is None:
            self.misses += 1
        else:
            self.hits += 1

    def note_all(self, *, wanted: int, found: int, answered: bool) -> None:
        """Count a look for several at once."""
        if answered:
            self.hits += found
            self.misses += wanted - found
        else:
            self.errors += wanted


_caches: dict[str, Looks] = {}


def looks(cache: str) -> Looks:
    """Return where looks into a cache are counted."""
    return _caches.setdefault(cache, Looks())


def _read() -> dict[tuple[str, ...], float]:
    return {
        (cache, result): count
        for cache, each in sorted(_caches.items())
        for result, count in (("hit", each.hits), ("miss", each.misses), ("error", each.errors))
    }


Tally("laurel_cache_requests", "Looks for something that is kept.", "cache", "result", read=_read)
