"""How long PostgreSQL bears with each kind of process: asked in a session of its own, as that process opens it."""

import os
import subprocess
import sys

import pytest

from config.children import BASE_DIR
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
ANSWERS = ["2s", "1s", "10s"]
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
    env = dict(os.environ)
    env["DATABASE_URL"] = database_url()  # a test that loads `web` or `live` has changed this process's
    program = "import os, sys\n" + _ASK.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env=env,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == expected
