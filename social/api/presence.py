"""Presence as friends see it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from accounts.authentication import holder_of
from accounts.selectors import GameInfo, KeyHolder, games_by_id
from core.clock import rfc3339
from social.presence import UNSEEN, Presence, presences


class PlayedGame(serializers.Serializer[Any]):
    """The game that a friend plays now."""

    game_id = serializers.UUIDField()
    title = serializers.CharField()


class PresenceOutput(serializers.Serializer[Any]):
    """Whether a friend is there; of one who is private nothing is shown."""

    online = serializers.BooleanField()
    last_seen_at = serializers.DateTimeField(allow_null=True)
    game = PlayedGame(allow_null=True, help_text="A server key sees its own studio's games only.")


EXAMPLE: dict[str, Any] = {
    "online": True,
    "last_seen_at": "2026-11-23T12:26:00.123Z",
    "game": {"game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a", "title": "The Long Way Home"},
}


def shown_presences(
    request: Request, player_ids: Collection[int], *, there: Collection[int], at: datetime
) -> dict[int, dict[str, Any]]:
    """Return the presence of a player's friends by internal id, as the caller may see it, in four queries.

    Of those who are not in `there` nothing is shown.
    """
    found = dict.fromkeys(player_ids, UNSEEN) | presences(there, at=at)
    holder = holder_of(request)
    played = [one for one in found.values() if one.game_id is not None]
    if isinstance(holder, KeyHolder):
        played = [
            one
            for one in played
            if one.studio_id == holder.studio_id and holder.game_id in (None, one.game_id)
        ]
    games = games_by_id(one.game_id for one in played if one.game_id is not None) if played else {}
    return {player: _presence(one, games) for player, one in found.items()}


def _presence(one: Presence, games: dict[int, GameInfo]) -> dict[str, Any]:
    game = games.get(one.game_id) if one.game_id is not None else None
    return {
        "online": one.is_online,
        "last_seen_at": rfc3339(one.last_seen_at) if one.last_seen_at else None,
        "game": {"game_id": str(game.uuid), "title": game.title} if game else None,
    }
