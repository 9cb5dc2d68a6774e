import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0015_jobs")]

    operations = [
        migrations.AddField(
            model_name="follower",
            name="hears",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                blank=True,
                db_default=models.Value("{}"),
                default=list,
                help_text="Kinds of facts that its listener hears, by the newest version that migrated (docs/adr/0072).",
                size=None,
            ),
        ),
    ]
