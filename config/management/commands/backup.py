"""manage.py backup."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backups import tools
from config.backups.tools import Refused
from core import backups, clock
from core.db import run_prepared

_MEBIBYTE = 1024 * 1024


class Command(BaseCommand):
    """Takes a base backup."""

    help = (
        "Take a base backup of PostgreSQL into BACKUP_DIR while everything runs, verify it, and remove what is older"
        " than BACKUP_KEEP_DAYS. With the write-ahead log that PostgreSQL keeps there, `restore` goes to any second"
        " since (docs/operations/backups.md). Run it daily."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do instead, and how fast."""
        parser.add_argument("--list", action="store_true", help="Only list what is there.")
        parser.add_argument(
            "--max-rate", default="", metavar="RATE", help="Read no faster, in kB/s, or as 32M."
        )
        parser.add_argument(
            "--note", metavar="NAME", help="Only note that another tool has taken a base backup: for metrics."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["note"]:
            backups.note(options["note"], size=0, at=clock.now())
            return
        if not settings.BACKUP_DIR:
            raise CommandError("BACKUP_DIR names no folder: set it, here and where PostgreSQL starts.")
        folder = Path(settings.BACKUP_DIR).resolve()
        try:
            if options["list"]:
                self._list(folder)
            else:
                self._take(folder, max_rate=options["max_rate"])
        except Refused as error:
            raise CommandError(str(error)) from None

    def _list(self, folder: Path) -> None:
        for base in tools.listed(folder):
            self.stdout.write(
                f"{base.name}  PostgreSQL {base.major}  {base.size / _MEBIBYTE:,.0f} MiB"
                f"  restores to {base.finished_at:%Y-%m-%d %H:%M:%S} UTC and later"
            )

    def _take(self, folder: Path, *, max_rate: str) -> None:
        if (lag := backups.wal_lag_s()) is None:
            self.stderr.write(
                "PostgreSQL keeps no write-ahead log: a restore goes to this backup's end alone."
            )
        options = [f"--max-rate={max_rate}"] if max_rate else []
        said = tools.run(
            "base-backup",
            folder,
            str(settings.BACKUP_KEEP_DAYS),
            *options,
            major=run_prepared("SELECT current_setting('server_version_num')::int / 10000", [])[0][0],
            folder=settings.VAR_DIR,
            url=settings.BACKUP_DATABASE_URL,
        )
        self.stdout.write(said)
        newest = tools.listed(folder)[-1]
        backups.note(newest.name, size=newest.size, at=newest.finished_at)
        if lag is not None:
            self.stdout.write(f"The newest segment of the write-ahead log was kept {lag:.0f} s ago.")
