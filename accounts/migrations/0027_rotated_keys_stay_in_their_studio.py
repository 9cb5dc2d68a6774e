"""The key that follows another one is of the same studio."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0026_requests_of_devices_may_be_signed")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE accounts_serverkey ADD CONSTRAINT one_studio_per_key UNIQUE (id, studio_id);"
            "ALTER TABLE accounts_serverkey ADD CONSTRAINT a_key_and_its_successor_have_one_studio"
            " FOREIGN KEY (replaced_by_id, studio_id) REFERENCES accounts_serverkey (id, studio_id)",
            "ALTER TABLE accounts_serverkey DROP CONSTRAINT a_key_and_its_successor_have_one_studio;"
            "ALTER TABLE accounts_serverkey DROP CONSTRAINT one_studio_per_key",
        ),
    ]
