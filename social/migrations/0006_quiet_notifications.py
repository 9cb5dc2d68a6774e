from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("social", "0005_a_joined_player_takes_nothing"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="deleted_at",
            field=models.DateTimeField(
                help_text="Its player took it away. It stays, so that a replayed fact finds it there.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="is_quiet",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Live connections are not told, at once or later."
            ),
        ),
    ]
