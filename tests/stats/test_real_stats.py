"""The stats of real players: loaded through the API, and read back equal."""

import csv
import gzip
from collections import defaultdict
from uuid import NAMESPACE_URL, uuid5

import pytest

from accounts.models import Game
from tests import factories
from tests.achievements import samples
from tests.stats.world import World

DATA = samples.REAL_DATA

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=samples.NO_REAL_DATA)


def read() -> dict[str, dict[str, dict[str, int]]]:
    """Return game → player → stat → value."""
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    with gzip.open(DATA / "stats.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            found[row["game"]][row["player"]][row["stat"]] = int(row["value"])
    return found


def declare(world: World, name: str, keys: set[str]) -> Game:
    game = factories.game(world.studio, title=name)
    for key in sorted(keys):
        declared = {"key": key, "name": key, "increment_only": True}
        assert world.api().post(f"/games/{game.uuid}/stats", declared).status_code == 201
    return game


@pytest.mark.slow
def test_every_value_reads_back_as_it_was_reported_however_often(world: World) -> None:
    found = read()
    assert sum(len(stats) for players in found.values() for stats in players.values()) == 2511
    for name, players in found.items():
        game = declare(world, name, {key for stats in players.values() for key in stats})
        sent = [
            {
                "player": player,
                "stats": {key: {"add": value} for key, value in stats.items()},
                "event_id": str(uuid5(NAMESPACE_URL, f"{name} {player}")),
            }
            for player, stats in players.items()
        ]
        for status in ("reported", "already_reported"):
            answer = world.api().post("/stats/report/batch", {"game_id": str(game.uuid), "reports": sent})
            assert answer.json()[status] == len(sent), answer.content
        for player, stats in players.items():
            answer = world.api().get(f"/players/{player}/stats?game_id={game.uuid}")
            assert answer.json() == stats
