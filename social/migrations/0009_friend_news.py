from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("social", "0008_presence"),
    ]

    operations = [
        migrations.CreateModel(
            name="FriendNews",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "player_id", "game_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("player_id", models.BigIntegerField()),
                ("game_id", models.BigIntegerField()),
                ("studio_id", models.BigIntegerField()),
                ("achievement_id", models.BigIntegerField()),
                ("points", models.BigIntegerField()),
                ("unlocked_us", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("event", models.UUIDField()),
                ("waiting", models.BigIntegerField()),
                ("fact_tx", models.BigIntegerField()),
                ("fact_id", models.BigIntegerField()),
                ("told_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "friend news",
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="friend_news_to_tell",
                    )
                ],
            },
        ),
    ]
