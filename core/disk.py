"""How full PostgreSQL's volume is, and when nothing is to be written any more (ADR 0081).

Known where the volume is one of this machine (POSTGRESQL_FOLDER); elsewhere nobody looks, and nothing is refused.
"""

import shutil
from typing import Final

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

_GIB: Final = 2**30
_OPENS_BELOW: Final = 0.99  # of both bounds, so that it does not open and close with each file


def used_ratio() -> float | None:
    """Return how full the volume is, from 0 to 1; None where it is not to be seen."""
    found = _look()
    return None if found is None else found[0]


def _look() -> tuple[float, int] | None:
    """Return how full it is, and how many bytes are left."""
    try:
        usage = shutil.disk_usage(settings.POSTGRESQL_FOLDER)
    except OSError:
        return None
    # What only root may fill is no room.
    return usage.used / max(1, usage.used + usage.free), usage.free


class Storage:
    """Whether there is room to write, as of the last look."""

    def __init__(self) -> None:
        """Believe that there is."""
        self.is_full = False

    def look(self) -> None:
        """Look, which takes microseconds."""
        found = _look()
        if found is None:
            self.is_full = False
            return
        ratio, left = found
        ease = _OPENS_BELOW if self.is_full else 1.0
        was_full = self.is_full
        self.is_full = (
            ratio >= settings.STORAGE_FULL_RATIO * ease and left * ease < settings.STORAGE_FULL_GIB * _GIB
        )
        if self.is_full is not was_full:
            log.warning("storage full" if self.is_full else "storage has room again", ratio=round(ratio, 3))


storage = Storage()


def shown(_request: object) -> dict[str, bool]:
    """Tell templates whether nothing can be written."""
    return {"is_read_only": storage.is_full}
