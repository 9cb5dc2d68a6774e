"""Accounts on the player site: the player that somebody is who signs in there, and the ids that are his."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import Game, Player, PlayerAccount, PlayerIdentity, Studio, User
from accounts.selectors import PlayerInfo
from core.db import run_prepared

_PLAYER = """
SELECT p.id, p.uuid, p.display_name, p.region, p.avatar_url, p.visibility, p.time_zone,
       NULL, false, false, NULL, p.games_visibility, p.feed_visibility, p.presence_visibility, p.language
  FROM accounts_playeraccount a JOIN accounts_player p ON p.id = a.player_id
 WHERE a.user_id = $1
"""


@dataclass(frozen=True, slots=True)
class LinkedId:
    """A studio's id that names the player."""

    studio: str
    external_id: str
    since: datetime


def player_of(user: User, *, at: datetime) -> PlayerInfo:
    """Return the player of a user, who becomes one at the first time."""
    found = _player(user.pk)
    if found is None:
        try:
            with transaction.atomic():
                PlayerAccount.objects.create(user=user, player=Player.objects.create(), created_at=at)
        except IntegrityError:
            pass  # two pages were opened at once
        found = _player(user.pk)
    assert found is not None  # made above, by this request or by another
    return found


def has_account(player_ids: Iterable[int]) -> set[int]:
    """Return which of the players sign in to the player site."""
    found = PlayerAccount.objects.filter(player_id__in=set(player_ids))
    return set(found.values_list("player_id", flat=True))


def linked_ids(player_id: int) -> list[LinkedId]:
    """Return the ids by which studios name a player, the oldest first; none for who has linked nothing yet."""
    rows = PlayerIdentity.objects.filter(player_id=player_id).select_related("studio").order_by("id")
    return [LinkedId(row.studio.name, row.external_id, row.created_at) for row in rows]


def studios_of(player_id: int) -> list[tuple[int, UUID, str]]:
    """Return the studios that know a player: their internal ids, ids and names, the first one first."""
    found = Studio.objects.filter(
        pk__in=PlayerIdentity.objects.filter(player_id=player_id).values("studio_id")
    )
    return list(found.order_by("id").values_list("id", "uuid", "name"))


def regions_of(player_id: int) -> set[str]:
    """Return the regions of the games whose studios know a player."""
    studios = PlayerIdentity.objects.filter(player_id=player_id).values("studio_id")
    games = Game.objects.filter(studio__in=studios, archived_at=None)
    return {region for regions in games.values_list("regions", flat=True) for region in regions}


def _player(user_id: int) -> PlayerInfo | None:
    rows = run_prepared(_PLAYER, [user_id])
    return PlayerInfo(*rows[0]) if rows else None
