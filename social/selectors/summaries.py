"""What players have over all games, and what there is in the games they play: for comparing a player with his friends.

Totals are PostgreSQL's, by a look at the key of each player. What they are a share of would take a look at each game of
each player: it is kept in Valkey, with the version of the totals that it belongs to, and read in one round trip. So
nothing has to be forgotten when somebody unlocks something; a definition that is added is seen once the entry is gone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from achievements.selectors import circles, definitions
from achievements.selectors.circles import Played, Sums
from core.clock import from_microseconds, microseconds
from core.metrics import caches
from core.redis import breaker, client
from social import keys

KEPT_S = 300  # the longest that a definition that was added may be missing in what there is
_looks = caches.looks("summaries")
_KEEP = "for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1]) end"
_NOTHING = Played(0, None)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a player has of what there is in his games, or in one game; `reached_at` None: nothing ever."""

    points: int = 0
    unlocked: int = 0
    available: int = 0
    reached_at: datetime | None = None
    last_unlock_at: datetime | None = None


def overall(player_ids: Collection[int]) -> dict[int, Summary]:
    """Return what each player has over all games, in two queries at most."""
    totals = circles.overall(player_ids)
    played = _played(totals)
    found = dict.fromkeys(player_ids, Summary())
    for pk, sums in totals.items():
        available, last_unlock_at = played.get(pk, _NOTHING)
        found[pk] = Summary(sums.points, sums.unlocked, available, sums.reached_at, last_unlock_at)
    return found


def totals(player_ids: Collection[int]) -> dict[int, Summary]:
    """Return the points and unlocks of each player over all games, and nothing else of them, in one query."""
    found = dict.fromkeys(player_ids, Summary())
    for pk, sums in circles.overall(player_ids).items():
        found[pk] = Summary(sums.points, sums.unlocked, reached_at=sums.reached_at)
    return found


def in_game(game_id: int, player_ids: Collection[int]) -> dict[int, Summary]:
    """Return what each player has in a game, in two queries."""
    available = definitions.available_by_game([game_id]).get(game_id, 0)
    found = dict.fromkeys(player_ids, Summary(available=available))
    for pk, sums in circles.in_game(game_id, player_ids).items():
        found[pk] = Summary(sums.points, sums.unlocked, available, sums.reached_at, sums.last_unlock_at)
    return found


def _played(totals: Mapping[int, Sums]) -> dict[int, Played]:
    found = _kept(totals)
    missing = [pk for pk in totals if pk not in found]
    if missing:
        fresh = circles.played(missing)
        _keep({pk: (totals[pk].version, fresh.get(pk, _NOTHING)) for pk in missing})
        found.update(fresh)
    return found


def _kept(totals: Mapping[int, Sums]) -> dict[int, Played]:
    if not totals:
        return {}
    valkey: Any = client("cache")  # its types name the asynchronous answers, too
    names = [keys.summary(pk) for pk in totals]
    texts: list[bytes | None] = breaker("cache").call(lambda: valkey.mget(names), otherwise=list)
    found = {}
    for (pk, sums), text in zip(totals.items(), texts, strict=False):
        if text is not None:
            version, available, last_us = orjson.loads(text)
            if version == sums.version:
                found[pk] = Played(available, None if last_us is None else from_microseconds(last_us))
    _looks.note_all(wanted=len(names), found=len(found), answered=bool(texts))
    return found


def _keep(fresh: Mapping[int, tuple[int, Played]]) -> None:
    """Keep players' entries, in one command; over a newer one, at worst, which is then looked up again."""
    texts = [
        orjson.dumps([version, one.available, one.last_unlock_at and microseconds(one.last_unlock_at)])
        for version, one in fresh.values()
    ]
    names = [keys.summary(pk) for pk in fresh]
    breaker("cache").call(
        lambda: client("cache").eval(_KEEP, len(names), *names, KEPT_S, *texts), otherwise=lambda: None
    )


def in_order(found: Mapping[int, Summary]) -> list[int]:
    """Return players by their points, most first; of equals who reached them first; who never had any comes last."""
    return sorted(found, key=lambda pk: (-found[pk].points, found[pk].reached_at or _NEVER, pk))


def percent(unlocked: int, available: int) -> float:
    """Return a share with one decimal; who holds what is archived by now has no more than all."""
    return round(100 * min(unlocked, available) / available, 1) if available else 0.0


def summary_json(summary: Summary) -> dict[str, Any]:
    """Return a summary in the API's shape."""
    return {
        "points": summary.points,
        "unlocked": summary.unlocked,
        "available": summary.available,
        "completion_percent": percent(summary.unlocked, summary.available),
        "last_unlock_at": summary.last_unlock_at,
    }
