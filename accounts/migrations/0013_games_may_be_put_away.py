from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_invitations"),
    ]

    operations = [
        migrations.AddField(
            model_name="game",
            name="archived_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="Since when the studio has put it away.", null=True
            ),
        ),
    ]
