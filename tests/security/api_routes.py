"""Every operation of the API, and a world with something of everything for two studios.

OPERATIONS is the document: who may do what. An address or a method that it lacks fails a test.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from accounts.models import Game, Player, Studio
from core.clock import rfc3339
from social.models import InboxCounter, Notification
from tests import factories
from tests.achievements.pictures import picture
from tests.leaderboards import kept as boards
from tests.security.addresses import addresses
from tests.social.people import befriend
from webhooks.services import deliveries, endpoints

ROOT: Final = "api/v1"
# What describes the API itself: the same for everybody, with no credential.
ABOUT: Final = frozenset({"", "/schema", "/docs"})
READ_ONLY: Final = ("players:read", "definitions:read", "analytics:read")


class Operation(NamedTuple):
    """A method at an address, and what it answers to a key of the studio that has all scopes.

    Attributes:
        route: below /api/v1, its parts as `<name>`.
        body: what is sent; texts in it as `<name>` are filled in, too. Bytes are sent as they are.
        query: the same, after the question mark.
        answers: of the studio's own key.
        scope: what a key needs; empty: any key may.
        player: what the token of the player that is named is answered; 403 where tokens may not.
        everybody: what is answered without a credential: friends only see the players of this world.
        another_game: what a key of another game of the studio is answered.
        elsewhere: what is answered where all names are another studio's.

    """

    method: str
    route: str
    scope: str = ""
    answers: int = 200
    body: Any = None
    query: str = ""
    player: int = 403
    everybody: int = 401
    another_game: int = 404
    elsewhere: int = 404

    @property
    def name(self) -> str:
        """What a test that fails says."""
        return f"{self.method} {self.route}"

    @property
    def parts(self) -> list[str]:
        """The names of what stands in the address, the query and the body, each once."""
        text = f"{self.route} {self.query} {'' if isinstance(self.body, bytes) else json.dumps(self.body)}"
        return list(dict.fromkeys(re.findall(r"<(\w+)>", text)))


def _op(method: str, route: str, scope: str = "", **more: Any) -> Operation:
    return Operation(method, route, scope, **more)


GAME, PLAYER, BOARD = "/games/<game>", "/players/<player>", "/leaderboards/<game>/<board>"
ONE, STAT, HOOK = f"{GAME}/achievements/<achievement>", f"{GAME}/stats/<stat>", "/webhooks/<webhook>"
DEFINED, ENTRY = f"{GAME}/leaderboards/<board>", f"{BOARD}/players/<player>"
GIVEN, RED, WRITE_D = "unlocks:write", "players:read", "definitions:write"
READ_D, WRITE_P, SCORES, REPORTS = "definitions:read", "players:write", "scores:write", "stats:write"
HOOKS, FIGURES = "webhooks:write", "analytics:read"
_WHY: Final = {"reason": "A test"}
_UNLOCK: Final = {"player": "<player>", "achievement": "<achievement>"}
_WHOSE: Final = {"game_id": "<game>", "player": "<player>"}
# A player of the studio, whichever game the key is for: nothing of a game is told.
_OF_STUDIO: Final[dict[str, Any]] = {"another_game": 200}
OPERATIONS: Final = (
    _op("POST", "/achievements/unlock", GIVEN, body=_UNLOCK | _WHOSE, answers=202, player=202),
    _op(
        "POST",
        "/achievements/unlock/batch",
        GIVEN,
        body={"game_id": "<game>", "unlocks": [_UNLOCK]},
        answers=202,
        player=202,
    ),
    _op(
        "POST",
        "/achievements/progress",
        GIVEN,
        body=_WHOSE | {"achievement": "<steps>", "steps": 1},
        answers=202,
        player=202,
    ),
    _op("POST", "/achievements/revoke", GIVEN, body=_WHOSE | _WHY | {"achievement": "<had>"}, answers=202),
    _op("POST", "/achievements/reset", GIVEN, body=_UNLOCK | _WHOSE | _WHY, answers=202),
    _op("GET", f"{GAME}/achievements", READ_D),
    _op("POST", f"{GAME}/achievements", WRITE_D, body={"key": "new", "name": "New"}, answers=201),
    _op(
        "POST",
        f"{GAME}/achievements/import",
        WRITE_D,
        query="format=laurel",
        body={"achievements": [{"key": "new", "name": "New"}]},
    ),
    _op("GET", f"{GAME}/achievements/export", READ_D, query="format=laurel"),
    _op("GET", f"{GAME}/achievements/lint", READ_D),
    _op("POST", f"{ONE}/preview", WRITE_D, body={}),
    _op("PUT", f"{ONE}/icon", WRITE_D, body=picture()),
    _op("DELETE", f"{ONE}/icon", WRITE_D, answers=204),
    _op("GET", ONE, READ_D),
    _op("PATCH", ONE, WRITE_D, body={"name": "Another"}),
    _op("DELETE", ONE, WRITE_D, answers=409),
    _op("GET", f"{GAME}/rarity-tiers", READ_D),
    _op("PUT", f"{GAME}/rarity-tiers", WRITE_D, body={"rarity_tiers": None}),
    _op("GET", f"{GAME}/plausibility", READ_D),
    _op("PUT", f"{GAME}/plausibility", WRITE_D, body={"unlocks_a_minute": 9}),
    _op("GET", f"{GAME}/backfills", READ_D),
    _op("GET", f"{PLAYER}/achievements/<achievement>/explain", RED, query="game_id=<game>", player=200),
    _op("GET", f"{PLAYER}/revokes", RED, query="game_id=<game>"),
    _op("GET", f"{PLAYER}/reports", RED, query="game_id=<game>", player=200),
    _op(
        "POST",
        f"{PLAYER}/reports",
        WRITE_P,
        body={"game_id": "<game>", "achievement": "<achievement>", "message": "I did it."},
        answers=201,
        player=201,
    ),
    _op("GET", f"{PLAYER}/achievements", RED, query="game_id=<game>", player=200),
    _op("GET", "/leaderboards/global", everybody=200, player=200, another_game=200, elsewhere=200),
    _op("GET", "/leaderboards/<game>", everybody=200, player=200),
    _op("GET", BOARD, everybody=200, player=200),
    _op("GET", f"{BOARD}/around/<player>", everybody=404, player=200),
    _op("GET", f"{BOARD}/rank", query="score=1", everybody=200, player=200),
    _op("POST", f"{BOARD}/scores", SCORES, body={"player": "<player>", "score": 5}, answers=202, player=202),
    _op(
        "POST",
        f"{BOARD}/scores/batch",
        SCORES,
        body={"scores": [{"player": "<player>", "score": 5}]},
        answers=202,
        player=202,
    ),
    _op("GET", f"{BOARD}/plausibility", READ_D),
    _op("PUT", f"{BOARD}/plausibility", WRITE_D, body={"bound": 9}),
    _op("GET", f"{BOARD}/periods", everybody=200, player=200),
    _op("GET", f"{BOARD}/periods/<period>", everybody=200, player=200),
    _op(
        "GET",
        f"{BOARD}/periods/<period>/standings",
        everybody=200,
        player=200,
    ),
    _op("GET", f"{BOARD}/snapshots", everybody=200, player=200),
    _op("GET", f"{BOARD}/snapshots/<snapshot>", everybody=200, player=200),
    _op("GET", f"{ENTRY}/history", everybody=404, player=200),
    _op("POST", f"{ENTRY}/hide", SCORES, body=_WHY, answers=202),
    _op("POST", f"{ENTRY}/restore", SCORES, body=_WHY, answers=202),
    _op("POST", f"{ENTRY}/delete", SCORES, body=_WHY, answers=202),
    _op("GET", ENTRY, everybody=404, player=200),
    _op("GET", f"{GAME}/leaderboards", READ_D),
    _op("POST", f"{GAME}/leaderboards", WRITE_D, body={"key": "new", "name": "New"}, answers=201),
    _op("POST", f"{DEFINED}/reset", WRITE_D, body=_WHY, answers=202),
    _op("GET", DEFINED, READ_D),
    _op("PATCH", DEFINED, WRITE_D, body={"name": "Another"}),
    _op("DELETE", DEFINED, WRITE_D, answers=409),
    _op("GET", f"{PLAYER}/ranks", RED, query="game_id=<game>", player=200),
    _op(
        "POST",
        "/stats/report",
        REPORTS,
        body=_WHOSE | {"stats": {"kills": {"set": 1}}},
        answers=202,
        player=202,
    ),
    _op(
        "POST",
        "/stats/report/batch",
        REPORTS,
        body={"game_id": "<game>", "reports": [{"player": "<player>", "stats": {"kills": {"set": 1}}}]},
        answers=202,
        player=202,
    ),
    _op("POST", "/stats/reset", REPORTS, body=_WHOSE | _WHY, answers=202),
    _op("GET", f"{GAME}/stats", READ_D),
    _op("POST", f"{GAME}/stats", WRITE_D, body={"key": "new", "name": "New"}, answers=201),
    _op("GET", STAT, READ_D),
    _op("PATCH", STAT, WRITE_D, body={"name": "Another"}),
    _op("DELETE", STAT, WRITE_D, answers=204),
    _op(
        "POST",
        f"{PLAYER}/sessions",
        REPORTS,
        body={"game_id": "<game>", "event": "start"},
        answers=202,
        player=202,
    ),
    _op("GET", f"{PLAYER}/playtime", RED, player=200, **_OF_STUDIO),
    _op("GET", f"{PLAYER}/stats", RED, query="game_id=<game>", player=200),
    _op("GET", f"{PLAYER}/dashboard", RED, player=200, **_OF_STUDIO),
    _op("GET", f"{PLAYER}/recap", RED, query="year=2026", player=200, **_OF_STUDIO),
    _op("GET", f"{PLAYER}/trends", RED, query="metric=points&window=7d&game_id=<game>", player=200),
    _op("GET", f"{GAME}/facts", FIGURES),
    _op("GET", f"{GAME}/analytics/overview", FIGURES),
    _op("GET", f"{GAME}/analytics/achievements", FIGURES),
    _op("GET", f"{GAME}/analytics/retention", FIGURES),
    _op("GET", f"{GAME}/analytics/funnel", FIGURES, query="achievements=<achievement>,<steps>"),
    _op("GET", f"{GAME}/analytics/leaderboards", FIGURES),
    _op("GET", f"{GAME}/analytics/regions", FIGURES),
    _op("GET", f"{GAME}/analytics/distributions", FIGURES),
    _op("GET", f"{PLAYER}/changes", RED, player=200, **_OF_STUDIO),
    _op("GET", f"{PLAYER}/notifications", RED, player=200, **_OF_STUDIO),
    _op(
        "POST",
        f"{PLAYER}/notifications/read",
        WRITE_P,
        body={"ids": ["<notification>"]},
        player=200,
        **_OF_STUDIO,
    ),
    _op("DELETE", f"{PLAYER}/notifications/<notification>", WRITE_P, answers=204, player=204),
    _op("GET", f"{PLAYER}/notification-preferences", RED, player=200, **_OF_STUDIO),
    _op("PUT", f"{PLAYER}/notification-preferences", WRITE_P, body={"kinds": {}}, player=200, **_OF_STUDIO),
    _op("GET", f"{PLAYER}/friends", RED, player=200, **_OF_STUDIO),
    _op("GET", f"{PLAYER}/friends/compare", RED, query="game_id=<game>", player=200),
    _op("DELETE", f"{PLAYER}/friends/<friend>", WRITE_P, answers=204, player=204, another_game=204),
    _op("GET", f"{PLAYER}/compare/<friend>", RED, query="game_id=<game>", player=200),
    _op("GET", f"{PLAYER}/feed", RED, player=200, **_OF_STUDIO),
    _op("GET", f"{PLAYER}/friend-requests", RED, player=200, **_OF_STUDIO),
    _op(
        "POST",
        f"{PLAYER}/friend-requests",
        WRITE_P,
        body={"to": "<stranger>"},
        answers=202,
        player=202,
        another_game=202,
    ),
    _op("POST", f"{PLAYER}/friend-requests/<request>/accept", WRITE_P, body={}, player=200, **_OF_STUDIO),
    _op(
        "POST",
        f"{PLAYER}/friend-requests/<request>/decline",
        WRITE_P,
        body={},
        answers=204,
        player=204,
        another_game=204,
    ),
    _op("GET", f"{PLAYER}/blocks", RED, player=200, **_OF_STUDIO),
    _op("PUT", f"{PLAYER}/blocks/<friend>", WRITE_P, answers=204, player=204, another_game=204),
    _op("DELETE", f"{PLAYER}/blocks/<friend>", WRITE_P, answers=204, player=204, another_game=204),
    _op("GET", "/webhooks", HOOKS, another_game=200, elsewhere=200),
    _op(
        "POST",
        "/webhooks",
        HOOKS,
        body={"url": "https://hooks.example.com/", "events": ["player.created"], "game_id": "<game>"},
        answers=201,
    ),
    _op("GET", HOOK, HOOKS),
    _op("PATCH", HOOK, HOOKS, body={"description": "Another"}),
    _op("DELETE", HOOK, HOOKS, answers=204),
    _op("POST", f"{HOOK}/test", HOOKS, body={}, answers=202),
    _op("POST", f"{HOOK}/rotate-secret", HOOKS, body={}),
    _op("POST", f"{HOOK}/redeliver", HOOKS, body={"since": rfc3339(timezone.now())}, answers=202),
    _op("GET", f"{HOOK}/deliveries", HOOKS),
    _op("GET", f"{HOOK}/deliveries/<delivery>", HOOKS),
    _op("POST", f"{HOOK}/deliveries/<delivery>/redeliver", HOOKS, body={}, answers=202),
    _op("GET", f"{PLAYER}/export", RED, another_game=403),
    _op("GET", "/games", READ_D, another_game=200, elsewhere=200),
    _op("POST", "/games", WRITE_D, body={"title": "New"}, answers=201, another_game=403, elsewhere=201),
    _op("GET", GAME, READ_D),
    _op("PATCH", GAME, WRITE_D, body={"title": "Another"}),
    _op("POST", f"{PLAYER}/token", WRITE_P, body={"game_id": "<game>"}, answers=201),
    _op("DELETE", f"{PLAYER}/token", WRITE_P, answers=204, another_game=204),
    _op("POST", f"{PLAYER}/link-code", WRITE_P, body={}, answers=201, player=201, another_game=201),
    _op("POST", f"{PLAYER}/link", WRITE_P, body={"code": "AAAA-AAAA"}, answers=422, another_game=422),
    _op("PUT", f"{PLAYER}/exclusion", WRITE_P, body=_WHY, answers=202, another_game=202),
    _op("DELETE", f"{PLAYER}/exclusion", WRITE_P, body=_WHY, answers=202, another_game=202),
    _op("GET", PLAYER, RED, player=200, **_OF_STUDIO),
    _op("PUT", PLAYER, WRITE_P, body={"display_name": "Another"}, **_OF_STUDIO),
    _op("DELETE", PLAYER, WRITE_P, answers=202, another_game=202),
)


def served() -> dict[str, frozenset[str]]:
    """Return each address of the API, its parts unnamed, with the methods that its view takes."""
    found: dict[str, frozenset[str]] = {}
    for one in addresses():
        if one.route.startswith(ROOT):
            view: Any = one.view
            taken = [name for name in view.view_class.http_method_names if hasattr(view.view_class, name)]
            found[unnamed(one.route.removeprefix(ROOT))] = frozenset(map(str.upper, taken)) - {"OPTIONS"}
    return found


def unnamed(route: str) -> str:
    """Return an address by which two that are spelled with other names are the same."""
    return re.sub(r"<[^>]+>", "<>", route)


@dataclass
class Side:
    """A studio with something of everything."""

    studio: Studio
    game: Game
    player: Player
    key: str
    token: str
    named: dict[str, str]

    @classmethod
    def make(cls, visibility: str = "friends") -> "Side":
        """Build one; its players are seen by their friends at most."""
        studio = factories.studio()
        game = factories.game(studio)
        player, friend, stranger, _ = (
            factories.player(studio, name) for name in ("player", "friend", "stranger", "asking")
        )
        factories.achievement(game, "by-client", authority="client")
        factories.achievement(game, "had", authority="client")
        factories.achievement(game, "steps", type="incremental", target=9, authority="client")
        factories.stat(game, "kills", authority="client")
        board = factories.leaderboard(game, "high", reset="daily", authority="client")
        period = boards.final_period(board)
        key = factories.server_key(studio)
        server = factories.api(key)
        befriend(player, friend)
        hook, _ = endpoints.create(
            studio_id=studio.pk,
            game_id=None,
            url="https://hooks.example.com/",
            events=["player.created"],
            description="",
            actor="user:owner@example.com",
            at=timezone.now(),
        )
        for path, body in (
            ("/leaderboards/{game}/high/scores", {"player": "player", "score": 3}),
            ("/achievements/unlock", {"player": "player", "achievement": "had", "game_id": "{game}"}),
            ("/players/asking/friend-requests", {"to": "player"}),
        ):
            sent = json.loads(json.dumps(body).replace("{game}", str(game.uuid)))
            answer = server.post(path.format(game=game.uuid), sent)
            assert answer.status_code == 202, answer.content
        InboxCounter.objects.create(player_id=player.pk, last_seq=1)
        told = Notification.objects.create(
            player_id=player.pk,
            seq=1,
            uuid=uuid4(),
            kind="achievement.unlocked",
            game_id=game.pk,
            studio_id=studio.pk,
            payload="{}",
            created_at=timezone.now(),
        )
        named = {
            "game": game.uuid,
            "player": f"id:{player.uuid}",
            "friend": f"id:{friend.uuid}",
            "stranger": f"id:{stranger.uuid}",
            "achievement": "by-client",
            "had": "had",
            "steps": "steps",
            "stat": "kills",
            "board": "high",
            "period": period.name,
            "snapshot": boards.snapshot(period).uuid,
            "notification": told.uuid,
            "request": answer.json()["id"],
            "webhook": hook.uuid,
            "delivery": deliveries.send_test(hook, at=timezone.now()),
        }
        Player.objects.filter(identities__studio=studio).update(visibility=visibility)
        return cls(
            studio=studio,
            game=game,
            player=player,
            key=key,
            token=factories.player_token(game, player),
            named={name: str(value) for name, value in named.items()},
        )


def unknown(of: Mapping[str, str]) -> dict[str, str]:
    """Return names of the same forms that nobody has; what only has to be unique in a game stays."""
    return {name: re.sub(r"[0-9a-f-]{36}", lambda _: str(uuid4()), value) for name, value in of.items()}


def send(
    credential: str | None, operation: Operation, named: Mapping[str, str], *, kind: str | None = None
) -> Any:
    """Send an operation's request with everything filled in, as a body of its usual kind or of another one."""

    def filled(text: str) -> str:
        return re.sub(r"<(\w+)>", lambda found: named[found[1]], text)

    path = f"/{ROOT}{filled(operation.route)}" + (f"?{filled(operation.query)}" if operation.query else "")
    headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    data, usual = b"", "application/json"
    if isinstance(operation.body, bytes):
        data, usual = operation.body, "image/png"
    elif operation.body is not None:
        data = filled(json.dumps(operation.body)).encode()
    elif operation.method in ("DELETE", "PUT", "GET"):
        usual = ""
    if operation.route.endswith("/import"):
        usual = "application/octet-stream"
    return Client().generic(
        operation.method, path, data, content_type=usual if kind is None else kind, headers=headers
    )
