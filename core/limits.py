"""What a studio may have and send: rooms tell their own limits, by the names in a setting (STUDIO_LIMITS)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

NEAR: Final = 0.9


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that is enforced, in words.

    Attributes:
        used: how much of it is used; None for one that holds for each call.
        unit: of `most`; empty for a number of things.
        about: of what it is the fullest, where there are many, such as a game's title.

    """

    name: str
    most: int
    used: int | None = None
    unit: str = ""
    about: str = ""

    @property
    def is_near(self) -> bool:
        """Say whether nine tenths of it are used."""
        return self.used is not None and self.used >= NEAR * self.most


def of_studio(studio_id: int) -> list[Limit]:
    """Return the limits of a studio, room by room."""
    tellers: list[Callable[[int], list[Limit]]] = [import_string(path) for path in settings.STUDIO_LIMITS]
    return [limit for tell in tellers for limit in tell(studio_id)]
