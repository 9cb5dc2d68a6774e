"""Looks at what migrations would do to a database that is in use: `python -m tests.migrations`, with squawk.

Only those since BASELINE: what stands before was there before anybody's data was. What to do about a finding is in
docs/operations/upgrade.md, and why in docs/adr/0071-expand-and-contract.md.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import django
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from config import var_dir
from config.embedded import Postgres

# The last migration of each room that is not looked at.
BASELINE = {
    "accounts": "0027_rotated_keys_stay_in_their_studio",
    "achievements": "0024_how_fast_players_came",
    "analytics": "0005_chosen_funnel",
    "core": "0014_leases",
    "history": "0003_room_to_update",
    "leaderboards": "0013_flagged_scores_stay_in_their_game",
    "social": "0010_a_joined_player_s_inbox_takes_nothing",
    "stats": "0005_a_joined_player_takes_nothing",
    "webhooks": "0003_deliveries_are_found_in_order",
}
# The oldest that is promised.
POSTGRESQL = "15"
# Tastes; and what `migrate` sees to itself (core/management/commands/migrate.py).
PASSED_BY = (
    "ban-char-field,prefer-bigint-over-int,prefer-bigint-over-smallint,prefer-identity,prefer-robust-stmts,"
    "prefer-text-field,prefer-timestamptz,require-lock-timeout,require-statement-timeout,transaction-nesting"
)


def main() -> int:
    """Print what is wrong; return the exit code."""
    with (
        tempfile.TemporaryDirectory(prefix="laurel-") as folder,
        var_dir.claim(Path(folder), what="A look at migrations"),
    ):
        postgres = Postgres(Path(folder).resolve())
        postgres.start()
        try:
            os.environ |= {"DATABASE_URL": postgres.url, "DJANGO_SETTINGS_MODULE": "config.settings"}
            django.setup()
            faults = [fault for migration in newer() for fault in faults_of(migration)]
        finally:
            postgres.stop()
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def newer() -> Iterator[Migration]:
    """Yield the migrations of our rooms since the baseline, with those before as their state."""
    loader = MigrationLoader(None)
    for (room, name), migration in sorted(loader.disk_migrations.items()):
        if room in BASELINE and name > BASELINE[room]:
            yield migration


def faults_of(migration: Migration, statements: list[str] | None = None) -> list[str]:
    """Return what squawk says of a migration, but for what it says itself that it does deliberately."""
    text = "\n".join(statements_of(migration) if statements is None else statements)
    deliberately: Mapping[str, str] = getattr(migration, "deliberately", {})
    return [
        f"{migration.app_label}.{migration.name}: {found['rule_name']}: {found['message']}"
        for found in squawk(text, in_transaction=migration.atomic)
        if not deliberately.get(found["rule_name"])
    ]


def statements_of(migration: Migration) -> list[str]:
    """Return what a migration tells PostgreSQL, which is asked how it writes values and needs no tables for that."""
    loader = MigrationLoader(None)
    before = loader.project_state((migration.app_label, migration.name), at_end=False)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(before, editor, collect_sql=True)
    return list(editor.collected_sql)


def squawk(text: str, *, in_transaction: bool) -> list[dict[str, Any]]:
    """Return what squawk finds in statements."""
    command = [
        str(Path(sys.executable).with_name("squawk")),
        "--reporter",
        "json",
        "--pg-version",
        POSTGRESQL,
    ]
    command += ["--exclude", PASSED_BY, *(["--assume-in-transaction"] if in_transaction else [])]
    run = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(run.stdout or "[]")
    if run.returncode and not found:
        raise RuntimeError(f"squawk: {run.stderr}")
    return found


if __name__ == "__main__":
    sys.exit(main())
