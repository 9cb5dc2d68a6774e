"""Restoring the PostgreSQL that `make run` brings."""

from functools import partial
from pathlib import Path

from config import children, var_dir
from config.backups import laying
from config.backups.laying import Say, Wanted
from config.backups.tools import Refused
from config.children import Place
from config.embedded import Postgres, Valkey
from config.processes import CannotStart, stop_all, stop_leftovers

_NEEDED = ("postgres.json", "backup-password")


def restore(folder: Path, wanted: Wanted, *, reopen: tuple[str, ...], say: Say) -> None:
    """Restore the database in a VAR_DIR, open it again with `manage.py reopen` and stop it.

    Raises:
        Refused: something runs there, the moment is not in the backups, or PostgreSQL does not get there.

    """
    try:
        with var_dir.claim(folder, what="A restore"):
            stop_leftovers(folder)
            _require_secrets(folder)
            laying.replace(folder, wanted, open_it=partial(_open, folder, wanted, reopen, say), say=say)
    except (CannotStart, OSError) as error:
        raise Refused(var_dir.in_plain_words(error, folder)) from None


def _require_secrets(folder: Path) -> None:
    if missing := [name for name in _NEEDED if not (folder / name).exists()]:
        raise Refused(
            f"{' and '.join(missing)} of the installation that was backed up must lie in {folder} first: without them "
            "nobody gets into the database, and nothing in it can be verified."
        )


def _open(folder: Path, wanted: Wanted, words: tuple[str, ...], say: Say) -> None:
    postgres, valkey = Postgres(folder, backups=wanted.backups), Valkey(folder)
    try:
        say("PostgreSQL goes through its log.")
        valkey.launch()
        laying.start(postgres, postgres.url)
        valkey.start()
        place = Place(folder, 0)
        env = {
            **children.environment(place),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
        }
        laying.reopen(children.manage("reopen", place, env, *words), say)
    finally:
        stop_all([valkey, postgres])
