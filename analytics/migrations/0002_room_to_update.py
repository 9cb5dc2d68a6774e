"""Leave room in the pages of what is added to over and over."""

from typing import ClassVar

from django.db import migrations

_TABLES = (
    "activeday",
    "gamehour",
    "gameday",
    "gameweek",
    "gamemonth",
    "reach",
    "retention",
    "achievementday",
    "boardday",
)


class Migration(migrations.Migration):
    """A row that is added to stays in its page then, and its index as it is."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("analytics", "0001_counts")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(
            "".join(f"ALTER TABLE analytics_{table} SET (fillfactor = 80);" for table in _TABLES),
            "".join(f"ALTER TABLE analytics_{table} RESET (fillfactor);" for table in _TABLES),
        )
    ]
