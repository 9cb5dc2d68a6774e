"""What is looked at, and what is found in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

STORES: Final = {"xbox": "Xbox", "google-play": "Google Play", "steam": "Steam", "epic": "Epic Games Store"}
# A store refuses it or nobody can get it; a guideline or a reader is against it; worth a look.
SEVERITIES: Final = ("error", "warning", "hint")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An achievement as it is looked at: none that is archived, but those are told of as `gone`.

    Attributes:
        translations: name and description by language; an empty text is not translated.
        icon: its address, empty for none.
        poor_on: the theme on which the icon can hardly be told from the page, empty for none or where it is unknown.
        unlocked_percent: of those who have played; None under 20 players.

    """

    key: str
    name: str
    description: str = ""
    points: int = 0
    type: str = "standard"
    target: int | None = None
    state: str = "published"
    hidden: bool = False
    group: str = "base"
    requires: tuple[str, ...] = ()
    requires_count: int | None = None
    available_from: datetime | None = None
    available_until: datetime | None = None
    translations: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    icon: str = ""
    poor_on: str = ""
    unlocked_percent: float | None = None

    @property
    def texts(self) -> dict[str, tuple[str, str]]:
        """Name and description by language, the game's own under an empty one."""
        return {"": (self.name, self.description), **self.translations}

    def is_over(self, at: datetime) -> bool:
        """Say whether its window has ended."""
        return self.available_until is not None and self.available_until <= at


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to see to.

    Attributes:
        rule: its name, as the API tells it.
        severity: one of SEVERITIES.
        text: a sentence of what and one of what to do, with places for `values`; so it can be translated.
        values: what stands in the places.
        keys: the achievements that it is about, in their order; none where it is about the game.
        stores: the stores that ask for it; none where it holds anywhere.

    """

    rule: str
    severity: str
    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()

    @property
    def detail(self) -> str:
        """The sentences."""
        return self.text % self.values


def gettext_noop(text: str) -> str:
    """Mark a text for whoever collects what is to be translated, as Django's function of that name does."""
    return text
