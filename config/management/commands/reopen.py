"""manage.py reopen."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from config import reopening
from config.reopening import CannotReopen, Wishes
from core import clock


class Command(BaseCommand):
    """Opens a restored database."""

    help = (
        "Open a database that was restored, before anything else uses it, whoever restored it: people who were erased"
        " since are erased again, Valkey forgets what never happened, and no number that was lost names something else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what an operator may choose."""
        parser.add_argument(
            "--ledger",
            metavar="FILE",
            type=Path,
            help="Erasures that a newer server still knows (`erasures --save`), besides those of ERASURE_LEDGER_URL.",
        )
        parser.add_argument(
            "--park-webhooks",
            action="store_true",
            help="Send nothing that was waiting then. Without this it is sent, under the ids that it had.",
        )
        parser.add_argument(
            "--alone", action="store_true", help="Go on although processes of Laurel are connected."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        try:
            ledger = json.loads(options["ledger"].read_text()) if options["ledger"] else {}
            wishes = Wishes(ledger, parks_webhooks=options["park_webhooks"], is_alone=options["alone"])
            reopening.reopen(wishes, at=clock.now(), say=self.stdout.write)
        except (CannotReopen, DatabaseError, OSError, ValueError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            "The database is open. Start everything; `manage.py verify` then recomputes what it holds."
        )
