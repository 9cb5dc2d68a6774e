"""PgBouncer in transaction mode before PostgreSQL: what a process may expect of it, and what it may not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from django.test import Client

from config.children import BASE_DIR
from config.embedded import Servers
from core import dependencies
from tests import pooling
from tests.patience import LONG_S
from tests.pooling import PgBouncer

_ASK = """
import {module}
import django
django.setup()
from core.db import run_prepared
from core.dependencies import other_time_outs
from core.direct import Direct
for number in range(8):
    assert run_prepared("SELECT $1::bigint", [number]) == [(number,)]
print(other_time_outs(Direct(within_s=60).ask))
sys.stdout.flush()
os._exit(0)  # threads of the process may be at work
"""


@pytest.fixture
def pooler(servers: Servers, tmp_path: Path, transactional_db: None) -> Iterator[PgBouncer]:
    """Run a PgBouncer before the tests' PostgreSQL."""
    if pooling.program() is None:
        pytest.skip("There is no PgBouncer on this machine.")
    started = PgBouncer(tmp_path, servers.postgres, database=connection.settings_dict["NAME"])
    started.start()
    yield started
    started.stop()


def own(pooler: PgBouncer) -> str:
    return pooler.url(connection.settings_dict["NAME"])


@pytest.mark.slow
def test_what_a_statement_leaves_in_its_session_is_not_there_for_the_next(pooler: PgBouncer) -> None:
    address = own(pooler)
    with psycopg.connect(address) as other, psycopg.connect(address, autocommit=True) as client:
        other.execute("SELECT 1")  # its transaction has a session, so that there are two
        client.execute("SET work_mem = '5MB'")
        other.rollback()
        found = {row[0] for _ in range(4) for row in client.execute("SHOW work_mem")}
    assert len(found) == 2


@pytest.mark.slow
@pytest.mark.parametrize("module", ["config.wsgi", "config.asgi", "config.celery"])
def test_each_kind_of_process_has_its_time_outs_and_runs_what_is_prepared_elsewhere(
    pooler: PgBouncer, module: str
) -> None:
    env = {
        **{name: value for name, value in os.environ.items() if name not in pooling.VARIABLES},
        "DATABASE_URL": own(pooler),
        "DATABASE_ANSWERING_URL": pooler.url(pooling.ANSWERING),
        "DATABASE_POOLED_BY": "pgbouncer",
        "DATABASE_PREPARED": "1" if pooler.keeps_prepared else "0",
    }
    command = [sys.executable, "-c", "import os, sys\n" + _ASK.format(module=module)]
    done = subprocess.run(
        command, check=False, env=env, cwd=BASE_DIR, capture_output=True, text=True, timeout=LONG_S
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "{}\n"


@pytest.mark.django_db
def test_readyz_says_that_the_time_outs_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "SAFE_SETTINGS", ())
    wanted = {"statement_timeout": 2000, "idle_in_transaction_session_timeout": 60_000}
    monkeypatch.setattr("django.conf.settings.DATABASE_PATIENCE_MS", wanted)
    answer = Client().get("/readyz")
    said = answer.json()["checks"]["postgresql"]
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert (said["status"], said["ms"]) == ("other time-outs", {"statement_timeout": 0})


@pytest.mark.slow
def test_a_migration_goes_past_pgbouncer(servers: Servers, transactional_db: None) -> None:
    database = urlsplit(servers.database_url)._replace(path=f"/{connection.settings_dict['NAME']}")
    env = {
        **{name: value for name, value in os.environ.items() if name not in pooling.VARIABLES},
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        "DATABASE_POOLED_BY": "pgbouncer",
        "DATABASE_DIRECT_URL": database.geturl(),
    }
    command = [sys.executable, "manage.py", "migrate", "--check", "-v0"]
    done = subprocess.run(command, check=False, env=env, cwd=BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
