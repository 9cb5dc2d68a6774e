"""What production's processes do not start with: each says in a sentence what is wrong, and what to do."""

import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from django.db.migrations.recorder import MigrationRecorder

from config import children, var_dir
from config.children import BASE_DIR, Place
from config.embedded import Servers
from config.processes import Process
from tests.patience import LONG_S
from tests.platform import wait_for
from tests.security import production

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SECRET = secrets.token_urlsafe(48)
NAMES = ("web", "live", "worker", "beat", "relay", "send_webhooks")


def processes(servers: Servers, folder: Path, **more: str) -> dict[str, Process]:
    """Return what runs in production; as its operator's supervisor starts it, `web` does not try again by itself."""
    place = Place(folder, var_dir.free_ports(2))
    env = production.environment(servers, place, **more)
    found = {one.name: one for one in children.children(place, env)}
    again = ("--respawn-failed-workers", "--respawn-interval", "0.5")
    found["web"].argv = [word for word in found["web"].argv if word not in again]
    return found


def last_words(process: Process) -> str:
    """Start a process, see it end by itself with a failure, and return what it said."""
    try:
        process.launch()
        wait_for(lambda: not process.alive, what=f"the end of {process.name}")
        assert process.exit_code not in (0, None)
        return process.log.read_text()
    finally:
        process.stop()


WRONG = {
    "debug": ({"DEBUG": "1"}, "DEBUG is on, and PUBLIC_URL is https://laurel.example", "Set DEBUG=0"),
    "no secret": ({"SECRET_KEY": ""}, "SECRET_KEY is not set", "50 or more random characters"),
    "a short secret": ({"SECRET_KEY": SECRET[:49]}, "SECRET_KEY is too short", "secrets.token_urlsafe(48)"),
    "one letter": ({"SECRET_KEY": "a" * 64}, "SECRET_KEY is too short", "secrets.token_urlsafe(48)"),
    "the tests' secret": (
        {"SECRET_KEY": os.environ["SECRET_KEY"]},
        "everybody can read",
        "random characters",
    ),
    "an example's": ({"SECRET_KEY": "change-me-" + SECRET}, "everybody can read", "random characters"),
    "Django's": ({"SECRET_KEY": "django-insecure-" + SECRET}, "everybody can read", "random characters"),
    "any host": ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS holds *", "leave ALLOWED_HOSTS out"),
    "unreadable keys of tokens": (
        {"PLAYER_TOKEN_KEYS": f"2027a:{SECRET}"},
        "PLAYER_TOKEN_KEYS is not understood",
        "openssl rand -hex 32",
    ),
    "a short key of tokens": (
        {"PLAYER_TOKEN_KEYS": f"2027a={SECRET},2026b=secret"},
        "PLAYER_TOKEN_KEYS is not understood",
        "openssl rand -hex 32",
    ),
    "any host besides": (
        {"ALLOWED_HOSTS": "laurel.example,*"},
        "ALLOWED_HOSTS holds *",
        "name those that lead",
    ),
}


def settings_say(**said: str) -> "subprocess.CompletedProcess[str]":
    usual = {"PUBLIC_URL": production.URL, "SECRET_KEY": SECRET, "DEBUG": "0", "DEMO": "0"}
    command = [sys.executable, "manage.py", "check"]
    env = {**os.environ, **usual, **said}
    return subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_who_waits_for_postgresql_is_ended_by_a_signal_that_the_first_process_hears_only_if_it_listens() -> (
    None
):
    wait = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"  # as it is to a container's first process
        "import django; django.setup()\n"
        "from core.starting import wait_for_postgresql; wait_for_postgresql()"
    )
    env = {
        **os.environ,
        "DATABASE_URL": "postgres://nobody:secret@127.0.0.1:9/nothing",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": SECRET,
    }
    command = [sys.executable, "-c", wait]
    with subprocess.Popen(
        command, cwd=BASE_DIR, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        assert any(b"waiting for PostgreSQL" in line for line in process.stdout)
        process.terminate()
        assert process.wait(LONG_S) == 0


@pytest.mark.parametrize("what", WRONG)
def test_no_command_runs_with_what_would_undo_the_rest(what: str) -> None:
    said, fault, advice = WRONG[what]
    done = settings_say(**said)
    assert done.returncode != 0
    assert fault in done.stderr
    assert advice in done.stderr
    secret = said.get("SECRET_KEY") or SECRET
    assert secret not in done.stderr


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"PUBLIC_URL": "http://127.0.0.1:8000", "DEBUG": "1", "ALLOWED_HOSTS": "*"},
        {"PLAYER_TOKEN_KEYS": f"2027a={SECRET},2026b={SECRET[::-1]}"},
        {"PLAYER_TOKEN_KEYS": ""},
    ],
)
def test_what_is_right_and_what_is_on_one_s_own_machine_runs(said: dict[str, str]) -> None:
    done = settings_say(**said)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["debug", "the tests' secret", "any host"])
def test_no_process_starts_with_it(servers: Servers, tmp_path: Path, name: str, what: str) -> None:
    said, fault, _ = WRONG[what]
    assert fault in last_words(processes(servers, tmp_path, **said)[name])


@pytest.mark.parametrize("name", NAMES)
def test_no_process_starts_on_a_postgresql_that_may_lose_what_it_acknowledged(
    servers: Servers, tmp_path: Path, name: str
) -> None:
    said = last_words(processes(servers, tmp_path)[name])  # the tests' own runs without all three
    assert "PostgreSQL runs with fsync and full_page_writes and synchronous_commit off" in said
    assert "ALTER SYSTEM" in said


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", ["web", "live", "worker"])
def test_a_postgresql_that_is_away_keeps_nobody_from_starting(
    servers: Servers, tmp_path: Path, name: str
) -> None:
    nobody = f"postgres://laurel:x@127.0.0.1:{var_dir.free_ports(1)}/laurel"
    process = processes(servers, tmp_path, DATABASE_URL=nobody, DATABASE_ANSWERING_URL="")[name]
    try:
        process.launch()
        wait_for(lambda: "does not answer yet" in process.log.read_text(), what="a warning")
        assert process.alive
        if name == "web":
            port = int(process.argv[process.argv.index("--port") + 1])
            wait_for(lambda: listens(port), what="web to listen")  # after the warning
            asked = {
                path: httpx.get(f"http://127.0.0.1:{port}{path}", timeout=LONG_S)
                for path in ("/livez", "/readyz", "/readyz?without=postgresql")
            }
            assert [answer.status_code for answer in asked.values()] == [200, 503, 200]
            assert asked["/readyz"].json()["checks"]["postgresql"] == {"status": "down"}
    finally:
        process.stop()


@pytest.mark.parametrize("name", ["worker", "beat", "relay", "send_webhooks"])
def test_who_works_through_the_log_waits_for_its_migrations(
    servers: Servers, tmp_path: Path, name: str
) -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="webhooks").latest("pk")
    newest.delete()
    own = {
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "DEBUG": "1",
    }  # so that the tests' own PostgreSQL is safe enough
    process = processes(servers, tmp_path, **own)[name]
    ready = tmp_path / "run" / "worker.ready"
    try:
        process.launch()
        wait_for(
            lambda: "waiting for PostgreSQL and its migrations" in process.log.read_text(), what="a warning"
        )
        assert process.alive
        assert not ready.exists()
        newest.save(force_insert=True)
        if name == "worker":
            wait_for(ready.exists, what="the worker")
        assert process.alive
    finally:
        process.stop()
        MigrationRecorder.Migration.objects.get_or_create(
            pk=newest.pk, defaults={"app": newest.app, "name": newest.name, "applied": newest.applied}
        )


def test_a_request_that_is_on_its_way_is_answered_before_web_ends(servers: Servers, tmp_path: Path) -> None:
    found = processes(servers, tmp_path, PUBLIC_URL="http://127.0.0.1:8000", DEBUG="1")["web"]
    port = var_dir.free_ports()
    env = {**(found.env or {}), "HOST": "127.0.0.1", "PORT": str(port), "VAR_DIR": str(tmp_path)}
    process = Process(
        "web", [sys.executable, "-m", "config.start", "web"], var_dir=tmp_path, env=env, folder=BASE_DIR
    )
    try:
        process.launch()
        wait_for(lambda: listens(port), what="web to listen")
        with socket.create_connection(("127.0.0.1", port), timeout=LONG_S) as client:
            client.sendall(
                b"POST /api/v1/achievements/unlock HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n"
            )
            time.sleep(1)
            process.ask_to_stop()
            time.sleep(4)  # longer than a developer's `web` waits
            client.sendall(b"{}")
            assert client.recv(65_536).startswith(b"HTTP/1.1 401")
        wait_for(lambda: not process.alive, what="the end of web")
    finally:
        process.stop()
