"""What is due, and what is old, is found in order."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0002_webhooks_stay_in_their_studio"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="delivery",
            name="deliveries_due",
        ),
        migrations.RemoveIndex(
            model_name="delivery",
            name="deliveries_by_age",
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["endpoint", "next_attempt_at", "id"],
                name="deliveries_due",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["state", "created_at"], name="deliveries_by_age"),
        ),
    ]
