"""manage.py partitions."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from core import clock
from history import outgoing, partitions
from history.partitions import Partition


class Command(BaseCommand):
    """Shows the tables of players' history."""

    help = (
        "Show the tables that keep what players did by the hour, day, week and month: from and up to when, how large"
        " they are, and when they are archived; then what is archived."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each."""
        now = clock.now()
        self.stdout.write(
            f"{'table':32} {'from':10} {'up to':10} {'rows (about)':>14} {'KiB':>12}  is archived"
        )
        for one in partitions.listed():
            rows = "?" if one.rows < 0 else f"{one.rows:,}"
            begin, end = one.begin or "", one.end or ""
            self.stdout.write(
                f"{one.name:32} {begin!s:10} {end!s:10} {rows:>14} {one.bytes // 1024:>12,}  {_fate(one, now)}"
            )
        self.stdout.write(f"\n{'archived':32} {'files':>10} {'rows':>25} {'KiB':>12}")
        for (family, level), (files, rows_kept, size) in sorted(outgoing.noted().items()):
            self.stdout.write(
                f"{f'{family} by {level}':32} {files:>10,} {rows_kept:>25,} {size // 1024:>12,}"
            )


def _fate(one: Partition, now: datetime) -> str:
    limit = partitions.limit(one.level, now=now)
    if limit is None:
        return "never"
    over = partitions.over_at(one)
    if over is None:
        return f"what is before {limit}"
    return "next time" if one.end is not None and one.end <= limit else f"from {over} on"
