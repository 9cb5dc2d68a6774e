"""The end of a test that commits: every table is empty again, as the migrations left it.

Django's `flush` would take longer than most tests: it asks for the tables' names and writes new files for each.
"""

from django.conf import settings
from django.db import connection

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND c.relname NOT IN ('django_migrations', 'history_heard') ORDER BY c.relname
"""
# As a replica: what refers to what, and what may never be deleted, does not matter here. A test fills few tables, with
# few rows, so that deleting them is quicker than new files.
_FUNCTION = """
CREATE FUNCTION tests_empty() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$
BEGIN
    {}
    UPDATE history_heard SET tx = '0', fact_id = 0 WHERE tx <> '0' OR fact_id <> 0;
END $$
"""
_EACH = """
    IF EXISTS (SELECT FROM {table}) THEN
        IF pg_relation_size('{table}') > 500000 THEN
            TRUNCATE {table} CASCADE;
        ELSE
            DELETE FROM {table};
        END IF;
    END IF;
"""


def prepare() -> None:
    """Make what `empty` calls, in a database that is migrated and empty."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        each = "".join(_EACH.format(table=table) for (table,) in cursor.fetchall())
        cursor.execute(_FUNCTION.format(each))


def empty() -> None:
    """Empty every table, and forget what the session was set to and holds, if it is ours alone."""
    own = "" if settings.DATABASE_POOLED_BY else "RESET ALL; SELECT pg_advisory_unlock_all();"
    with connection.cursor() as cursor:
        cursor.execute(f"{own} SELECT tests_empty()")
