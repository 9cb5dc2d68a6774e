"""A key's game belongs to the key's studio."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE accounts_serverkey ADD CONSTRAINT a_key_and_its_game_have_one_studio"
            " FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id)",
            "ALTER TABLE accounts_serverkey DROP CONSTRAINT a_key_and_its_game_have_one_studio",
        ),
    ]
