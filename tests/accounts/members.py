"""People of a studio in their browsers: each with a role, an outsider, and somebody who is not signed in."""

from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts.models import Game, Member, Studio, User
from core.models import AuditEntry
from tests import factories

_BROWSER = {"Accept": "text/html"}


@dataclass
class House:
    """A studio with a game, and browsers by role; `outsider` owns another studio."""

    studio: Studio = field(default_factory=factories.studio)
    elsewhere: Studio = field(default_factory=lambda: factories.studio("Tidewright"))
    game: Game = field(init=False)
    clients: dict[str, Client] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the game."""
        self.game = factories.game(self.studio, title="Emberwake")

    def client(self, role: str) -> Client:
        """Return the browser of a member, the outsider, or nobody (`signed out`)."""
        if role not in self.clients:
            self.clients[role] = Client(headers=_BROWSER)
            if role != "signed out":
                email = f"{role}@example.com"
                user = User.objects.create_user(email)
                at = self.elsewhere if role == "outsider" else self.studio
                Member.objects.create(studio=at, user=user, role="owner" if role == "outsider" else role)
                self.clients[role].force_login(user)
        return self.clients[role]

    def path(self, rest: str = "") -> str:
        """Return an address below the studio's."""
        return f"/portal/{self.studio.uuid}/{rest}"

    def game_path(self, rest: str) -> str:
        """Return an address below the game's."""
        return self.path(f"games/{self.game.uuid}/{rest}")

    def get(self, rest: str, *, by: str = "owner") -> Any:
        """Look at a page."""
        return self.client(by).get(self.path(rest))

    def post(self, rest: str, form: dict[str, Any] | None = None, *, by: str = "owner") -> Any:
        """Send a form."""
        return self.client(by).post(self.path(rest), form or {})

    def statuses(self, method: str, rest: str, form: dict[str, Any] | None = None) -> dict[str, int]:
        """Return what each of them is answered: owner, admin, …, the outsider, who is signed out."""
        people = ("owner", "admin", "developer", "support", "analyst", "outsider", "signed out")
        return {
            who: getattr(self.client(who), method)(self.path(rest), form or {}).status_code for who in people
        }


def audited(studio: Studio) -> list[tuple[str, str]]:
    """Return who did what in a studio, oldest first."""
    rows = AuditEntry.objects.filter(studio_id=studio.pk).order_by("id")
    return list(rows.values_list("action", "actor"))


def hidden_value(answer: Any, name: str) -> str:
    """Return what a page's form carries under a name."""
    value: str = answer.context["form"][name].value()
    return value
