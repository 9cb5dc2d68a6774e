"""Who tests a game."""

from accounts import people
from accounts.games import MOST_TESTERS
from accounts.models import Tester
from accounts.selectors import GameInfo, PlayerInfo


def of(game: GameInfo) -> list[PlayerInfo]:
    """Return who tests a game, as its studio names them, by those names."""
    ids = Tester.objects.filter(game_id=game.id).values_list("player_id", flat=True)[:MOST_TESTERS]
    found = people.people(list(ids), studio_id=game.studio_id).values()
    return sorted((one for one in found if not one.erased), key=lambda one: (one.external_id or "", one.id))
