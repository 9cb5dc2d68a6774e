"""What players did by the hour, day, week and month, in tables that are partitioned by time."""

from typing import ClassVar

from django.db import migrations

LEVELS = {"hour": "timestamptz", "day": "date", "week": "date", "month": "date"}
FAMILIES = {
    "activity": (
        "game_id bigint NOT NULL, at {at} NOT NULL, unlocks integer NOT NULL, points bigint NOT NULL,"
        " playtime_ms bigint NOT NULL, PRIMARY KEY (player_id, game_id, at)"
    ),
    "stat": (
        "stat_id bigint NOT NULL, at {at} NOT NULL, change numeric(28, 6) NOT NULL,"
        " PRIMARY KEY (player_id, stat_id, at)"
    ),
}


def _tables() -> list[str]:
    made = []
    for family, columns in FAMILIES.items():
        for level, kind in LEVELS.items():
            table = f"history_{family}_{level}"
            made.append(
                f"CREATE TABLE {table} (player_id bigint NOT NULL, {columns.format(at=kind)})"
                " PARTITION BY RANGE (at);"
                # Takes what no partition was made for: what is late, and what comes while Beat is away.
                f"CREATE TABLE {table}_other PARTITION OF {table} DEFAULT;"
            )
    return made


class Migration(migrations.Migration):
    """Make the tables, and the place where the listener keeps how far it has heard."""

    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(
            "\n".join(_tables()),
            "\n".join(f"DROP TABLE history_{family}_{level};" for family in FAMILIES for level in LEVELS),
        ),
        migrations.RunSQL(
            "CREATE TABLE history_heard (id boolean PRIMARY KEY DEFAULT true CHECK (id), tx xid8 NOT NULL,"
            " fact_id bigint NOT NULL); INSERT INTO history_heard (tx, fact_id) VALUES ('0', 0)",
            "DROP TABLE history_heard",
        ),
    ]
