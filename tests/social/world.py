"""A studio, its game and its players, as tests speak of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from django.conf import settings
from django.utils import timezone

from accounts import services as accounts
from accounts.selectors import GameInfo, PlayerInfo, game, player_of_studio
from achievements.models import Achievement, Catalogue
from achievements.services import unlocks
from achievements.services.unlocks import UnlockRequest
from core import followers
from core.facts import head
from core.models import Follower
from social import announcing
from social.models import Notification

ACHIEVEMENTS = 60


@dataclass(frozen=True)
class World:
    """One game; its follower has read the log so far."""

    game: GameInfo

    @classmethod
    def create(cls, title: str = "The Long Way Home") -> "World":
        """Make another studio with a game; this process keeps nothing from before."""
        announcing.forget()
        studio = accounts.create_studio(name="A studio")
        row = accounts.create_game(studio_id=studio.pk, title=title)
        Catalogue.objects.get_or_create(game=row)
        Achievement.objects.bulk_create(
            Achievement(
                studio_id=studio.pk,
                game=row,
                key=f"a{n}",
                name=f"Achievement {n}",
                description="Do it.",
                points=n,
            )
            for n in range(ACHIEVEMENTS)
        )
        made = game(row.uuid)
        assert made is not None
        followers.ensure_rows()
        tx, fact_id = head()
        Follower.objects.filter(name="social").update(tx=tx, fact_id=fact_id)
        return cls(made)

    def player(self, name: str) -> PlayerInfo:
        """Return a player, made if need be."""
        accounts.create_players(studio_id=self.game.studio_id, external_ids=[name])
        made = player_of_studio(self.game.studio_id, name)
        assert made is not None
        return made

    def token(self, name: str, *, lasts: timedelta | None = None) -> str:
        """Return a player's token, of the usual hour or of another time."""
        player, now = self.player(name), timezone.now()
        if lasts is None:
            return accounts.issue_player_token(player=player.uuid, game=self.game.uuid, at=now)[0]
        return signed(
            player=player, game=self.game, issued_at=now + min(lasts, timedelta()), ends_at=now + lasts
        )

    def unlock(self, name: str, *keys: str) -> None:
        """Unlock in one batch, and let the follower tell."""
        self.unlock_silently(name, *keys)
        self.tell()

    def unlock_silently(self, name: str, *keys: str) -> None:
        """Unlock in one batch; the follower has not read of it yet."""
        wanted = [UnlockRequest(name, key) for key in keys]
        unlocks.unlock_many(game=self.game, requests=wanted, by=unlocks.SERVER, at=timezone.now())

    def add_achievements(self, count: int, *, description: str = "Do it.") -> list[str]:
        """Add achievements before anything is unlocked; return their keys."""
        keys = [f"b{n}" for n in range(count)]
        Achievement.objects.bulk_create(
            Achievement(
                studio_id=self.game.studio_id,
                game_id=self.game.id,
                key=key,
                name=key,
                description=description,
            )
            for key in keys
        )
        return keys

    def tell(self) -> None:
        """Let the follower read what is in the log."""
        followers.drain("social")

    def replay(self) -> None:
        """Let the follower read the log again from its beginning."""
        followers.rewind("social", fact_id=0)
        self.tell()

    def inbox(self, name: str) -> list[Notification]:
        """Return a player's notifications, oldest first."""
        return list(Notification.objects.filter(player_id=self.player(name).id).order_by("seq"))

    def ids(self, name: str) -> list[str]:
        """Return the events' ids of a player's inbox, oldest first."""
        return [str(row.uuid) for row in self.inbox(name)]


def signed(*, player: PlayerInfo, game: GameInfo, issued_at: datetime, ends_at: datetime) -> str:
    """Return a token of this instance with times of our own."""
    kid, secret = next(iter(settings.PLAYER_TOKEN_KEYS.items()))
    claims = {
        "iss": settings.PUBLIC_URL,
        "aud": str(game.uuid),
        "sub": str(player.uuid),
        "iat": issued_at,
        "exp": ends_at,
    }
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": kid})
