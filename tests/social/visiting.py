"""People who look at the player site's pages, signed in as players."""

from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import player_accounts
from accounts.models import Player, PlayerAccount, User
from tests.accounts.visitors import BROWSER


class Guest:
    """Somebody with a browser: signed in as a player, or (None) nobody in particular."""

    def __init__(self, player: Player | None, *, strict: bool = False) -> None:
        """Open a browser; a strict one checks forms' tokens."""
        self.client = Client(enforce_csrf_checks=strict, headers=BROWSER)
        if player is not None:
            user = User.objects.create_user(f"{player.uuid}@players.example")
            PlayerAccount.objects.create(user=user, player=player, created_at=timezone.now())
            assert player_accounts.player_of(user, at=timezone.now()).id == player.pk
            self.client.force_login(user)

    def get(self, name: str, /, *arguments: object, **query: object) -> Any:
        """Look at a page by its name."""
        return self.client.get(
            reverse(name, args=arguments), {key: str(value) for key, value in query.items()}
        )

    def do(self, deed: str, other: Player, **fields: object) -> Any:
        """Press a button that is about another player."""
        return self.client.post(reverse("friend-act", args=[other.uuid]), {"do": deed, **fields})


def text(answer: Any, status: int = 200) -> str:
    """Return a page."""
    assert answer.status_code == status, answer.content[:500]
    return str(answer.content.decode())
