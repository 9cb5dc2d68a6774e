"""The archive: Parquet files in a folder or in S3-compatible storage. Knows rows and keys, and no database.

A file has its key only once it is whole and was read back: until then it has a temporary name. What has a key is never
written over.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal, localcontext
from pathlib import Path
from secrets import token_hex
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from history.buckets import Level
from history.figures import Figures, Rows

_TEMPORARY: Final = ".tmp"
_DIGEST: Final = b"laurel.digest"
_READ_AT_ONCE: Final = 50_000
_EXACT_DIGITS: Final = 100  # more than any sum has
_SUMMED: Final = pa.decimal128(38, 6)  # holds a batch's sum of any column
_S3: Final = "s3://"
_S3_CONNECT_S, _S3_REQUEST_S, _S3_ATTEMPTS = 5, 60, 4
_TYPES: Final = {
    "player_id": pa.int64(),
    "game_id": pa.int64(),
    "stat_id": pa.int64(),
    "unlocks": pa.int32(),
    "points": pa.int64(),
    "playtime_ms": pa.int64(),
    "change": pa.decimal128(28, 6),
}


class Unavailable(Exception):
    """The archive can't be written or read, or does not read back what was written."""


def schema(level: Level, columns: Iterable[str]) -> pa.Schema:
    """Return a file's columns; hours are instants in UTC, all longer buckets dates."""
    at = pa.timestamp("us", "UTC") if level == "hour" else pa.date32()
    return pa.schema([pa.field(name, _TYPES.get(name, at), nullable=False) for name in columns])


class Archive:
    """A folder or a bucket's prefix; `url` is an absolute path or `s3://bucket/prefix`.

    `endpoint` is the address of an S3 that is not Amazon's, empty for Amazon's. Every method raises Unavailable.
    """

    def __init__(self, url: str, *, endpoint: str = "") -> None:
        self._is_local = not url.startswith(_S3)
        self._root = url.removeprefix(_S3).rstrip("/")
        with _made_plain(url):
            self._fs = pafs.LocalFileSystem() if self._is_local else _s3(endpoint)

    def write(self, key: str, shape: pa.Schema, batches: Iterable[Rows]) -> Figures:
        """Write rows, read them back, and only then give the file its key; return their figures.

        The last value of a row is its hash. At no time is more than a batch in memory.
        """
        temporary = self._path(f"{key}.{token_hex(4)}{_TEMPORARY}")
        with _made_plain(key):
            if self._is_local:
                self._fs.create_dir(temporary.rpartition("/")[0])
            try:
                written = self._fill(temporary, shape, batches)
                if self._read(temporary) != written:
                    raise Unavailable(f"{key} does not read back as it was written.")
                self._settle(temporary, self._path(key))
            finally:
                with suppress(OSError):  # it has its key by now, or there is no room or way for anything
                    self._fs.delete_file(temporary)
        return written

    def leave_out(self, key: str, rows: pc.Expression, *, columns: Sequence[str]) -> int:
        """Write a file anew without some rows, if it has any of them; return how many went.

        `columns` are those that tell them. The new file is read back before it takes the old one's place. Its hash is 0
        from then on: nobody compares a final file with rows. At no time is more than a batch in memory.
        """
        with _made_plain(key):
            path = self._path(key)
            with self._fs.open_input_file(path) as stream, pq.ParquetFile(stream) as file:
                gone = sum(
                    pa.Table.from_batches([batch]).filter(rows).num_rows
                    for batch in file.iter_batches(_READ_AT_ONCE, columns=list(columns))
                )
                if gone:
                    self._write_again(path, file, without=rows)
        return int(gone)

    def _write_again(self, path: str, file: pq.ParquetFile, *, without: pc.Expression) -> None:
        temporary = f"{path}.{token_hex(4)}{_TEMPORARY}"
        shape = file.schema_arrow.remove_metadata()
        kept = Figures(0, (Decimal(0),) * len(shape), Decimal(0))
        try:
            with (
                self._fs.open_output_stream(temporary) as stream,
                pq.ParquetWriter(stream, shape, compression="zstd") as writer,
            ):
                for read in file.iter_batches(_READ_AT_ONCE):
                    for batch in pa.Table.from_batches([read]).filter(~without).to_batches():
                        writer.write_batch(batch)
                        kept = _plus(kept, batch, digest=0)
                writer.add_key_value_metadata({_DIGEST.decode(): "0"})
            if self._read(temporary) != kept:
                raise Unavailable(f"{path} does not read back as it was written.")
            self._settle(temporary, path)
        finally:
            with suppress(OSError):
                self._fs.delete_file(temporary)

    def keys(self, folder: str) -> list[str]:
        """Return the keys of all files in a folder and below it, also of those that were set aside."""
        with _made_plain(folder):
            selector = pafs.FileSelector(self._path(folder), allow_not_found=True, recursive=True)
            found = [
                info.path for info in self._fs.get_file_info(selector) if info.type == pafs.FileType.File
            ]
        return sorted(path[len(self._root) :].lstrip("/") for path in found)

    def figures(self, key: str) -> Figures | None:
        """Return the figures of what a file holds; None if there is none, or it can't be understood."""
        if self.size(key) is None:
            return None
        try:
            return self._read(self._path(key))
        except (OSError, pa.ArrowException, ArithmeticError, KeyError):
            return None

    def size(self, key: str) -> int | None:
        """Return a file's bytes, None if there is none."""
        with _made_plain(key):
            info = self._fs.get_file_info(self._path(key))
            return int(info.size) if info.type == pafs.FileType.File else None

    def set_aside(self, key: str) -> None:
        """Give a file another name, which does not end as those of the archive do; nothing if there is none."""
        if self.size(key) is not None:
            with _made_plain(key):
                self._fs.move(self._path(key), self._path(f"{key}.{token_hex(4)}.aside"))

    def sweep(self, folder: str) -> None:
        """Delete what somebody left half written in a folder."""
        with _made_plain(folder):
            selector = pafs.FileSelector(self._path(folder), allow_not_found=True)
            for info in self._fs.get_file_info(selector):
                if info.path.endswith(_TEMPORARY):
                    self._fs.delete_file(info.path)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _fill(self, path: str, shape: pa.Schema, batches: Iterable[Rows]) -> Figures:
        found = Figures(0, (Decimal(0),) * len(shape), Decimal(0))
        with (
            self._fs.open_output_stream(path) as stream,
            pq.ParquetWriter(stream, shape, compression="zstd") as writer,
        ):
            for rows in batches:
                *columns, hashes = zip(*rows, strict=True)
                batch = pa.record_batch([list(column) for column in columns], schema=shape)
                writer.write_batch(batch)
                found = _plus(found, batch, digest=sum(hashes))
            writer.add_key_value_metadata({_DIGEST.decode(): str(found.digest)})
        return found

    def _read(self, path: str) -> Figures:
        with self._fs.open_input_file(path) as stream, pq.ParquetFile(stream) as file:
            found = Figures(0, (Decimal(0),) * len(file.schema_arrow), Decimal(0))
            for batch in file.iter_batches(_READ_AT_ONCE):
                found = _plus(found, batch, digest=0)
            # Hashes are PostgreSQL's, so they are taken on trust; the sums are not.
            return Figures(found.rows, found.sums, Decimal((file.metadata.metadata or {})[_DIGEST].decode()))

    def _settle(self, temporary: str, path: str) -> None:
        """Name a whole file by its key, and see to it that it is there after a power failure too."""
        if not self._is_local:
            self._fs.move(temporary, path)
            return
        _sync(Path(temporary))
        Path(temporary).rename(path)
        for folder in (parent for parent in Path(path).parents if parent.is_relative_to(self._root)):
            _sync(folder)
        _sync(Path(self._root).parent)


def _s3(endpoint: str) -> pafs.FileSystem:
    """Return S3; credentials and region are found as everything of Amazon's finds them (AWS_ACCESS_KEY_ID …)."""
    return pafs.S3FileSystem(
        endpoint_override=endpoint or None,
        connect_timeout=_S3_CONNECT_S,
        request_timeout=_S3_REQUEST_S,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=_S3_ATTEMPTS),
    )


@contextmanager
def _made_plain(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise Unavailable(f"{what}: {str(error).splitlines()[0]}") from error


def _plus(found: Figures, batch: pa.RecordBatch, *, digest: int) -> Figures:
    with localcontext(prec=_EXACT_DIGITS):
        sums = tuple(one + _sum(column) for one, column in zip(found.sums, batch.columns, strict=True))
        return Figures(found.rows + batch.num_rows, sums, found.digest + digest)


def _sum(column: pa.Array) -> Decimal:
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    total: Decimal | None = pc.sum(column.cast(_SUMMED)).as_py()
    return total or Decimal(0)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
