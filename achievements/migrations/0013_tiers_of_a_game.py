import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("achievements", "0012_who_has_played_until_now"),
    ]

    operations = [
        migrations.AddField(
            model_name="catalogue",
            name="rarity_tiers",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.SmallIntegerField(),
                blank=True,
                help_text="The largest share of each tier but the last, in per mille, rarest first; null for the platform's.",
                null=True,
                size=None,
            ),
        ),
    ]
