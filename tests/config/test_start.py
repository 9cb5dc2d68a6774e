"""What `config.start` sees to before the process becomes the program, and what that makes of its environment."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from config import children, open_files, start
from config.children import BASE_DIR


def test_a_process_that_begins_anew_is_not_taken_for_ready_as_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "ready"
    ready.touch()
    monkeypatch.chdir(BASE_DIR)
    monkeypatch.setenv("READY_FILE", str(ready))
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    was_there: list[bool] = []
    monkeypatch.setattr(os, "execve", lambda *_: was_there.append(ready.exists()))
    start.main(["worker-facts"])
    assert was_there == [False]


@pytest.mark.parametrize(("said", "told"), [(None, "2"), ("", "2"), ("8", "8")])
def test_memory_is_taken_from_few_places_unless_an_operator_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, told: str
) -> None:
    monkeypatch.chdir(BASE_DIR)
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    if said is not None:
        monkeypatch.setenv("MALLOC_ARENA_MAX", said)
    began: list[str] = []
    monkeypatch.setattr(os, "execve", lambda *words: began.append(words[2]["MALLOC_ARENA_MAX"]))
    start.main(["worker-facts"])
    assert [*began, children.environment(children.Place(tmp_path, 8000))["MALLOC_ARENA_MAX"]] == [told, told]


def test_as_many_files_may_be_open_as_the_system_lets_us(tmp_path: Path) -> None:
    """Pods begin with 1,024, and a `live` has a socket for each open page."""
    code = (
        "import os, resource, sys; from config import start\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))\n"
        "os.execve = lambda *_: print(*resource.getrlimit(resource.RLIMIT_NOFILE))\n"
        "start.main(['live'])"
    )
    env = os.environ | {"VAR_DIR": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False
    )
    soft, hard = map(int, said.stdout.split())
    assert soft == min(hard, open_files.WANTED) > 1024, said.stderr


_READ = """\
from config import settings as read
print(read.WEB_PROCESSES, read.FACT_RETENTION_DAYS, read.OWNERS_NEED_SECOND_FACTOR, sorted(read.PLAYER_TOKEN_KEYS))
"""
# Numbers, switches, lists, mappings, addresses, words.
_EMPTY = (
    *("WEB_PROCESSES", "FACT_RETENTION_DAYS", "HISTORY_HOURS_KEPT_DAYS", "ADMISSION_ROOM"),
    *("DATABASE_POOL_SIZE", "OWNERS_NEED_SECOND_FACTOR", "OTEL_SDK_DISABLED", "ALLOWED_HOSTS"),
    *("WEBHOOK_PORTS", "PLAYER_TOKEN_KEYS", "RATE_LIMITS", "EMAIL_URL", "DATABASE_REPLICA_URL"),
    *("LOG_LEVEL", "SENTRY_ENVIRONMENT"),
)


def test_what_is_empty_in_the_environment_is_not_given() -> None:
    """Whoever has `docker compose exec` run a command gets the lines of .env as they are."""
    given = {"PUBLIC_URL": "https://laurel.example", "SECRET_KEY": secrets.token_urlsafe(48)}
    env = os.environ | given | {"DEBUG": "0", "DEMO": "0"} | dict.fromkeys(_EMPTY, "")
    said = subprocess.run(
        [sys.executable, "-c", _READ], cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False
    )
    assert said.stdout.strip() == "2 7 True ['1']", said.stderr


def test_this_machine_may_ask_for_health_whatever_hosts_are_named() -> None:
    env = os.environ | {"ALLOWED_HOSTS": "laurel.example,www.laurel.example"}
    read = "from config import settings as read; print(*read.ALLOWED_HOSTS)"
    said = subprocess.run(
        [sys.executable, "-c", read], cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False
    )
    hosts = said.stdout.split()
    assert hosts[:2] == ["laurel.example", "www.laurel.example"], said.stderr
    assert {"localhost", "127.0.0.1"} <= set(hosts)
