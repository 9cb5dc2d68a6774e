from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0014_leases")]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("seconds", models.FloatField()),
                ("error", models.TextField(blank=True, default="")),
            ],
        ),
    ]
