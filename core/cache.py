"""Django's cache on Valkey, for what may go without: limits on forms count nothing while the server is away."""

from typing import Any, Final

from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted

from core.metrics import caches
from core.redis import breaker

_looks = caches.looks("django")
_AWAY: Final = object()


class FailOpenCache(RedisCache):  # type: ignore[misc]
    """Answers for a server that is away, and asks one that just failed no more for a while.

    What is added then counts as added: whoever counts begins anew, and whoever takes a lock gets it.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        """Store unless there is something; say whether it was stored."""
        added: bool = self._ask(lambda: self.client.add(*args, **kwargs), otherwise=True)
        return added

    def get(self, key: str, default: Any = None, **kwargs: Any) -> Any:
        """Return what is stored."""
        missing = object()
        found = self._ask(lambda: self.client.get(key, default=missing, **kwargs), otherwise=_AWAY)
        if found is _AWAY:
            _looks.errors += 1
        else:
            _looks.note(None if found is missing else self)
        return default if found is _AWAY or found is missing else found

    def set(self, *args: Any, **kwargs: Any) -> bool:
        """Store; say whether it was stored."""
        stored: bool = self._ask(lambda: self.client.set(*args, **kwargs), otherwise=False)
        return stored

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        """Remove; say whether there was something."""
        return bool(self._ask(lambda: self.client.delete(*args, **kwargs), otherwise=0))

    def incr(self, key: str, delta: int = 1, **kwargs: Any) -> int:
        """Count on and return the count. Raises ValueError if there is none."""
        count: int = self._ask(lambda: self.client.incr(key, delta=delta, **kwargs), otherwise=delta)
        return count

    @staticmethod
    def _ask(ask: Any, *, otherwise: Any) -> Any:
        return breaker("cache").call(lambda: _plainly(ask), otherwise=lambda: otherwise)


def _plainly(ask: Any) -> Any:
    """Return `ask()`. Raises what the client library wraps in an exception of its own."""
    try:
        return ask()
    except ConnectionInterrupted as error:
        if error.__cause__ is None:
            raise
        raise error.__cause__ from None
