#!/bin/bash
# Runs once, on an empty volume: Laurel's own role, which owns its database and is no superuser.
set -euo pipefail
psql --variable ON_ERROR_STOP=1 --username postgres --dbname postgres --variable password="$LAUREL_PASSWORD" <<'SQL'
CREATE ROLE laurel LOGIN PASSWORD :'password' IN ROLE pg_monitor, pg_checkpoint;
CREATE DATABASE laurel OWNER laurel TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C' LC_CTYPE 'C.UTF-8';
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
\connect laurel
CREATE EXTENSION pg_stat_statements;
SQL
