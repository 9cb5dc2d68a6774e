"""What tests build their worlds from."""

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts import last_use, selectors
from accounts import services as accounts
from accounts.calls.notebook import notebook
from accounts.keys import SCOPES
from accounts.models import Game, Player, ServerKey, Studio
from achievements.models import Achievement, Catalogue, FlaggedUnlock
from achievements.selectors import definitions
from core.ids import new_id
from core.redis import breaker
from leaderboards.models import Leaderboard
from leaderboards.selectors import definitions as boards
from leaderboards.selectors import history, spread, submitted
from leaderboards.selectors import periods as known_periods
from leaderboards.services import periods
from stats.models import Stat
from stats.selectors import definitions as stats

_numbers = itertools.count(1)


def forget() -> None:
    """Let this process keep nothing of worlds that are gone."""
    selectors.forget_keys()
    selectors.forget_games()
    selectors.forget_players()
    last_use.forget()
    notebook.forget()
    definitions.forget_catalogues()
    stats.forget()
    boards.forget()
    periods.forget()
    known_periods.forget()
    history.forget()
    submitted.forget()
    spread.forget()
    breaker.cache_clear()


def studio(name: str = "Northlight") -> Studio:
    """Make a studio."""
    return accounts.create_studio(name=f"{name} {next(_numbers)}")


def game(
    owner: Studio | None = None, *, title: str = "Emberwake", regions: Iterable[str] = ("EU", "NA")
) -> Game:
    """Make a game, of a studio of its own if none is given."""
    made = accounts.create_game(studio_id=(owner or studio()).pk, title=title, regions=regions)
    Catalogue.objects.create(game=made)
    return made


def server_key(owner: Studio, *, scopes: Iterable[str] = SCOPES, game: Game | None = None) -> str:
    """Issue a server key."""
    return accounts.issue_key(
        studio_id=owner.pk, name="test", scopes=scopes, game_id=game.pk if game else None
    )[1]


def revoke(key: str) -> None:
    """Revoke a server key."""
    row = ServerKey.objects.get(hint=key[-4:])
    accounts.revoke_key(key_id=row.pk, at=timezone.now())


def achievement(of: Game, key: str = "first-blood", **fields: Any) -> Achievement:
    """Make a published achievement of 10 points, as if it had always been there."""
    values = {"name": key.title(), "points": 10, **fields}
    return Achievement.objects.create(studio_id=of.studio_id, game=of, key=key, **values)


def achievements(of: Game, points: Mapping[str, int]) -> None:
    """Make several like that, of so many points each."""
    Achievement.objects.bulk_create(
        Achievement(studio_id=of.studio_id, game=of, key=key, name=key.title(), points=worth)
        for key, worth in points.items()
    )


def flagged_unlock(of: Game, key: str = "finale", external_id: str = "p-1", **fields: Any) -> FlaggedUnlock:
    """Make an unlock that broke a rule and waits for a decision; the achievement is made if it is not there."""
    made, _ = Achievement.objects.get_or_create(
        game=of, key=key, defaults={"studio_id": of.studio_id, "name": key.title(), "points": 75}
    )
    at = timezone.now()
    broken = [{"rule": "earliest", "seconds": 42, "needed": 1800, "since": "studio"}]
    values = {
        "points": made.points,
        "unlocked_at": at,
        "heard_at": at,
        "event_id": new_id(),
        "offline": False,
        "rules": ["earliest"],
        "evidence": {
            "broken": broken,
            "at_us": 0,
            "since_us": 0,
            "since": "studio",
            "device": False,
            "session": None,
        },
        **fields,
    }
    player_id = player(of.studio, external_id).pk
    return FlaggedUnlock.objects.create(
        player_id=player_id, achievement=made, game_id=of.pk, studio_id=of.studio_id, **values
    )


def leaderboard(of: Game, key: str = "high-score", **fields: Any) -> Leaderboard:
    """Make a board for the highest score, as if it had always been there."""
    values = {"name": key.title(), **fields}
    return Leaderboard.objects.create(studio_id=of.studio_id, game=of, key=key, **values)


def stat(of: Game, key: str = "kills", **fields: Any) -> Stat:
    """Make a stat that adds up, as if it had always been there."""
    return Stat.objects.create(studio_id=of.studio_id, game=of, key=key, **{"name": key.title(), **fields})


def player(owner: Studio, external_id: str = "p-1", **changes: Any) -> Player:
    """Make a player whom the studio calls `external_id`."""
    info = accounts.update_player(studio_id=owner.pk, external_id=external_id, changes=changes)
    return Player.objects.get(pk=info.id)


def ban(owner: Studio, external_id: str, *, banned: bool = True) -> None:
    """Ban a player from the studio's games, or let him back."""
    info = selectors.player_of_studio(owner.pk, external_id)
    assert info is not None
    accounts.ban_player(
        studio_id=owner.pk, player=info, banned=banned, reason="test", actor="user:test", at=timezone.now()
    )


def player_token(of: Game, player: Player) -> str:
    """Issue a token for a player in a game."""
    return accounts.issue_player_token(player=player.uuid, game=of.uuid, at=timezone.now())[0]


class Api:
    """A caller of the API with a credential (or none)."""

    def __init__(self, credential: str | None) -> None:
        """Speak for `credential`."""
        self._client = Client()
        self._headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}

    def get(self, path: str, **headers: str) -> Any:
        """GET a path below /api/v1."""
        return self._client.get(f"/api/v1{path}", headers=self._headers | _named(headers))

    def post(self, path: str, body: Any, *, content_type: str = "application/json", **headers: str) -> Any:
        """POST a value as JSON, or bytes as they are."""
        return self._send("post", path, body, content_type, headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        """PUT a value as JSON."""
        return self._send("put", path, body, "application/json", headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """PATCH with a value as JSON."""
        return self._send("patch", path, body, "application/json", headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Any:
        """DELETE a path, with a value as JSON if one is given."""
        if body is not None:
            return self._send("delete", path, body, "application/json", headers)
        return self._client.delete(f"/api/v1{path}", headers=self._headers | _named(headers))

    def _send(self, method: str, path: str, body: Any, content_type: str, headers: dict[str, str]) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        send = getattr(self._client, method)
        return send(
            f"/api/v1{path}", data, content_type=content_type, headers=self._headers | _named(headers)
        )


def api(credential: str | None = None) -> Api:
    """Return a caller."""
    return Api(credential)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
