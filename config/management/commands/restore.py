"""manage.py restore."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backups import embedded, laying
from config.backups.laying import Wanted
from config.backups.tools import Refused
from config.production import place, restoring


class Command(BaseCommand):
    """Restores PostgreSQL to a named second."""

    help = (
        "Restore PostgreSQL from BACKUP_DIR to a named second: what was committed by then is there, and nothing else."
        " The one of `make run` or, with its environment, of `make production`, while that is stopped, with `reopen`"
        " after it; with --data, another server's files, and nothing else (docs/operations/backups.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the moment, and where."""
        parser.add_argument(
            "--to",
            required=True,
            type=laying.moment,
            metavar="MOMENT",
            help="2026-11-26T12:00:00Z, or `latest`.",
        )
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="A server's data folder.")
        parser.add_argument(
            "--before",
            type=Path,
            metavar="FOLDER",
            help="With --data: where to move what is there; or where the server's data as they were lie already.",
        )
        parser.add_argument(
            "--wal", metavar="FOLDER", help="With --data: where that server finds BACKUP_DIR/wal."
        )
        parser.add_argument(
            "--park-webhooks", action="store_true", help="As `reopen` has it: send none that were waiting."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if not settings.BACKUP_DIR:
            raise CommandError("BACKUP_DIR names no folder.")
        wanted = Wanted(Path(settings.BACKUP_DIR).resolve(), options["to"])
        reopen = ("--park-webhooks",) if options["park_webhooks"] else ()
        try:
            if options["data"] is not None:
                self._lay_out(wanted, options)
            elif (production := place.sourced()) is not None:
                restoring.restore(production, wanted, reopen=reopen, say=self.stdout.write)
                self._end("make production")
            else:
                embedded.restore(settings.VAR_DIR, wanted, reopen=reopen, say=self.stdout.write)
                self._end("make run")
        except Refused as error:
            raise CommandError(str(error)) from None

    def _lay_out(self, wanted: Wanted, options: dict[str, Any]) -> None:
        data, before, scratch = options["data"].resolve(), options["before"], settings.VAR_DIR
        self.stdout.write(
            laying.lay_out(wanted, data, before=before, wal=options["wal"] or "", scratch=scratch)
        )

    def _end(self, started_by: str) -> None:
        self.stdout.write(
            f"Restored. `{started_by}`, with the same BACKUP_DIR, starts it: then take a base backup."
        )
