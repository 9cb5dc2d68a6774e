from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("achievements", "0010_revoked_unlocks"),
    ]

    operations = [
        migrations.CreateModel(
            name="Played",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "player_id", "game_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("player_id", models.BigIntegerField()),
                ("game_id", models.BigIntegerField()),
                (
                    "counts",
                    models.BooleanField(
                        help_text="Off while the game's studio bans or excludes the player: then rarity passes him by."
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "played",
            },
        ),
    ]
