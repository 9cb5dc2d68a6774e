#!/bin/sh
# PgBouncer reads passwords from a file only; this one lies in memory.
set -eu
umask 077
printf '"laurel" "%s"\n' "${LAUREL_PASSWORD:?}" > /run/pgbouncer/users.txt
unset LAUREL_PASSWORD
exec pgbouncer /etc/pgbouncer/pgbouncer.ini
