"""People who are signed in on the player site."""

from typing import Any

from django.test import Client
from django.utils import timezone

from accounts import player_accounts
from accounts.models import Player, PlayerIdentity, User
from tests import factories
from tests.accounts.visitors import Visitor


class Somebody(Visitor):
    """Somebody with an account, who is a player by it."""

    @property
    def player(self) -> Player:
        """The player that he is now."""
        return Player.objects.get(pk=player_accounts.player_of(self.user, at=timezone.now()).id)

    def send(self, part: str, follow: bool = False, /, **fields: Any) -> Any:
        """Send a form of the settings."""
        path = f"/me/settings/{part}" if part else "/me/settings"
        return self.client.post(path, fields, follow=follow)

    def page(self) -> str:
        """Return the settings as they are shown."""
        return self.client.get("/me/settings").content.decode()


def somebody(email: str = "anna@players.example") -> Somebody:
    """Return somebody who is signed in."""
    made = Somebody(User.objects.filter(email=email).first() or User.objects.create_user(email))
    made.player  # noqa: B018 - whoever signs in is a player
    return made


def code_for(studio: Any, external_id: str) -> str:
    """Return a link code that a game shows to its player."""
    factories.player(studio, external_id)
    answer = factories.api(factories.server_key(studio)).post(f"/players/{external_id}/link-code", {})
    code: str = answer.json()["code"]
    return code


def names(player: Player) -> list[str]:
    """Return the ids that name a player."""
    return list(
        PlayerIdentity.objects.filter(player=player).order_by("id").values_list("external_id", flat=True)
    )


def nobody() -> Client:
    """Return the browser of somebody who is not signed in."""
    return Client(headers={"Accept": "text/html"})
