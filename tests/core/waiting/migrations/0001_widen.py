from django.db import migrations


class Migration(migrations.Migration):
    operations = [migrations.RunSQL("ALTER TABLE widened ADD COLUMN more int", "SELECT 1")]
