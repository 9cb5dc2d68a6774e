import json
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg.conninfo import make_conninfo

from config import launch, proctable, programs
from config.children import BASE_DIR
from config.embedded import LONGEST_SOCKET, Postgres, Servers, Valkey, running
from config.processes import CannotStart


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers that these tests may kill; each test leaves them running."""
    with running(tmp_path_factory.mktemp("own")) as servers:
        yield servers


@dataclass(frozen=True)
class Ended:
    """A run that is over: its servers, and the processes that they were."""

    folder: Path
    servers: Servers
    pids: set[int]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Return a run whose first start found what an interrupted one had left; its database has a table `kept`."""
    folder = tmp_path_factory.mktemp("ended")
    half = folder / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with running(folder) as servers:
        ask(servers.postgres, "CREATE TABLE kept AS SELECT 42 AS answer")
        return Ended(folder, servers, {servers.postgres.pid, servers.valkey.pid})


def ask(postgres: Postgres, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def client(valkey: Valkey) -> redis.Redis:
    return redis.Redis.from_url(valkey.url, decode_responses=True)


def run_with_servers(folder: Path, **options: Any) -> str:
    """Run a Python of its own that starts servers in `folder`; return the database's answer and its account."""
    code = (
        "import sys; from pathlib import Path; from config.embedded import running; import psycopg\n"
        "with running(Path(sys.argv[1])) as servers, psycopg.connect(servers.database_url) as connection:\n"
        "    print(connection.execute('SELECT 6 * 7').fetchone()[0], servers.postgres.account)"
    )
    command = [sys.executable, "-c", code, str(folder)]
    run = subprocess.run(command, cwd=BASE_DIR, capture_output=True, check=False, **options)
    assert run.returncode == 0, run.stderr.decode()
    return str(run.stdout.decode().strip())


def open_to_nobody(folder: Path) -> None:
    """Let every account pass through pytest's folders down to this one."""
    for each in (folder, *folder.parents[:-2]):
        if each.stat().st_uid == os.geteuid():
            each.chmod(0o711)


@pytest.mark.slow
def test_what_is_acknowledged_is_on_disk(own: Servers) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes")
    assert [ask(own.postgres, f"SHOW {name}") for name in names] == [[("on",)]] * 3
    with client(own.valkey) as valkey:
        settings = valkey.config_get("append*")
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "everysec")


@pytest.mark.slow
def test_its_log_holds_nothing_of_what_statements_hold(own: Servers) -> None:
    with psycopg.connect(own.postgres.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (email text PRIMARY KEY)")
        connection.execute("INSERT INTO people VALUES ('ada@example.com')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES ('ada@example.com')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES (%s)", ["ada@example.com"])
        connection.execute("SELECT 'ada@example.com', pg_sleep(0.6)")
    log = own.postgres.log.read_text()
    assert "duplicate key" in log
    assert "ada@" not in log
    shipped = (BASE_DIR / "deploy" / "postgres" / "laurel.conf").read_text()
    silent = {"min_duration_statement": "-1", "min_error_statement": "fatal", "error_verbosity": "terse"}
    assert all(f"\nlog_{name} = {value}\n" in shipped for name, value in silent.items())


@pytest.mark.slow
def test_a_killed_postgres_starts_again_with_what_was_committed(own: Servers) -> None:
    ask(own.postgres, "CREATE TABLE kept AS SELECT 42 AS answer")
    own.postgres.kill()
    assert not own.postgres.alive
    own.postgres.start()
    assert ask(own.postgres, "SELECT answer FROM kept") == [(42,)]


def test_a_killed_valkey_starts_again_with_what_it_had_written(own: Servers) -> None:
    with client(own.valkey) as valkey:
        valkey.set("kept", "yes")
        valkey.execute_command("WAITAOF", 1, 0, 60_000)
        own.valkey.kill()
        own.valkey.start()
        assert valkey.get("kept") == "yes"


def test_starting_what_runs_changes_nothing(own: Servers) -> None:
    before = own.postgres.pid, own.valkey.pid
    own.postgres.start()
    own.valkey.start()
    assert (own.postgres.pid, own.valkey.pid) == before


@pytest.mark.slow
def test_a_frozen_postgres_takes_nobody_until_it_thaws(own: Servers) -> None:
    own.postgres.freeze()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(own.database_url, connect_timeout=2)
    own.postgres.thaw()
    assert ask(own.postgres, "SELECT 1") == [(1,)]


def test_a_postgres_that_is_killed_while_frozen_starts_again(own: Servers) -> None:
    with psycopg.connect(own.database_url):  # a session's process is frozen too, and holds the shared memory
        own.postgres.freeze()
        own.postgres.kill()
    own.postgres.start()
    assert ask(own.postgres, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("pid", ["ours", "1", "2147483646", "nonsense"])
def test_a_postmaster_pid_of_no_living_postgres_is_no_obstacle(own: Servers, pid: str) -> None:
    pid = str(os.getpid()) if pid == "ours" else pid
    own.postgres.stop()
    (own.postgres.data / "postmaster.pid").write_text(f"{pid}\n{own.postgres.data}\n")
    own.postgres.start()
    assert ask(own.postgres, "SELECT 1") == [(1,)]


def test_a_postgres_that_another_run_left_behind_is_stopped_first(own: Servers) -> None:
    stranger = own.postgres.pid
    heir = Postgres(own.postgres.data.parent)
    heir.start()
    assert heir.pid != stranger
    assert stranger not in proctable.living()
    heir.stop()
    own.postgres.port = heir.port  # the stranger held the port of last time while the heir chose its own
    own.postgres.argv = []
    own.postgres.start()


@pytest.mark.slow
def test_nobody_comes_in_without_the_password(own: Servers) -> None:
    for wrong in (
        make_conninfo(own.database_url, password="guessed"),
        make_conninfo(own.database_url, user="postgres", password=""),
    ):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(wrong)
    with redis.Redis(port=own.valkey.port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_secrets_are_read_by_their_owner_only(own: Servers) -> None:
    folder = own.postgres.data.parent
    files = [folder / "postgres.json", folder / "valkey.json", own.valkey.data / "valkey.conf"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    for process in (own.postgres, own.valkey):
        password = json.loads((folder / f"{process.name}.json").read_text())["password"]
        assert password not in proctable.living()[process.pid].command


def test_servers_listen_on_the_loopback_only(own: Servers) -> None:
    assert ask(own.postgres, "SHOW listen_addresses") == [("127.0.0.1",)]
    with client(own.valkey) as valkey:
        assert valkey.config_get("bind") == {"bind": "127.0.0.1"}


def test_texts_are_unicode_and_sorted_the_same_everywhere(own: Servers) -> None:
    answer = ask(own.postgres, "SELECT upper('straße ñ'), 'Z' < 'a', current_setting('server_encoding')")
    assert answer == [("STRASSE Ñ" if "SS" in str(answer) else "STRAßE Ñ", True, "UTF8")]


@pytest.mark.slow
def test_the_next_run_finds_its_data_port_and_password_and_another_folder_has_its_own(
    own: Servers, ended: Ended
) -> None:
    first = ended.servers
    assert first.postgres.port != own.postgres.port
    assert ask(own.postgres, "SELECT 1") == [(1,)]
    with running(ended.folder) as second:
        assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)
        assert ask(second.postgres, "SELECT answer FROM kept") == [(42,)]


def test_a_folder_serves_one_run_at_a_time(own: Servers) -> None:
    with pytest.raises(CannotStart, match="already uses"), running(own.postgres.data.parent):
        pass


@pytest.mark.slow
def test_a_folder_may_have_any_name_and_a_long_one_is_reached_over_tcp(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a "long, odd" näme' / ("x" * LONGEST_SOCKET)
    with running(folder) as servers:
        assert "127.0.0.1" in servers.database_url
        assert ask(servers.postgres, "SELECT 1") == [(1,)]
    with tempfile.TemporaryDirectory(prefix='it\'s a "näme"') as short, running(Path(short)) as servers:
        assert "127.0.0.1" not in servers.database_url
        assert ask(servers.postgres, "SELECT 1") == [(1,)]


def test_data_of_a_version_that_is_not_here_is_refused_in_a_sentence(ended: Ended) -> None:
    file = ended.servers.postgres.data / "PG_VERSION"
    before = file.read_text()
    file.write_text("9\n")
    with pytest.raises(CannotStart, match="version 9, which made the data"), running(ended.folder):
        pass
    file.write_text(before)


@pytest.mark.slow
def test_an_interrupted_first_start_begins_anew(ended: Ended) -> None:
    assert not (ended.folder / "postgres.new").exists()
    assert (ended.servers.postgres.data / "base").is_dir()


def test_stopping_is_clean(ended: Ended) -> None:
    assert not ended.pids & proctable.living().keys()
    assert "database system is shut down" in ended.servers.postgres.log.read_text()
    assert list((ended.folder / "run").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_as_root_the_servers_run_without_roots_rights(own: Servers) -> None:
    assert own.postgres.account != launch.SAME
    assert "postgres" not in ask(own.postgres, "SELECT current_user")[0]


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become nobody")
def test_as_root_data_of_another_account_is_served_under_that_account(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    open_to_nobody(tmp_path)
    run_with_servers(tmp_path)
    programs.hand_over(tmp_path / "postgres", str(nobody.pw_uid))
    programs.hand_over(tmp_path / "valkey", str(nobody.pw_uid))
    assert run_with_servers(tmp_path) == f"42 {nobody.pw_uid}"


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user_runs_them_as_themselves(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    identity: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "--version"], check=True, capture_output=True, **identity)
    except PermissionError:
        pytest.skip(f"nobody may not run {os.path.realpath(sys.executable)}")
    open_to_nobody(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    assert run_with_servers(home, **identity) == f"42 {launch.SAME}"


def test_signals_reach_a_server_by_its_object(own: Servers) -> None:
    own.postgres.kill(signal.SIGHUP)  # reads its settings again
    assert own.postgres.alive
