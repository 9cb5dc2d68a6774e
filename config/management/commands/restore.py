"""manage.py restore."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backups import embedded
from config.backups.embedded import Wanted
from config.backups.tools import Refused


def moment(text: str) -> str:
    """Read a moment with its zone, and return it as `lay-out` takes it."""
    if text == "latest":
        return text
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text} is no moment: write it as 2026-11-26T12:00:00Z, or `latest`"
        ) from None
    if read.tzinfo is None:
        raise ArgumentTypeError(f"{text} has no zone: write Z for UTC, as in {text}Z")
    if read.microsecond:
        raise ArgumentTypeError(f"{text} is no whole second")
    return f"{read.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class Command(BaseCommand):
    """Restores PostgreSQL to a named second."""

    help = (
        "Restore PostgreSQL from BACKUP_DIR to a named second: what was committed by then is there, and nothing else."
        " The one of `make run`, while that is stopped, with `reopen` after it; with --data, another server's files,"
        " into an empty folder, and nothing else (docs/operations/backups.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the moment, and where."""
        parser.add_argument(
            "--to", required=True, type=moment, metavar="MOMENT", help="2026-11-26T12:00:00Z, or `latest`."
        )
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="A server's data folder, empty.")
        parser.add_argument(
            "--before",
            type=Path,
            metavar="FOLDER",
            help="With --data: the server's data as they were, if there still are some.",
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
        try:
            if options["data"] is not None:
                data, scratch = options["data"].resolve(), settings.VAR_DIR
                self.stdout.write(
                    embedded.lay_out(
                        wanted, data, before=options["before"], wal=options["wal"] or "", scratch=scratch
                    )
                )
            else:
                reopen = ("--park-webhooks",) if options["park_webhooks"] else ()
                embedded.restore(settings.VAR_DIR, wanted, reopen=reopen, say=self.stdout.write)
                self.stdout.write("Restored. `make run`, with the same BACKUP_DIR, starts it.")
        except Refused as error:
            raise CommandError(str(error)) from None
