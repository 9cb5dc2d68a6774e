"""What can be exported: rooms describe their exports, and config lists them (EXPORTS)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file.

    Attributes:
        data: what is added to it; some hundred kilobytes at most.
        rows: how many rows these are.
        after: where the next piece begins, as JSON values.
        percent: how much of the whole is made, 0 to 100.
        is_end: nothing comes after it.

    """

    data: bytes
    rows: int
    after: Any
    percent: int
    is_end: bool


@dataclass(frozen=True, slots=True)
class Export:
    """A kind of file.

    `read(studio_id, about, after)` returns the piece that begins at `after`, None for the first one. It opens no
    transaction, takes a second at most, writes nothing, and may be asked for the same piece twice. It raises a Refused
    if the file can't be made any more; whatever else it raises is tried again.
    """

    kind: str
    label: Promise | str
    explanation: Promise | str
    suffix: str
    content_type: str
    read: Callable[[int, Mapping[str, Any], Any], Chunk]


@cache
def exports() -> dict[str, Export]:
    """Return every export by its kind, in the order of config/exports.py."""
    listed: Iterable[Export] = import_string(settings.EXPORTS)
    return {export.kind: export for export in listed}
