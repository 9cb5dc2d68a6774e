"""What `make run` shows before its last line: where to look, how to sign in, and requests to try."""

import json
import shlex
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from accounts import selectors as accounts
from accounts.models import User
from accounts.selectors import GameInfo, PlayerInfo
from achievements.selectors import definitions, unlocks
from achievements.selectors.definitions import Definition
from config.demo import DEMO_PLAYER, credentials
from config.demo.credentials import EMAIL
from config.demo.games import GAMES
from config.demo.scores import BOARDS
from leaderboards.selectors import definitions as boards

_PAGES: Final = (
    ("Home", "/"),
    ("Demo player", "/demo"),
    ("Portal", "/portal/"),
    ("API docs", "/api/v1/docs"),
    ("Admin", "/admin/"),
)


class NotCreated(Exception):
    """There is no demo to show."""


def text(*, at: datetime) -> str:
    """Return the whole text, ending with a line break. Raises NotCreated."""
    player, kept = accounts.demo_player(), credentials.kept()
    if player is None or not kept.server_key:
        raise NotCreated("There is no demo yet: `manage.py demo` creates it.")
    places = [(name, f"{settings.PUBLIC_URL}{path}") for name, path in _PAGES]
    secrets = [("Sign in as", EMAIL), ("Password", _password(kept.password)), ("Server key", kept.server_key)]
    width = max(len(name) for name, _ in places + secrets) + 2
    tables = ["\n".join(f"{name:<{width}}{value}" for name, value in rows) for rows in (places, secrets)]
    parts = [*tables, *_boards(), _try_it(player, kept.server_key, at=at)]
    return "\n\n".join(parts) + "\n"


def _password(kept: str) -> str:
    user = User.objects.filter(email__iexact=EMAIL).first()
    return kept if user is not None and user.check_password(kept) else "(changed since)"


def _boards() -> list[str]:
    """Return how to look at the first of the demo's boards; nothing where none is left."""
    for demo in BOARDS:
        game = accounts.fresh_game(demo.game.uuid)
        if game is not None and demo.key in boards.fresh_boards(game.id):
            url = f"{settings.PUBLIC_URL}/api/v1/leaderboards/{game.uuid}/{demo.key}?limit=5"
            return [f"Read a leaderboard: {shlex.join(['curl', url])}"]
    return []


def _try_it(player: PlayerInfo, key: str, *, at: datetime) -> str:
    found = _next_locked(player, at=at)
    if found is None:
        return "The demo player has unlocked everything but what is hidden or counted in steps."
    game, achievement = found
    return f"Open the demo player's page, then send this unlock:\n\n{_curl(game.uuid, achievement.key, key)}"


def _next_locked(player: PlayerInfo, *, at: datetime) -> tuple[GameInfo, Definition] | None:
    """Return the first achievement, as the games list them, that a plain request unlocks for the player now."""
    for demo in GAMES:
        game = accounts.fresh_game(demo.uuid)
        if game is None:
            continue
        held = unlocks.unlocks_of(player.id, game_id=game.id)
        for one in definitions.fresh_catalogue(game.id).by_key.values():
            if one.id not in held and _may_be_sent(one, at=at):
                return game, one
    return None


def _may_be_sent(one: Definition, *, at: datetime) -> bool:
    """Say whether a request unlocks it and gives nothing away: a hidden one is to be found."""
    is_open = (one.available_from or at) <= at and (one.available_until is None or one.available_until > at)
    return one.state == "published" and one.type == "standard" and not one.hidden and is_open


def _curl(game: UUID, achievement: str, key: str) -> str:
    """Return one line for any POSIX shell and any curl, in ASCII for any terminal."""
    body = json.dumps({"game_id": str(game), "player": DEMO_PLAYER, "achievement": achievement})
    url = f"{settings.PUBLIC_URL}/api/v1/achievements/unlock"
    headers = (f"Authorization: Bearer {key}", "Content-Type: application/json")
    sent = [part for header in headers for part in ("-H", header)]
    return shlex.join(["curl", "-X", "POST", url, *sent, "-d", body])
