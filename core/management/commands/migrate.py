import time
from contextlib import suppress
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from psycopg.errors import LockNotAvailable

from core import followers

LOCKED_MS: Final = 500  # requests that queue up behind it give up after a second and a half
TRIES: Final = 100
PAUSE_S: Final = 2.0


class Command(migrate.Command):
    """Migrates, while the processes of the version before go on."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; a change of a table that is in use waits for it no longer than requests can wait, and tries again.

        Whoever wants a table as a whole lets nobody else begin while he waits for it. At the end, listeners are left
        to workers of this version: those before would not know what they read past.
        """
        self._database: str = options["database"]
        for tries in range(1, TRIES + 1):
            try:
                super().handle(*args, **options)
                break
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                if tries == TRIES:
                    waited = f"{TRIES * (LOCKED_MS / 1000 + PAUSE_S) / 60:.0f} minutes"
                    raise CommandError(
                        f"A table was in use for {waited}, and nothing of this migration was done. Migrate again when "
                        "there is less to do, or look for who holds it, in pg_stat_activity."
                    ) from error
                self.stderr.write("\nA table is in use; it is tried again in a moment.")
                time.sleep(PAUSE_S)
            finally:
                self._wait_for_locks("DEFAULT")
        is_whole = not (
            options["app_label"] or options["plan"] or options["check_unapplied"] or options["prune"]
        )
        if is_whole and self._database == DEFAULT_DB_ALIAS:
            followers.require_readers_of_now()

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        """Say what goes on; what is done outside of a transaction, an index that is built aside, may wait long."""
        super().migration_progress_callback(action, migration, fake)
        if action in ("apply_start", "unapply_start"):
            self._wait_for_locks(str(LOCKED_MS) if migration.atomic else "0")

    def _wait_for_locks(self, patience: str) -> None:
        if getattr(settings, "DATABASE_POOLED_BY", ""):
            return  # not the direct way: what a session is told would be for others, too
        connection = connections[self._database]
        with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {patience}")
