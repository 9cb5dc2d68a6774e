"""Players who look at games' pages in browsers of their own."""

from html import unescape
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import Game, Player, PlayerAccount, User
from achievements.models import AchievementCount, GamePlayers
from achievements.selectors import definitions
from core.ids import new_id
from social.models import Friendship
from tests import factories

BROWSER = {"Accept": "text/html"}


def anybody() -> Client:
    """Return a browser in which nobody is signed in."""
    return Client(headers=BROWSER)


def visitor(of: Game, name: str = "reader", **changes: Any) -> tuple[Client, Player]:
    """Return the browser of somebody who is signed in as a player of the game's studio, and the player."""
    made = factories.player(of.studio, name, **changes)
    user = User.objects.create_user(f"{name}-{of.pk}@player.example")
    PlayerAccount.objects.create(user=user, player=made, created_at=timezone.now())
    client = anybody()
    client.force_login(user)
    return client, made


def friends(one: Player, other: Player) -> None:
    """Let two players be friends."""
    for a, b in ((one, other), (other, one)):
        Friendship.objects.create(player_id=a.pk, friend_id=b.pk, since=timezone.now())


def unlock(of: Game, player: str, *keys: str, at: str | None = None) -> None:
    """Unlock achievements by the API."""
    if not keys:
        return
    definitions.forget_catalogues()  # they are made behind the version's back
    when = {"unlocked_at": at} if at else {}
    events = [{"event_id": str(new_id()), "player": player, "achievement": key, **when} for key in keys]
    api = factories.api(factories.server_key(of.studio))
    answer = api.post("/achievements/unlock/batch", {"game_id": str(of.uuid), "unlocks": events})
    assert answer.json()["unlocked"] == len(keys), answer.content


def held_by(of: Game, *, players: int, **counts: int) -> None:
    """Let so many of so many players have each achievement, as far as counters know."""
    GamePlayers.objects.update_or_create(game=of, defaults={"players": players})
    for one in definitions.uncached_catalogue(of.pk).by_key.values():
        if one.key in counts:
            AchievementCount.objects.update_or_create(
                achievement_id=one.id, defaults={"unlocked": counts[one.key]}
            )


def page(client: Client, path: str, status: int = 200) -> str:
    """Return a page's markup."""
    definitions.forget_catalogues()
    answer = client.get(path)
    assert answer.status_code == status, answer.content[:500]
    return str(answer.content.decode())


def order(markup: str, *texts: str) -> bool:
    """Say whether texts follow each other on a page. Raises AssertionError with the one that does not."""
    text, place = " ".join(unescape(markup).split()), 0
    for one in texts:
        found = text.find(one, place)
        if found < 0:
            raise AssertionError(f"{one!r} does not follow in {text[place:][:3000]}")
        place = found + len(one)
    return True
