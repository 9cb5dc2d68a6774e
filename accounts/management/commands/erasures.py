"""manage.py erasures."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.erasure import copies, finishing, restoring
from accounts.erasure.models import Erasure
from core import clock


class Command(BaseCommand):
    """Lists erasures, looks for what is left, and takes them over a restored backup."""

    help = (
        "List who is being erased, by number. A backup that is restored knows nothing of later erasures: `reopen` takes"
        " them from ERASURE_LEDGER_URL, where each is copied to. The whole ledger (keyed hashes, no names) can be put"
        " into a file, too (--save), and taken from there (--apply)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take one of several things to do."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--check", action="store_true", help="Look for what is left of anybody; exit 1 if there is."
        )
        what.add_argument("--copy", action="store_true", help="Copy to ERASURE_LEDGER_URL what is not there.")
        what.add_argument("--save", metavar="FILE", type=Path, help="Write the ledger to a file.")
        what.add_argument(
            "--apply", metavar="FILE", type=Path, help="Erase again whom a file's ledger names."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["save"] is not None:
            options["save"].write_text(json.dumps(restoring.ledger_of(), indent=1) + "\n")
            self.stdout.write(f"{Erasure.objects.count():,} erasures written.")
        elif options["apply"] is not None:
            again = restoring.apply(json.loads(options["apply"].read_text()), at=clock.now())
            self.stdout.write(f"{again:,} players are being erased again.")
        elif options["copy"]:
            for row in Erasure.objects.iterator():
                copies.keep(row)
            self.stdout.write(f"{Erasure.objects.count():,} erasures are copied.")
        elif options["check"]:
            self._check()
        else:
            self._list()

    def _list(self) -> None:
        for row in Erasure.objects.filter(done_at=None).order_by("pk"):
            waits = ", ".join(name for name in finishing.steps() if name not in row.steps) or "listeners"
            self.stdout.write(
                f"{row.uuid}  asked {row.asked_at:%Y-%m-%d %H:%M:%S}  waits for {waits}  {row.error}"
            )
        done = Erasure.objects.exclude(done_at=None).count()
        self.stdout.write(f"{done:,} done.")

    def _check(self) -> None:
        bad = 0
        for row in Erasure.objects.order_by("pk").iterator():
            try:
                look = finishing.look_for(row, keeps=False)
            except finishing.Busy:
                look = finishing.Look({}, {"all": "a worker looks just now"})
            if not look.is_clean:
                bad += 1
                self.stdout.write(f"{row.uuid}  {dict(look.found)}  {dict(look.failed)}")
        if bad:
            raise CommandError(f"Of {bad:,} people something is left, or could not be looked for.")
        self.stdout.write("Nothing is left of anybody.")
