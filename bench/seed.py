"""Fill an empty database with what is measured on: `python -m bench.seed PLAYERS` prints it as JSON.

A process of its own: the load generator stays small, and Django's settings are read from the right environment.
"""

import sys
from collections.abc import Iterable
from dataclasses import asdict

import django
import orjson

django.setup()

from django.utils import timezone  # noqa: E402

from accounts import selectors, services  # noqa: E402
from accounts.models import Game  # noqa: E402
from achievements.models import Achievement, Catalogue  # noqa: E402
from bench.world import (  # noqa: E402
    ACHIEVEMENTS,
    LARGE,
    REGIONS,
    SMALL,
    STAT,
    WATCHERS,
    World,
    achievement,
    player,
    watcher,
)
from core import facts  # noqa: E402
from leaderboards.models import Leaderboard  # noqa: E402
from stats.models import Stat  # noqa: E402

STUDIO = "Bench"
_PLAYERS_AT_ONCE = 5000
_POINTS = (5, 10, 10, 15, 20, 25, 50, 100)


def fill(players: int) -> World:
    """Create a studio, a game with its players, a second game for the large board, and a key with every scope."""
    studio = services.create_studio(name=STUDIO)
    game = add_game(studio.pk, "Bench", achievements=ACHIEVEMENTS)
    board = add_game(studio.pk, "Bench, the large board", achievements=1, regions=REGIONS)
    for key in (LARGE, SMALL):
        Leaderboard.objects.create(studio_id=studio.pk, game=board, key=key, name=key)
    Stat.objects.create(studio_id=studio.pk, game=game, key=STAT, name=STAT)
    names = [player(number) for number in range(players)]
    for start in range(0, players, _PLAYERS_AT_ONCE):
        services.create_players(studio_id=studio.pk, external_ids=names[start : start + _PLAYERS_AT_ONCE])
    services.create_players(studio_id=studio.pk, external_ids=map(watcher, range(WATCHERS)))
    return World(
        key=services.issue_key(studio_id=studio.pk, name="bench")[1],
        studio=studio.pk,
        game=str(game.uuid),
        game_number=game.pk,
        board=str(board.uuid),
        board_number=board.pk,
        players=players,
        tokens=[_token(studio.pk, watcher(number), game) for number in range(WATCHERS)],
        followers=sorted(facts.subscriptions()),
        patient_followers=sorted(one.name for one in facts.subscriptions().values() if one.queue == "bulk"),
    )


def add_game(studio_id: int, title: str, *, achievements: int, regions: Iterable[str] = ()) -> Game:
    """Create a game with achievements."""
    game = services.create_game(studio_id=studio_id, title=title, regions=regions)
    Catalogue.objects.get_or_create(game=game)
    Achievement.objects.bulk_create(
        Achievement(
            studio_id=studio_id,
            game=game,
            key=achievement(number),
            name=f"Achievement {number}",
            description="Do what has to be done, once more and better than before.",
            points=_POINTS[number % len(_POINTS)],
        )
        for number in range(achievements)
    )
    return game


def _token(studio_id: int, name: str, game: Game) -> str:
    info = selectors.player_of_studio(studio_id, name)
    assert info is not None  # just created
    return services.issue_player_token(player=info.uuid, game=game.uuid, at=timezone.now())[0]


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(asdict(fill(int(sys.argv[1])))))
