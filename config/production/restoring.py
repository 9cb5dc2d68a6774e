"""Restoring the PostgreSQL of `make production`, with the environment that it has laid."""

import os
import sys
from functools import partial
from pathlib import Path

from config import var_dir
from config.backups import laying
from config.backups.laying import Say, Wanted
from config.backups.tools import Refused
from config.children import BASE_DIR
from config.processes import CannotStart, Process, stop_all, stop_leftovers
from config.production import preparing, procfile
from config.production.place import Place

_BESIDE = ("pgbouncer", "valkey-boards", "valkey-cache")


def restore(place: Place, wanted: Wanted, *, reopen: tuple[str, ...], say: Say) -> None:
    """Restore the database of an installation, open it again with `manage.py reopen` and stop it.

    Raises:
        Refused: something runs there, the moment is not in the backups, or PostgreSQL does not get there.

    """
    try:
        with var_dir.claim(place.folder, what="A restore"):
            stop_leftovers(place.folder)
            laying.replace(place.folder, wanted, open_it=partial(_open, place, reopen, say), say=say)
    except (CannotStart, OSError) as error:
        raise Refused(var_dir.in_plain_words(error, place.folder)) from None


def _open(place: Place, words: tuple[str, ...], say: Say) -> None:
    # Its program is that of the version which made the data, and these are others now.
    env = {**os.environ, "POSTGRES": place.environment()["POSTGRES"]}
    preparing.lay_postgres(place, Path(env["POSTGRES"]))
    named = {process.name: process for process in procfile.processes(place, env)}
    postgres, beside = named["postgres"], [named[name] for name in _BESIDE]
    try:
        say("PostgreSQL goes through its log.")
        laying.start(postgres, env["DATABASE_DIRECT_URL"])
        for process in beside:
            process.start()
        argv = [sys.executable, str(BASE_DIR / "manage.py"), "reopen", *words]
        env["LAUREL_PROCESS"] = "laurel-reopen"
        laying.reopen(Process("reopen", argv, var_dir=place.folder, env=env, folder=BASE_DIR), say)
    finally:
        stop_all(beside)
        postgres.stop()
