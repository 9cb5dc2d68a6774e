from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0005_audit_is_append_only")]
    operations = [
        migrations.AddField("auditentry", "actor_proof", models.BinaryField(editable=False, null=True)),
        migrations.AddField("auditentry", "content_proof", models.BinaryField(editable=False, null=True)),
        migrations.AddField("auditentry", "mark", models.BinaryField(editable=False, null=True)),
        migrations.AddField("auditentry", "number", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("auditentry", "hash", models.BinaryField(editable=False, null=True)),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("studio_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
                ("hash", models.BinaryField(editable=False)),
                ("mark", models.BinaryField(editable=False)),
            ],
        ),
    ]
