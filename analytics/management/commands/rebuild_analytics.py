"""manage.py rebuild_analytics: counts everything anew from the unlocks, or compares."""

import os
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.services import rebuilding
from core import clock


class Command(BaseCommand):
    """Counts what analytics shows anew while everything runs, or compares that with what is kept."""

    help = (
        "Count what analytics shows anew while everything runs, or compare that with what is kept (--check)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whether to compare only."""
        parser.add_argument(
            "--check", action="store_true", help="change nothing; print the number of differences"
        )

    def handle(self, *, check: bool, **_: Any) -> None:
        """Do it. Exits with 1 when something differs, with 75 (EX_TEMPFAIL) when it can't be done just now."""
        started = time.monotonic()
        try:
            if check:
                self._check(rebuilding.differences(now=clock.now(), say=self.stdout.write))
            else:
                rebuilding.rebuild(now=clock.now(), say=self.stdout.write)
        except rebuilding.CannotRebuild as error:
            raise CommandError(str(error), returncode=os.EX_TEMPFAIL) from None
        self.stdout.write(f"It took {time.monotonic() - started:.0f} s.")

    def _check(self, differing: dict[str, int]) -> None:
        wrong = {table: rows for table, rows in differing.items() if rows}
        if wrong:
            listed = ", ".join(f"{rows:,} in {table}" for table, rows in wrong.items())
            raise CommandError(f"Differences: {listed}. Count anew by this command without --check.")
        self.stdout.write(f"0 differences in {len(differing)} tables.")
