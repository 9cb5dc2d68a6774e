"""What `make production` lays, and that its lines are the processes of deploy/compose."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from config import programs
from config.children import BASE_DIR
from config.production import procfile
from config.production.place import Place

PROGRAMS = ("nginx", "pgbouncer", "rabbitmq-server", "openssl")
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
LINES = dict(procfile.lines(procfile.PROCFILE.read_text()))
COMPOSE = yaml.safe_load((BASE_DIR / "deploy" / "compose" / "compose.yaml").read_text())["services"]
all_there = pytest.mark.skipif(
    not all(shutil.which(name, path=_PATH) for name in PROGRAMS), reason="not all programs are installed"
)


def test_each_process_of_compose_is_a_line() -> None:
    without_containers = {"migrate", "prometheus", "grafana"}
    assert LINES.keys() - {"epmd"} == {
        name.replace("send-webhooks", "send_webhooks") for name in COMPOSE.keys() - without_containers
    }
    for name, command in LINES.items():
        words = shlex.split(command)
        if "config.start" in words:
            assert words[-1] == COMPOSE[name.replace("_", "-")]["command"][0]


def test_everything_is_stopped_in_some_order_and_nobody_loses_what_he_needs() -> None:
    order = [name for group in procfile.STOP_ORDER for name in group]
    assert sorted(order) == sorted(LINES)
    assert order[0] == "nginx"
    assert order[-1] == "postgres"


def prepared(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment that is laid in a folder."""
    command = [sys.executable, "-m", "config.production", "prepare"]
    env = {**os.environ, "VAR_DIR": str(folder), "PORT": "8443", **more}
    run = subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    lines = [line.partition("=") for line in (folder / "environment").read_text().splitlines()]
    return {name: "".join(shlex.split(value)) for name, _, value in lines}


@all_there
@pytest.mark.slow
def test_secrets_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    first = prepared(tmp_path)
    assert (tmp_path / "environment").stat().st_mode & 0o077 == 0
    assert first == prepared(tmp_path)
    place = Place(tmp_path)
    names = ("SECRET_KEY", "postgres", "backup", "boards", "cache", "broker")
    assert len({place.secret(name) for name in names}) == len(names)
    assert first["PUBLIC_URL"] == "https://localhost:8443"
    nginx = subprocess.run(
        [first["NGINX"], "-t", "-c", str(tmp_path / "nginx" / "nginx.conf")], capture_output=True, check=False
    )
    assert nginx.returncode == 0, nginx.stderr


@all_there
@pytest.mark.slow
def test_a_shell_that_has_read_its_environment_starts_no_second_one(tmp_path: Path) -> None:
    env = prepared(tmp_path)
    for words in ([], ["prepare"]):
        command = [sys.executable, "-m", "config.production", *words]
        run = subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)
        assert (run.returncode, "This shell has read" in run.stderr) == (1, True)
    assert not (tmp_path / "kept" / "postgres").exists()


@all_there
@pytest.mark.slow
def test_what_is_taken_out_of_nginx_s_folder_is_heard_no_more(tmp_path: Path) -> None:
    prepared(tmp_path)
    removed = tmp_path / "nginx" / "behind" / "cloudfront.conf"
    removed.write_text("return 403;\n")
    prepared(tmp_path)
    assert not removed.exists()
    assert (tmp_path / "nginx" / "errors").is_dir()


@all_there
@pytest.mark.slow
def test_an_installation_from_before_backups_gets_their_role(tmp_path: Path) -> None:
    env, secrets = prepared(tmp_path), tmp_path / "secrets.json"
    data = tmp_path / "postgres"

    def alone(statement: str) -> str:
        single = (env["POSTGRES"], "--single", "-D", str(data), "postgres")
        account = programs.account_for(data, tmp_path)
        told = programs.run_quickly(account, *single, folder=tmp_path, text=f"{statement}\n")
        assert told.returncode == 0, told.stdout
        return told.stdout

    kept = json.loads(secrets.read_text())
    alone("DROP ROLE laurel_backup;")
    (data / "laurel_backup").unlink()
    secrets.write_text(json.dumps({name: value for name, value in kept.items() if name != "backup"}))
    disk = tmp_path / "another disk's"
    after = prepared(tmp_path, BACKUP_DIR=str(disk))
    assert 'rolreplication = "t"' in alone(
        "SELECT rolreplication FROM pg_authid WHERE rolname = 'laurel_backup';"
    )
    assert json.loads(secrets.read_text()) | {"backup": kept["backup"]} == kept
    assert after["BACKUP_DIR"] == str(disk)
    assert (disk / "wal").is_dir()
    assert after["BACKUP_DATABASE_URL"].startswith("postgres://laurel_backup:")
    assert after["POSTGRESQL_FOLDER"] == str(data)
