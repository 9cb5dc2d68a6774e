"""Restores one after the other, of a real PostgreSQL that keeps its log: what each of them leads to.

Each restore begins a line of history of its own, and leaves files in the archive that the next one finds.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from config import launch, programs
from config.backups import laying, tools
from config.backups.laying import Wanted
from config.backups.tools import SCRIPTS, Refused
from config.children import BASE_DIR
from config.embedded import DATABASE, ROLE, Postgres
from config.processes import CannotStart
from tests.platform import wait_for
from tests.standby import Standby

pytestmark = pytest.mark.slow


class Installation:
    """A PostgreSQL as `make run` starts it, with a folder of backups, and a table of what was written."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.backups = folder / "var", folder / "backups"
        self.data = self.folder / "postgres"
        self.folder.mkdir(exist_ok=True)

    @contextmanager
    def running(self) -> Iterator[Postgres]:
        postgres = Postgres(self.folder, backups=self.backups)
        try:
            laying.start(postgres, postgres.url)
            yield postgres
        finally:
            postgres.stop()

    def back_up(self, postgres: Postgres) -> None:
        major = int((self.data / "PG_VERSION").read_text())
        tools.run("base-backup", self.backups, "14", major=major, folder=self.folder, url=postgres.backup_url)

    def restore(self, moment: str, *, refused: bool = False, cut_off: bool = False) -> list[str]:
        """Restore, and return what is there; or fail once it is open, or end there as if by `kill -9`."""
        found: list[str] = []

        def open_it() -> None:
            with self.running() as postgres:
                found.extend(written(postgres))
            if cut_off:
                os._exit(9)
            if refused:
                raise Refused("It is the wrong second.")

        laying.replace(self.folder, Wanted(self.backups, moment), open_it=open_it, say=lambda line: None)
        time.sleep(1)  # what was there before is called by the second
        return found


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """One with a base backup of when nothing was written."""
    made = Installation(tmp_path)
    with made.running() as postgres:
        with psycopg.connect(postgres.url) as connection:
            connection.execute("CREATE TABLE written (id bigserial, word text)")
        made.back_up(postgres)
    return made


def write(postgres: Postgres, word: str) -> str:
    """Write a word, and return a second by which it and nothing later is written."""
    with psycopg.connect(postgres.url) as connection:
        connection.execute("INSERT INTO written (word) VALUES (%s)", [word])
    moment = int(time.time()) + 1
    time.sleep(moment + 0.05 - time.time())
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def written(postgres: Postgres) -> list[str]:
    with psycopg.connect(postgres.url) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM written ORDER BY id")]


def failed_to_archive(postgres: Postgres) -> int:
    with psycopg.connect(postgres.url) as connection:
        return int(connection.execute("SELECT failed_count FROM pg_stat_archiver").fetchall()[0][0])


def restore_and_refuse(installation: Installation) -> None:
    """Write twice, restore what was there between, and refuse to open it: the old data are in their place again."""
    with installation.running() as postgres:
        first = write(postgres, "a")
        write(postgres, "b")
    with pytest.raises(Refused, match="wrong second"):
        installation.restore(first, refused=True)


def test_a_restore_that_failed_leaves_nothing_that_a_later_one_follows(installation: Installation) -> None:
    restore_and_refuse(installation)
    assert not list((installation.backups / "wal").glob("00000002*"))
    with installation.running() as postgres:
        assert written(postgres) == ["a", "b"]
        write(postgres, "c")
    assert installation.restore("latest") == ["a", "b", "c"]


def test_a_base_backup_of_after_a_failed_restore_can_be_restored(installation: Installation) -> None:
    restore_and_refuse(installation)
    with installation.running() as postgres:
        installation.back_up(postgres)
        write(postgres, "c")
    assert installation.restore("latest") == ["a", "b", "c"]


def test_an_abandoned_line_is_followed_no_more_once_there_is_a_base_backup_of_the_other(
    installation: Installation, tmp_path: Path
) -> None:
    with installation.running() as postgres:
        first = write(postgres, "a")
        write(postgres, "b")
    installation.restore(first)
    # By hand, and not by `put-back`: what the restored server has archived stays.
    installation.data.rename(tmp_path / "abandoned")
    next(installation.folder.glob("postgres.before-*")).rename(installation.data)
    with installation.running() as postgres:
        write(postgres, "c")
        installation.back_up(postgres)
        write(postgres, "d")
    assert installation.restore("latest") == ["a", "b", "c", "d"]


def test_after_a_restore_backups_of_the_time_that_was_lost_are_passed_over(
    installation: Installation,
) -> None:
    with installation.running() as postgres:
        first = write(postgres, "a")
        write(postgres, "b")
        installation.back_up(postgres)
        lost = write(postgres, "c")
        write(postgres, "d")
    assert installation.restore(first) == ["a"]
    with installation.running() as postgres:
        later = write(postgres, "e")
        write(postgres, "f")
        assert failed_to_archive(postgres) == 0
    assert installation.restore("latest") == ["a", "e", "f"]
    assert installation.restore(later) == ["a", "e"]
    # And they are what leads to that time.
    assert installation.restore(lost) == ["a", "b", "c"]


def test_who_restored_too_early_a_second_restores_a_later_one(installation: Installation) -> None:
    with installation.running() as postgres:
        early = write(postgres, "a")
        meant = write(postgres, "b")
        write(postgres, "c")
    assert installation.restore(early) == ["a"]
    assert installation.restore(meant) == ["a", "b"]


def test_a_restore_that_was_cut_off_is_undone_by_the_next(installation: Installation) -> None:
    with installation.running() as postgres:
        first = write(postgres, "a")
        write(postgres, "b")
    code = (
        "import sys; from pathlib import Path; from tests.config.test_laying import Installation\n"
        "Installation(Path(sys.argv[1])).restore(sys.argv[2], cut_off=True)"
    )
    command = [sys.executable, "-c", code, str(installation.folder.parent), first]
    assert subprocess.run(command, cwd=BASE_DIR, check=False).returncode == 9
    with pytest.raises(CannotStart, match="did not get to its end: run it again"):
        laying.require_finished(installation.folder)
    assert installation.restore("latest") == ["a", "b"]
    laying.require_finished(installation.folder)
    with installation.running() as postgres:
        assert written(postgres) == ["a", "b"]


def test_what_was_lost_with_the_data_is_what_was_not_archived(installation: Installation) -> None:
    with installation.running() as postgres:
        write(postgres, "a")
    installation.data.rename(installation.folder / "gone")
    assert installation.restore("latest") == ["a"]
    with installation.running() as postgres:
        assert written(postgres) == ["a"]


def test_a_standby_that_is_made_after_a_restore_goes_on_following(
    installation: Installation, tmp_path: Path
) -> None:
    with installation.running() as postgres:
        program, account = postgres.argv[0], postgres.account
        first = write(postgres, "a")
        write(postgres, "b")
    single = (program, "--single", "-D", str(installation.data), DATABASE)
    told = programs.run_quickly(
        account, *single, folder=installation.folder, text=f"ALTER ROLE {ROLE} REPLICATION;\n"
    )
    assert told.returncode == 0, told.stdout
    with installation.running() as postgres:
        installation.back_up(postgres)
        first = write(postgres, "c")
        write(postgres, "d")
    assert installation.restore(first) == ["a", "b", "c"]
    settings = (installation.data / "postgresql.auto.conf").read_text()
    assert "laurel.restored" in settings
    assert "recovery" not in settings
    with installation.running() as postgres:
        standby = Standby(tmp_path, postgres)
        standby.start()
        try:
            write(postgres, "e")
            wait_for(lambda: words_of(standby)[-1] == "e", what="the standby")
            assert words_of(standby) == ["a", "b", "c", "e"]
        finally:
            standby.stop()


def words_of(standby: Standby) -> list[str]:
    with psycopg.connect(standby.url(DATABASE)) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM written ORDER BY id")]


def test_what_is_refused_has_moved_nothing_and_the_same_words_do_not_do_it_twice(
    installation: Installation,
) -> None:
    with installation.running() as postgres:
        first = write(postgres, "a")
        write(postgres, "b")
    data, before = installation.data, installation.folder / "before"
    for moment, said in (("2001-01-01T00:00:00Z", "no base backup"), ("noon", "is no moment")):
        assert said in lay_out(installation, moment, before)
        assert data.exists()
        assert not before.exists()
    assert "goes on to" in lay_out(installation, first, before)
    assert (before / "PG_VERSION").exists()
    assert "of an earlier restore" in lay_out(installation, first, before)
    assert "in its place again" in put_back(data)
    assert not before.exists()
    assert "is not as `lay-out`" in put_back(data)
    with installation.running() as postgres:
        assert written(postgres) == ["a", "b"]


def test_a_lost_volume_is_laid_out_and_where_there_was_one_before_what_it_held_comes_along(
    installation: Installation,
) -> None:
    with installation.running() as postgres:
        write(postgres, "a")
    data, before = installation.data, installation.folder / "before"
    kept = {file.name for file in (data / "pg_wal").glob("?" * 24)}
    data.rename(before)
    assert "goes on to" in lay_out(installation, "latest", before)
    assert kept <= {file.name for file in (data / "pg_wal").iterdir()}
    (installation.folder / "empty").mkdir()
    for volume in ("empty", "missing"):
        said = lay_out(installation, "latest", installation.folder / "never", installation.folder / volume)
        assert "goes on to" in said
        assert (installation.folder / volume / "recovery.signal").exists()


def test_a_restore_that_was_accepted_is_not_put_back(installation: Installation) -> None:
    with installation.running() as postgres:
        first = write(postgres, "a")
        write(postgres, "b")
    before = installation.folder / "before"
    lay_out(installation, first, before)
    with installation.running() as postgres:
        installation.back_up(postgres)
    assert "was taken since the restore" in put_back(installation.data)
    assert (installation.backups / "wal" / "00000002.history.gz").exists()


def lay_out(installation: Installation, moment: str, before: Path, data: Path | None = None) -> str:
    return sh("lay-out", str(installation.backups), str(data or installation.data), moment, str(before))


def put_back(data: Path) -> str:
    return sh("put-back", str(data))


def sh(script: str, *arguments: str) -> str:
    """Run a script as an operator does where PostgreSQL's tools are, and return what it said."""
    tools_of = programs.find_postgres(launch.SAME, BASE_DIR, major=None).path.parent
    env = {**os.environ, "PATH": f"{tools_of}:{os.environ['PATH']}"}
    command = ["sh", str(SCRIPTS / script), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
