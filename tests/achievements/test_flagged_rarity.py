"""Many players who exist for one unlock change how rare nothing is: what is kept apart counts for nobody."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import PlayerIdentity
from achievements.models import Achievement, FlaggedUnlock, Unlock
from achievements.selectors import definitions
from core import followers
from tests import factories
from tests.accounts.visitors import member
from tests.achievements.test_unlock_api import BATCH
from tests.stats.world import World

pytestmark = pytest.mark.django_db(transaction=True)
HONEST, FRESH = 25, 200


@pytest.fixture
def world(transactional_db: None) -> World:
    return World.create()


def unlock_all(world: World, key: str, players: list[str]) -> Any:
    items = [{"player": player, "achievement": key} for player in players]
    answer = world.api().post(BATCH, {"game_id": str(world.game.uuid), "unlocks": items})
    assert answer.status_code == 202, answer.json()
    return answer.json()


def rarity(world: World, key: str) -> tuple[int, int]:
    """Return how many have it, and of how many, once the listener has heard everything."""
    followers.drain("achievements")
    pk = Achievement.objects.get(game=world.game, key=key).pk
    found = definitions.rarities([pk])[pk]
    return found.unlocked, found.players


def test_fresh_players_who_all_unlock_a_rare_achievement_make_it_no_more_common(world: World) -> None:
    for key in ("common", "rare"):
        factories.achievement(world.game, key, points=10)
    honest = [f"honest-{number}" for number in range(HONEST)]
    for player in honest:
        factories.player(world.studio, player)
    PlayerIdentity.objects.update(created_at=timezone.now() - timedelta(hours=2))
    path = f"/games/{world.game.uuid}/plausibility"
    assert world.api().put(path, {"earliest_seconds": 600}).status_code == 200
    unlock_all(world, "common", honest)
    told = unlock_all(world, "rare", honest[:2])["results"]
    assert (rarity(world, "common"), rarity(world, "rare")) == ((HONEST, HONEST), (2, HONEST))
    farm = unlock_all(world, "rare", [f"fresh-{number}" for number in range(FRESH)])
    assert farm["unlocked"] == FRESH
    assert {frozenset(one) for one in farm["results"]} == {frozenset(one) for one in told}
    assert {one["status"] for one in farm["results"]} == {"unlocked"}
    again = unlock_all(world, "rare", ["fresh-0"])
    assert (again["unlocked"], again["already_unlocked"]) == (0, 1)
    assert (rarity(world, "common"), rarity(world, "rare")) == ((HONEST, HONEST), (2, HONEST))
    shown = world.api().get(f"/games/{world.game.uuid}/achievements/rare").json()["rarity"]
    assert (shown["unlocked"], shown["players"], shown["unlocked_percent"]) == (2, HONEST, 8.0)
    assert FlaggedUnlock.objects.filter(state="open", rules=["earliest"]).count() == FRESH
    support = member(world.studio, "support")
    assert "99+" in support.get("portal-home", world.studio.uuid).content.decode()
    row = FlaggedUnlock.objects.order_by("?")[0]
    chosen = [f"unlock:{row.uuid}"]
    answer = support.post("decide-reviewed", world.studio.uuid, act="approve", chosen=chosen, reason="Known")
    assert answer.status_code == 302
    assert (rarity(world, "common"), rarity(world, "rare")) == ((HONEST, HONEST + 1), (3, HONEST + 1))
    assert Unlock.objects.filter(player_id=row.player_id).count() == 1
