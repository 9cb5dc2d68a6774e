"""A webhook's game belongs to the webhook's studio."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_webhooks")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE webhooks_endpoint ADD CONSTRAINT a_webhook_and_its_game_have_one_studio"
            " FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id)",
            "ALTER TABLE webhooks_endpoint DROP CONSTRAINT a_webhook_and_its_game_have_one_studio",
        ),
    ]
