"""manage.py archive_history."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock
from history import outgoing
from history.archive import Unavailable
from history.services import retention


class Command(BaseCommand):
    """Archives what is kept no longer."""

    help = (
        "Archive what players did longer ago than it is kept, as Parquet files at ARCHIVE_URL, and drop it. This"
        " happens by itself every hour. Whatever is in the way, nothing is dropped that is not in a whole file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to look only."""
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be archived.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Archive, or say what would be."""
        now = clock.now()
        if options["dry_run"]:
            for one in outgoing.due(now=now):
                self.stdout.write(f"{one.table} from {one.begin} up to {one.end} would go to {one.folder}/.")
            return
        try:
            for done in retention.apply(now=now):
                where = f"in {done.key}, {done.bytes:,} bytes" if done.key else "nothing to archive"
                self.stdout.write(f"{done.table}: {done.rows:,} rows, {where}.")
        except Unavailable as error:
            raise CommandError(f"The archive can't be used, and what is not in it stays: {error}") from error
