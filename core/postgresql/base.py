"""Django's PostgreSQL, whose slow statements are noted: settings name this package as their ENGINE."""

from typing import Any

from django.db.backends.postgresql import base

from core import slow_queries


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of a thread, watched from the first on.

    A receiver of `connection_created` would be called for each request: with a pool each of them connects.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        """Watch its statements."""
        super().__init__(*args, **named)
        self.execute_wrappers.append(slow_queries.watch)
