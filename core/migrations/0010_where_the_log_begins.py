"""Up to where facts are gone, since their days were dropped: whoever reads the log at leisure can tell a gap."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0009_find_audit_entries")]
    operations = [
        migrations.CreateModel(
            name="LogBeginning",
            fields=[
                ("studio_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("tx", models.BigIntegerField(default=0)),
                ("fact_id", models.BigIntegerField(default=0)),
                ("at", models.DateTimeField(help_text="The end of the day that was dropped.")),
            ],
        ),
    ]
