"""Nobody gives a row to a player who was joined to another meanwhile (accounts, migration 0009)."""

from django.db import migrations

_TABLES = ("leaderboards_score",)
_GUARD = """
CREATE TRIGGER a_joined_player_takes_nothing AFTER INSERT ON {table}
    FOR EACH ROW EXECUTE FUNCTION a_joined_player_takes_nothing();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_a_joined_player_takes_nothing"),
        ("leaderboards", "0007_pages_without_metadata"),
    ]
    operations = [
        migrations.RunSQL(
            "".join(_GUARD.format(table=table) for table in _TABLES),
            "".join(f"DROP TRIGGER a_joined_player_takes_nothing ON {table};" for table in _TABLES),
        )
    ]
