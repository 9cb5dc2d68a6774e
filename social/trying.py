"""What the demo's pages propose to try: the request that unlocks the demo player's next achievement."""

import json
import shlex
from datetime import datetime

from django.conf import settings

from accounts import selectors as accounts
from accounts.selectors import PlayerInfo
from achievements.selectors import definitions, unlocks
from achievements.selectors.definitions import Definition
from social.page_models import TryIt


def try_it(info: PlayerInfo, *, at: datetime) -> TryIt | None:
    """Return a request that unlocks the next achievement that a server key may; None when all are unlocked.

    Of the games in which the player has unlocked something, the one with the most points first.
    """
    ids = [total.game_id for total in unlocks.totals_of(info.id)]
    games = accounts.games_by_id(ids)
    for game_id in ids:
        held = unlocks.unlocks_of(info.id, game_id=game_id)
        for one in definitions.fresh_catalogue(game_id).by_key.values():
            if one.id not in held and _may_be_sent(one, at=at):
                body = {
                    "game_id": str(games[game_id].uuid),
                    "player": info.external_id,
                    "achievement": one.key,
                }
                return TryIt(
                    url=f"{settings.PUBLIC_URL}/api/v1/achievements/unlock",
                    body=shlex.quote(json.dumps(body, ensure_ascii=False)),
                    achievement=one.name,
                )
    return None


def _may_be_sent(one: Definition, *, at: datetime) -> bool:
    """Say whether a plain request unlocks it; a hidden one must not be named on a page."""
    in_window = (one.available_from or at) <= at and (one.available_until is None or one.available_until > at)
    return (
        one.state == "published"
        and one.type == "standard"
        and one.stat is None
        and not one.hidden
        and in_window
    )
