"""The portal's pages by name: what somebody may go to in a studio, as the rail leads there."""

from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts.doorway import Visit
from accounts.roles import Act


@dataclass(frozen=True, slots=True)
class Place:
    """A page.

    Attributes:
        address: the name of its address.
        icon: a symbol of `static/icons.svg`.
        needs: what one must be allowed.
        of_game: whether it is a page of the game at hand.
        query: what follows the address; `{game}` is the game at hand.

    """

    label: Promise
    address: str
    icon: str
    needs: Act = Act.SEE_ANALYTICS
    of_game: bool = False
    query: str = ""

    def url(self, visit: Visit) -> str:
        """Return where it is."""
        args = [visit.studio.studio_uuid]
        if self.of_game and visit.game:
            args.append(visit.game.uuid)
        query = self.query.format(game=visit.game.uuid) if self.query and visit.game else ""
        return reverse(self.address, args=args) + query

    def fits(self, text: str) -> bool:
        """Say whether its name has a text in it, in the reader's language or in English."""
        with override("en"):
            english = str(self.label)
        return any(text.casefold() in name.casefold() for name in (str(self.label), english))


PLACES: Final = (
    Place(_("Home"), "portal-home", "home"),
    Place(_("Inbox"), "portal-inbox", "bell"),
    Place(_("Review queue"), "review-queue", "hourglass", Act.CARE_FOR_PLAYERS),
    Place(_("Player reports"), "portal-reports", "message-circle", Act.SEE_PLAYERS),
    Place(_("Analytics"), "portal-analytics", "chart-line", of_game=True),
    Place(_("Achievements"), "portal-achievements", "trophy", of_game=True),
    Place(_("Stats"), "portal-stats", "ripple", of_game=True),
    Place(_("Leaderboards"), "portal-leaderboards", "list-details", of_game=True),
    Place(_("Players"), "players", "users", Act.SEE_PLAYERS, query="?game={game}"),
    Place(_("Game settings"), "game-settings", "settings", Act.WRITE_DEFINITIONS, of_game=True),
    Place(_("New achievement"), "new-achievement", "plus", Act.WRITE_DEFINITIONS, of_game=True),
    Place(_("New game"), "new-game", "plus", Act.MANAGE_STUDIO),
    Place(_("API keys"), "keys", "key", Act.MANAGE_KEYS),
    Place(_("Webhooks"), "portal-webhooks", "webhook", Act.MANAGE_KEYS),
    Place(_("Request log"), "portal-requests", "code", Act.MANAGE_KEYS),
    Place(_("Audit log"), "portal-audit", "history", Act.READ_AUDIT),
    Place(_("Exports"), "portal-exports", "download"),
    Place(_("Members"), "members", "users"),
    Place(_("Usage and limits"), "portal-usage", "gauge"),
    Place(_("Studio settings"), "studio-settings", "settings"),
)


def places(visit: Visit) -> list[Place]:
    """Return the pages that the visitor may go to, in the rail's order."""
    return [one for one in PLACES if visit.may(one.needs) and (visit.game or not one.of_game)]
