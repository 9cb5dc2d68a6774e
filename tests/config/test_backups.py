"""The scripts of backups and the commands around them; a whole restore is tests/faults/test_restore_drill.py."""

import gzip
import io
import os
import subprocess
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from config import var_dir
from config.backups.laying import moment
from config.backups.tools import SCRIPTS


def run(script: str, *arguments: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
    command = ["sh", str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)


def base_backup(backups: Path, name: str, finished: str) -> None:
    folder = backups / "base" / name
    folder.mkdir(parents=True)
    (folder / "about").write_text(f"finished={finished}\nfirst={'0' * 24}\nmajor=18\n")


def test_a_segment_is_kept_once_and_never_written_over(tmp_path: Path) -> None:
    segment, wal = tmp_path / "segment", tmp_path / "a folder's wal"
    segment.write_bytes(b"what happened" * 1000)
    wal.mkdir()
    for _ in range(2):  # after a crash PostgreSQL asks again
        assert run("archive-wal", segment, "000000010000000000000001", wal).returncode == 0
    (kept,) = wal.iterdir()
    assert gzip.decompress(kept.read_bytes()) == segment.read_bytes()
    segment.write_bytes(b"somebody else's")
    assert run("archive-wal", segment, "000000010000000000000001", wal).returncode != 0
    assert gzip.decompress(kept.read_bytes()).startswith(b"what happened")


def test_each_restore_to_a_segment_leaves_its_own_rest_of_it(tmp_path: Path) -> None:
    segment, name = tmp_path / "segment", "000000010000000000000001.partial"
    for rest in (b"of one", b"of another"):
        segment.write_bytes(rest)
        assert run("archive-wal", segment, name, tmp_path).returncode == 0
    assert gzip.decompress((tmp_path / f"{name}.gz").read_bytes()) == b"of another"


def test_a_segment_that_can_not_be_kept_is_asked_for_again(tmp_path: Path) -> None:
    segment = tmp_path / "segment"
    segment.write_bytes(b"what happened")
    assert run("archive-wal", segment, "000000010000000000000001", tmp_path / "nowhere").returncode != 0


def test_a_segment_that_the_disk_did_not_take_is_not_kept(tmp_path: Path) -> None:
    """A disk that fails says so once: whoever asks again in another way is told that all is well."""
    segment, programs, wal = tmp_path / "segment", tmp_path / "bin", tmp_path / "wal"
    segment.write_bytes(b"what happened")
    programs.mkdir()
    wal.mkdir()
    fails = programs / "sync"
    fails.write_text('#!/bin/sh\n[ "$#" = 0 ] || [ "$1" = --version ]\n')
    fails.chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    assert run("archive-wal", segment, "000000010000000000000001", wal, PATH=path).returncode != 0
    assert not (wal / "000000010000000000000001.gz").exists()


REFUSED = {
    "a moment without a zone": ("2026-11-26T12:00:00", "is no moment"),
    "words": ("yesterday", "is no moment"),
    "a moment before the first backup": ("2026-11-26T02:59:59Z", "no base backup"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_can_not_be_restored_is_refused_in_words(tmp_path: Path, what: str) -> None:
    asked, said = REFUSED[what]
    base_backup(tmp_path, "20261126T025900Z", "2026-11-26T03:00:00Z")
    done = run("lay-out", tmp_path, tmp_path / "data", asked)
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "data").exists()


def test_data_that_are_there_are_never_laid_over(tmp_path: Path) -> None:
    base_backup(tmp_path, "20261126T025900Z", "2026-11-26T03:00:00Z")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("18\n")
    done = run("lay-out", tmp_path, tmp_path / "data", "latest")
    assert (done.returncode, "is not empty" in done.stderr) == (1, True)
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["PG_VERSION"]


def test_a_restore_begins_with_the_newest_backup_of_before_the_moment(tmp_path: Path) -> None:
    for name, finished in (
        ("20261125T025900Z", "2026-11-25T03:00:00Z"),
        ("20261126T025900Z", "2026-11-26T03:00:00Z"),
        ("20261127T025900Z", "2026-11-27T03:00:00Z"),
    ):
        base_backup(tmp_path, name, finished)
    done = run("lay-out", tmp_path, tmp_path / "data", "2026-11-26T03:00:00Z")
    assert "20261126T025900Z/base.tar.gz" in done.stderr  # tar says that there is none


def test_another_server_s_data_are_laid_out_by_the_command_as_by_the_script(
    tmp_path: Path, settings: Any
) -> None:
    settings.BACKUP_DIR = str(tmp_path)
    base_backup(tmp_path, "20261126T025900Z", "2026-11-26T03:00:00Z")
    for moment_, said in (("latest", "tar"), ("2025-01-01T00:00:00Z", "no base backup")):
        with pytest.raises(CommandError, match=said):
            call_command("restore", "--to", moment_, "--data", str(tmp_path / "data"), stdout=io.StringIO())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("latest", "latest"),
        ("2026-11-26T12:00:00Z", "2026-11-26T12:00:00Z"),
        ("2026-11-26 13:00:00+01:00", "2026-11-26T12:00:00Z"),
    ],
)
def test_a_moment_may_be_written_as_people_do(text: str, read: str) -> None:
    assert moment(text) == read


@pytest.mark.parametrize("text", ["noon", "2026-11-26T12:00:00", "2026-11-26T12:00:00.5Z"])
def test_a_moment_that_is_not_certain_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        moment(text)


def test_without_a_folder_nothing_is_backed_up_or_restored() -> None:
    for command in (["backup"], ["restore", "--to", "latest"]):
        with pytest.raises(CommandError, match="BACKUP_DIR names no folder"):
            call_command(*command, stdout=io.StringIO())


def test_nothing_is_restored_over_what_runs(tmp_path: Path, settings: Any) -> None:
    settings.BACKUP_DIR, settings.VAR_DIR = str(tmp_path / "backups"), tmp_path
    with (
        var_dir.claim(tmp_path, what="Laurel at http://127.0.0.1:8000"),
        pytest.raises(CommandError, match=r"Laurel at http://127\.0\.0\.1:8000 .* already uses"),
    ):
        call_command("restore", "--to", "latest", stdout=io.StringIO())


def test_a_restore_on_another_machine_asks_for_the_secrets_first(tmp_path: Path, settings: Any) -> None:
    settings.BACKUP_DIR, settings.VAR_DIR = str(tmp_path / "backups"), tmp_path
    with pytest.raises(CommandError, match=r"postgres\.json and backup-password .* must lie in"):
        call_command("restore", "--to", "latest", stdout=io.StringIO())
