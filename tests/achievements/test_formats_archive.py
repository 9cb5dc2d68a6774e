"""Zips are unpacked within bounds, whatever they claim."""

import contextlib
import io
import struct
import zipfile

import pytest

from achievements.formats.archive import MAX_BYTES, open_upload
from achievements.formats.document import Unreadable
from tests.achievements import samples


def test_a_body_that_is_no_zip_is_one_file_without_a_name() -> None:
    assert open_upload(b"a,b\n") == {"": b"a,b\n"}


def test_files_are_known_by_their_base_name_and_pictures_stay_packed() -> None:
    files = {
        "/a/b.csv": "1",
        "..\\..\\c.JSON": "2",
        "icon.png": "x",
        "d/": "",
        "__MACOSX/._b.csv": "x",
        "LICENSE": "x",
    }
    assert open_upload(samples.zipped(files)) == {"b.csv": b"1", "c.JSON": b"2"}


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"icon.png": "x"},
        {"inner.zip": b"x"},
        {"inner.csv": samples.zipped({"a.csv": "1"})},
        {"a/x.csv": "1", "b/x.csv": "2"},
        {f"{i}.csv": "" for i in range(101)},
        {f"{i}.png": "" for i in range(1_001)},
        {"a.csv": b"\0" * (MAX_BYTES + 1)},
        {f"{i}.csv": b"\0" * 1024**2 for i in range(11)},
    ],
    ids=[
        "empty",
        "pictures only",
        "nested",
        "nested under a false name",
        "same name",
        "101 files",
        "1,001 entries",
        "bomb",
        "bomb in parts",
    ],
)
def test_a_zip_out_of_bounds_is_refused(files: dict[str, str | bytes]) -> None:
    with pytest.raises(Unreadable):
        open_upload(samples.zipped(files))


def test_a_zip_that_lies_about_sizes_is_refused() -> None:
    body = samples.zipped({"a.csv": b"\0" * (MAX_BYTES * 2)})
    claimed = body.replace(struct.pack("<L", MAX_BYTES * 2), struct.pack("<L", 10))
    assert claimed != body
    with pytest.raises(Unreadable):
        open_upload(claimed)


def test_encrypted_and_unusually_packed_files_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.csv", "1")
    encrypted = bytearray(samples.zipped({"a.csv": "1"}))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    for body in (out.getvalue(), bytes(encrypted)):
        with pytest.raises(Unreadable, match="packed"):
            open_upload(body)


def test_every_cut_and_every_flipped_byte_of_a_zip_is_survived() -> None:
    body = samples.zipped({"a.csv": "1,2\n" * 20})
    for place in range(4, len(body)):
        for damaged in (body[:place], body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :]):
            with contextlib.suppress(Unreadable):
                open_upload(damaged)


def test_a_body_over_the_limit_is_refused() -> None:
    with pytest.raises(Unreadable, match="10 MiB"):
        open_upload(b" " * (MAX_BYTES + 1))
