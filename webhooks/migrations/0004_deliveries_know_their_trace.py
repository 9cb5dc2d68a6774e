from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0003_deliveries_are_found_in_order")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="trace",
            field=models.TextField(blank=True, default="", db_default=""),
        ),
    ]
