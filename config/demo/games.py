"""The two demo games: where their definitions stand, and how many of their players reach each achievement."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

_FOLDER: Final = Path(__file__).parent
REGIONS: Final = ("AF", "AS", "EU", "ME", "NA", "OC", "SA")


@dataclass(frozen=True)
class DemoGame:
    """A game of the demo studio.

    Attributes:
        uuid: fixed, so that a later run finds the game under whatever title. A game's cover is drawn from it
            (core/artwork.py): Emberwake's has a lighthouse, Hollow Orchard's trees.
        file: a Laurel import document beside this module.
        age_days: how long before the demo's beginning it came out.
        played_by: the share of the demo's players who play it.
        reached_by: key → the share of its players who have the achievement, 0 to 1.

    """

    uuid: UUID
    title: str
    file: str
    age_days: int
    played_by: float
    reached_by: Mapping[str, float]

    def document(self) -> bytes:
        """Return the import document."""
        return (_FOLDER / self.file).read_bytes()

    def part(self, name: str) -> bytes:
        """Return one part of it as a document of its own."""
        return json.dumps({name: json.loads(self.document())[name]}).encode()


EMBERWAKE: Final = DemoGame(
    uuid=UUID("0198f2c4-6f1e-7000-8000-64656d6f0008"),
    title="Emberwake",
    file="emberwake.json",
    age_days=120,
    played_by=1.0,
    reached_by={
        "first-spark": 0.93,
        "cast-off": 0.88,
        "salt-in-the-bread": 0.66,
        "polite-company": 0.58,
        "bellwether": 0.53,
        "storm-debt": 0.45,
        "cartographers-itch": 0.38,
        "a-word-with-the-gulls": 0.33,
        "borrowed-hours": 0.28,
        "a-letter-goes-out": 0.24,
        "harbour-royalty": 0.22,
        "featherfall": 0.175,
        "no-stars-needed": 0.155,
        "a-quiet-oar": 0.135,
        "the-glassblowers-thumb": 0.12,
        "nobody-left-below": 0.11,
        "what-the-tide-owes": 0.08,
        "the-widows-answer": 0.07,
        "the-drowned-choir": 0.04,
        "the-ninth-wave": 0.035,
        "keeper-of-the-reach": 0.03,
        "embers-keep": 0.02,
        "ash-wednesday": 0.01,
        "a-crown-of-salt": 0.005,
    },
)
HOLLOW_ORCHARD: Final = DemoGame(
    uuid=UUID("0198f2c4-6f1e-7000-8000-64656d6f0003"),
    title="Hollow Orchard",
    file="hollow-orchard.json",
    age_days=84,
    played_by=0.78,
    reached_by={
        "windfall": 0.91,
        "the-first-graft": 0.78,
        "wasps-at-the-table": 0.61,
        "gate-left-open": 0.55,
        "the-scarecrows-coat": 0.47,
        "a-cup-for-the-roots": 0.42,
        "under-the-bark": 0.34,
        "moth-work": 0.3,
        "eleven-rungs": 0.25,
        "honey-in-the-wall": 0.18,
        "hard-frost": 0.12,
        "the-fox-pays": 0.09,
        "nothing-wasted": 0.045,
        "what-the-well-kept": 0.03,
        "seven-winters": 0.02,
        "an-orchard-for-somebody-else": 0.007,
    },
)
GAMES: Final = (EMBERWAKE, HOLLOW_ORCHARD)
