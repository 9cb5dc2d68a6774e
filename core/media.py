"""Where uploaded pictures lie: a folder, or S3-compatible storage, behind Django's storage API; others' files as well.

What is stored here is named by its content and never changed, so a name that is there is whole and is kept.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.deconstruct import deconstructible

from core.artwork import MEDIA
from core.refusals import Unavailable

log = structlog.get_logger(__name__)
_S3: Final = "s3://"
_AWAY: Final = "The store of pictures does not answer. Nothing was changed: send the same file again."


@deconstructible(path="core.media.Folder")
class Folder(FileSystemStorage):
    """A folder, where a file has its name only once it is whole and would survive a power failure."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name itself: who has it has the same content."""
        return name

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the names of folders and of files in a folder; none if it is not there."""
        return super().listdir(path) if self.exists(path) else ([], [])

    def _save(self, name: str, content: "File[bytes]") -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{token_hex(8)}.half")
        try:
            with half.open("wb") as opened:
                for chunk in content.chunks():
                    opened.write(chunk)
                opened.flush()
                os.fsync(opened.fileno())
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)
        return name


@deconstructible(path="core.media.Bucket")
class Bucket(Storage):
    """A bucket's prefix, by the client that the archive uses (ADR 0026) and with the same credentials."""

    def __init__(self, url: str, *, endpoint: str = "", content_type: str = "image/webp") -> None:
        self._root = url.removeprefix(_S3).rstrip("/")
        self._endpoint = endpoint
        self._content_type = content_type

    @property
    def _fs(self) -> Any:
        from pyarrow import fs  # noqa: PLC0415 - tens of megabytes, which only those with a bucket need

        return fs.S3FileSystem(
            endpoint_override=self._endpoint or None,
            connect_timeout=2,
            request_timeout=10,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=2),
        )

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name itself: who has it has the same content."""
        return name

    def exists(self, name: str) -> bool:
        """Say whether there is such a file."""
        return bool(self._fs.get_file_info(self._path(name)).is_file)

    def delete(self, name: str) -> None:
        """Delete a file, if there is one."""
        with suppress(FileNotFoundError):
            self._fs.delete_file(self._path(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the names of folders and of files in a folder; none if it is not there."""
        from pyarrow import fs  # noqa: PLC0415 - as above

        selector = fs.FileSelector(self._path(path).rstrip("/"), allow_not_found=True)
        listed = self._fs.get_file_info(selector)
        return [one.base_name for one in listed if not one.is_file], [
            one.base_name for one in listed if one.is_file
        ]

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        with self._fs.open_input_file(self._path(name)) as stream:
            return ContentFile(stream.readall(), name=name)

    def _save(self, name: str, content: "File[bytes]") -> str:
        body = io.BytesIO(content.read())
        with self._fs.open_output_stream(
            self._path(name), metadata={"Content-Type": self._content_type}
        ) as stream:
            stream.write(body.getbuffer())
        return name


def put(name: str, body: bytes) -> None:
    """Store a file under the name of its content, unless it is there. Raises Unavailable."""
    with _made_plain():
        if not storages["media"].exists(name):
            storages["media"].save(name, ContentFile(body))


def get(name: str) -> bytes | None:
    """Return a file, None if there is none. Raises Unavailable."""
    with _made_plain():
        try:
            with storages["media"].open(name) as opened:
                return bytes(opened.read())
        except FileNotFoundError:
            return None


def remove(name: str) -> None:
    """Remove a file, if there is one. Raises Unavailable."""
    with _made_plain():
        storages["media"].delete(name)


def absolute(url: str) -> str:
    """Return the address that everybody can use of one that may be our own."""
    return f"{settings.PUBLIC_URL}{url}" if url.startswith(MEDIA) else url


def relative(url: str) -> str:
    """Return our own address without our name, so that it stays true when that changes; others as they are."""
    return url.removeprefix(settings.PUBLIC_URL) if url.startswith(f"{settings.PUBLIC_URL}{MEDIA}") else url


@contextmanager
def _made_plain() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.warning("media store unavailable", error=str(error).split("\n")[0])
        raise Unavailable(_AWAY) from error
