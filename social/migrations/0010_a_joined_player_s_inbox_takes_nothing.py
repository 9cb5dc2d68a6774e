"""An inbox whose player was joined to another meanwhile is not begun anew (accounts, migration 0009)."""

from django.db import migrations

_TABLES = ("social_inboxcounter", "social_toldprogress")
_GUARD = """
CREATE TRIGGER a_joined_player_takes_nothing AFTER INSERT ON {table}
    FOR EACH ROW EXECUTE FUNCTION a_joined_player_takes_nothing();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_what_a_joined_player_was_called"),
        ("social", "0009_friend_news"),
    ]
    operations = [
        migrations.RunSQL(
            "".join(_GUARD.format(table=table) for table in _TABLES),
            "".join(f"DROP TRIGGER a_joined_player_takes_nothing ON {table};" for table in _TABLES),
        )
    ]
