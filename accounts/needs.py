"""What needs somebody of a studio: each room says it of its own things, and the portal's home asks them all.

Home lies downstream of some rooms and beside others, so it knows them by a setting only: `PORTAL_NEEDS` names functions
of `(visit, at)` that return Needs, each in a fixed number of queries, and nothing for who may not act on them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.doorway import Visit


class Severity(IntEnum):
    """How much it hurts to wait."""

    BAD = 0
    WARN = 1
    INFO = 2


@dataclass(frozen=True, slots=True)
class Need:
    """Something that somebody has to see to.

    Attributes:
        icon: a symbol of `static/icons.svg`.
        title: what it is.
        text: what it means.
        link, url: what to do, and where.

    """

    severity: Severity
    icon: str
    title: str
    text: str
    link: str
    url: str

    @property
    def kind(self) -> str:
        """The severity as classes name it."""
        return self.severity.name.lower()


def needs(visit: Visit, *, at: datetime) -> list[Need]:
    """Return what needs the visitor, the worst first; equals in the order of the rooms."""
    found = [need for asker in _askers() for need in asker(visit, at)]
    return sorted(found, key=lambda need: need.severity)


def _askers() -> list[Callable[[Visit, datetime], list[Need]]]:
    return [import_string(path) for path in settings.PORTAL_NEEDS]
