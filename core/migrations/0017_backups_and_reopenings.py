from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0016_followers_know_what_they_hear")]

    operations = [
        migrations.CreateModel(
            name="Backup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("finished_at", models.DateTimeField(db_index=True)),
                ("size", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Reopening",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("restored", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("tx", models.BigIntegerField()),
            ],
        ),
    ]
