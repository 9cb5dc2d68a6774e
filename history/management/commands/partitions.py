"""manage.py partitions."""

from typing import Any

from django.core.management.base import BaseCommand

from history import partitions


class Command(BaseCommand):
    """Shows the tables of players' history."""

    help = "Show the tables that keep what players did by the hour, day, week and month, with their sizes."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each."""
        self.stdout.write(f"{'table':40} {'rows (about)':>14} {'KiB':>12}")
        for one in partitions.listed():
            rows = "?" if one.rows < 0 else f"{one.rows:,}"
            self.stdout.write(f"{one.name:40} {rows:>14} {one.bytes // 1024:>12,}")
