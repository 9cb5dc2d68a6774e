"""What a PostgreSQL that we start needs so that it keeps its write-ahead log, and lets base backups be taken."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from config import programs

ROLE = "laurel_backup"
_ARCHIVE_WAL = Path(__file__).resolve().parent.parent.parent / "deploy" / "backups" / "archive-wal"
_STATEMENT = "CREATE ROLE {role} LOGIN REPLICATION PASSWORD '{password}';\n"


def archive_command(data: Path, backups: Path, account: str) -> str:
    """Prepare a folder of backups for the account that a server runs under; return the setting, without its quotes."""
    wal = backups / "wal"
    wal.mkdir(mode=0o700, parents=True, exist_ok=True)
    programs.let_through(account, backups)
    programs.hand_over(wal, account)
    # A copy, since the account may not be able to read what we run from.
    shutil.copyfile(_ARCHIVE_WAL, data / _ARCHIVE_WAL.name)
    return f'sh ./archive-wal "%p" "%f" {_inside_quotes(shlex.quote(str(wal)))}'


def let_backups_in(data: Path, password: str, *, run: Callable[[str], None]) -> None:
    """Make the role that takes base backups, unless there is one; `run` runs statements in single-user mode.

    In such a mode a server whose data were laid out would go through its log, so there it is left as it is.
    """
    has_role = data / ROLE  # backups have this file, too, and with it the role
    if not has_role.exists() and not (data / "recovery.signal").exists():
        run(_STATEMENT.format(role=ROLE, password=password))
        has_role.touch()


def _inside_quotes(text: str) -> str:
    """Return a text for inside a setting's single quotes; of an archive_command `%` is PostgreSQL's own sign."""
    return text.replace("%", "%%").replace("'", "''")
