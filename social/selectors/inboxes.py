"""Whose inbox is read or changed, and which part of it."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from social.models import Notification


@dataclass(frozen=True, slots=True)
class Inbox:
    """A player's inbox: to himself all of it, to a studio what its own games told him (ADR 0030).

    What is of no game, as requests of friends, is in every part.

    Attributes:
        studio_id: whose games' it is; None: of all.
        game_id: the only game's, for a key of one game; None: of all.

    """

    player_id: int
    studio_id: int | None = None
    game_id: int | None = None

    def __str__(self) -> str:
        restricted = {"studio": self.studio_id, "game": self.game_id}
        return " ".join([str(self.player_id), *(f"{name} {of}" for name, of in restricted.items() if of)])

    @property
    def rows(self) -> QuerySet[Notification]:
        """Its notifications, with those that were deleted."""
        rows = Notification.objects.filter(player_id=self.player_id)
        if self.studio_id is not None:
            rows = rows.filter(Q(studio_id=self.studio_id) | Q(studio_id=None))
        if self.game_id is not None:
            rows = rows.filter(Q(game_id=self.game_id) | Q(game_id=None))
        return rows
