"""Migrations are looked at before they meet data (tests/migrations.py): that the looking finds something."""

import pytest
from django.db.migrations import Migration

from config.settings.environment import BASE_DIR
from tests import migrations

HARMFUL = {
    "ban-drop-column": "ALTER TABLE core_follower DROP COLUMN error;",
    "renaming-column": "ALTER TABLE core_follower RENAME COLUMN error TO mishap;",
    "require-concurrent-index-creation": "CREATE INDEX slow ON unlock (unlocked_at);",
    "constraint-missing-not-valid": "ALTER TABLE unlock ADD CONSTRAINT c CHECK (points >= 0);",
    "adding-required-field": "ALTER TABLE unlock ADD COLUMN more int NOT NULL;",
}


def migration(**says: object) -> Migration:
    kind = type("Migration", (Migration,), says)
    made: Migration = kind("0099_harmful", "core")
    return made


@pytest.mark.parametrize("rule", HARMFUL)
def test_what_others_would_wait_for_or_stumble_over_is_found(rule: str) -> None:
    faults = migrations.faults_of(migration(), [HARMFUL[rule]])
    assert any(f"core.0099_harmful: {rule}: " in fault for fault in faults)


def test_what_a_migration_does_deliberately_it_says_with_its_reason() -> None:
    dropped = [HARMFUL["ban-drop-column"]]
    assert (
        migrations.faults_of(migration(deliberately={"ban-drop-column": "unread since 0.2"}), dropped) == []
    )
    assert migrations.faults_of(migration(deliberately={"ban-drop-column": ""}), dropped) != []


def test_what_is_new_and_empty_may_be_made_as_one_likes() -> None:
    made = (
        "CREATE TABLE fresh (id bigint PRIMARY KEY, name text NOT NULL); CREATE INDEX quick ON fresh (name);"
    )
    added = "ALTER TABLE core_follower ADD COLUMN hears text[] DEFAULT '{}' NOT NULL;"
    assert migrations.faults_of(migration(), [made, added]) == []


def test_the_baseline_is_of_migrations_that_are_there() -> None:
    for room, name in migrations.BASELINE.items():
        assert (BASE_DIR / room / "migrations" / f"{name}.py").exists()
    with_migrations = {path.parent.parent.name for path in BASE_DIR.glob("*/migrations/0001_*.py")}
    assert with_migrations == set(migrations.BASELINE)
