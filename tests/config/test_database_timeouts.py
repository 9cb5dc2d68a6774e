"""How long PostgreSQL bears with each kind of process, and that with PostgreSQL: asked of sessions that it opens."""

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from django.db import connection

from config.children import BASE_DIR
from config.embedded import Servers
from tests.patience import LONG_S
from tests.pooling import database_url

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
_ASK = """
import {module}
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name"):
        cursor.execute("SHOW " + name)
        print(cursor.fetchone()[0])
    sys.stdout.flush()
    os._exit(0)  # threads of the process may be at work
"""
# Who answers somebody who waits gives up soon, and holds no lock while it does nothing. The others have nobody waiting;
# what may take long there says so itself.
ANSWERS = ["2s", "1500ms", "10s"]
WORKS = ["0", "0", "1min"]


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("config.wsgi", [*ANSWERS, "laurel-web"]),
        ("config.asgi", [*ANSWERS, "laurel-live"]),
        ("config.celery", [*WORKS, "laurel"]),  # its name is given by who starts it: worker or beat
        ("config.settings", [*WORKS, "laurel"]),  # manage.py: relay, send_webhooks and what is run by hand
    ],
)
def test_a_session_is_as_patient_as_its_process_may_be(module: str, expected: list[str]) -> None:
    # A test that loads `web` or `live` has changed this process's address.
    assert said(_ASK.format(module=module), DATABASE_URL=database_url()) == expected


WAYS = ("DATABASE_URL", "DATABASE_ANSWERING_URL", "DATABASE_REPLICA_URL")
_ASK_SOCKETS = """
import {module}
import django
django.setup()
import socket
from django.db import connections
from analytics.services import rebuilding
from core.direct import Direct
direct = Direct(within_s=60)
direct.ask("SELECT 1")
for alias in ("default", "replica"):
    connections[alias].ensure_connection()
for opened in (*(connections[alias].connection for alias in connections), direct._connection, rebuilding._connect()):
    with socket.socket(fileno=os.dup(opened.fileno())) as asked:
        print(
            asked.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            *(asked.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in (
                "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")),
        )
sys.stdout.flush()
os._exit(0)  # threads of the process may be at work
"""


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="This system has no such time-out.")
@pytest.mark.parametrize("module", ["config.wsgi", "config.asgi", "config.celery", "config.settings"])
def test_every_way_to_postgresql_notices_a_machine_that_is_gone(servers: Servers, module: str) -> None:
    known = urlsplit(servers.database_url)
    host = f"{known.username}:{known.password}@127.0.0.1:{servers.postgres.port}"
    url = f"postgres://{host}/{connection.settings_dict['NAME']}"
    ways = said(_ASK_SOCKETS.format(module=module), **dict.fromkeys(WAYS, url))
    assert ways == ["1", "10", "5", "3", "15000"] * 4


def said(program: str, **address: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", "import os, sys\n" + program],
        check=False,
        env={**os.environ, **address},
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=LONG_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
