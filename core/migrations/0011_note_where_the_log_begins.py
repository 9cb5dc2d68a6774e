"""Note the oldest day of a log of which days may have been dropped before; nobody has a cursor from then."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0010_where_the_log_begins")]
    operations = [
        migrations.RunSQL(
            """
            INSERT INTO core_logbeginning (studio_id, tx, fact_id, at)
            SELECT 0, 0, 0, min(to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD'))::timestamp AT TIME ZONE 'UTC'
              FROM pg_inherits
             WHERE inhparent = 'core_fact'::regclass AND inhrelid::regclass::text ~ '^core_fact_[0-9]{8}$'
            HAVING count(*) > 0
            """,
            migrations.RunSQL.noop,
        ),
    ]
