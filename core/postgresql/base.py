"""Django's PostgreSQL, whose slow statements are noted: settings name this package as their ENGINE."""

from contextlib import suppress
from functools import cached_property
from types import TracebackType
from typing import Any

import psycopg
from django.db import OperationalError
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper

from core import slow_queries

# None is nothing that PostgreSQL said: a server that ends says so, and PgBouncer says it again. The others are a server
# that has become a replica or takes no writes for another reason, and a session that was idle or busy for too long.
_LOST = (None, "25006", "25P03", "25P04")


class _Errors(DatabaseErrorWrapper):
    """Errors of the driver as Django's own; what psycopg calls an internal error may be a server that is lost."""

    wrapper: "DatabaseWrapper"  # its types lack it

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, psycopg.InternalError) and error.sqlstate in _LOST:
            self.wrapper.errors_occurred = True
            if self.wrapper.connection is not None:
                with suppress(psycopg.Error):
                    self.wrapper.connection.close()
            raise OperationalError(*error.args).with_traceback(traceback) from error
        super().__exit__(kind, error, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of a thread, watched from the first on.

    A receiver of `connection_created` would be called for each request: with a pool each of them connects.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        """Watch its statements."""
        super().__init__(*args, **named)
        self.execute_wrappers.append(slow_queries.watch)

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        """Return what turns the driver's errors into Django's."""
        return _Errors(self)
