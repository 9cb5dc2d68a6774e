import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("social", "0007_preferences"),
    ]

    operations = [
        migrations.CreateModel(
            name="Presence",
            fields=[
                ("player_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("seen_at", models.DateTimeField()),
                (
                    "places",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "presence",
            },
        ),
        # A sign of life changes a row that no other index names: with room on its page it is written in place.
        migrations.RunSQL(
            "ALTER TABLE social_presence SET (fillfactor = 60)",
            reverse_sql="ALTER TABLE social_presence RESET (fillfactor)",
        ),
    ]
