"""The demo's players: 199 people in `players.json`, and the one whose page is `/demo`."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.demo import DEMO_PLAYER

_FILE: Final = Path(__file__).with_name("players.json")
_SEED: Final = 7


@dataclass(frozen=True, slots=True)
class DemoPlayer:
    """A player as the demo studio names them."""

    external_id: str
    display_name: str
    region: str


MARENOK: Final = DemoPlayer(DEMO_PLAYER, "marenok", "EU")


def others() -> list[DemoPlayer]:
    """Return everybody but the demo player, `np-0001` and on, always in the same order."""
    by_region: dict[str, list[str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    people = [(name, region) for region, names in by_region.items() for name in names]
    random.Random(_SEED).shuffle(people)  # noqa: S311 - the same on every machine, and no secret
    return [DemoPlayer(f"np-{n:04d}", name, region) for n, (name, region) in enumerate(people, start=1)]
