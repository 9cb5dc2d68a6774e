"""A player's dashboard as it is composed: a fixed number of queries, whatever he plays."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import people
from accounts import selectors as accounts
from accounts.people import Part
from accounts.selectors import GameInfo
from achievements.selectors import definitions, unlocks
from achievements.selectors.unlocks import GameTotal
from core.clock import rfc3339
from history.selectors import showing
from history.selectors.showing import Audience
from history.selectors.trends import trend
from leaderboards.selectors import standings
from leaderboards.selectors.standings import Rank
from social import selectors as social
from social.selectors import seeing, summaries
from social.selectors.seeing import Asker

MOST_GAMES = 200
MOST_UNLOCKS = 20
MOST_FRIENDS = 5
WINDOW = "30d"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard as the API shows it; `is_settled` False: some rank is not that of what it tells."""

    content: dict[str, Any]
    is_settled: bool


def dashboard(*, player_id: int, time_zone: str, audience: Audience, at: datetime) -> Dashboard:
    """Return a player's dashboard, in at most 12 queries; of one who has unlocked nothing its lists are empty.

    Totals are over all games; of more than 200 games those with the most points are listed. Ranks are Valkey's: one
    that it does not know is null, but for those on boards too large for it, which are estimated by some queries each.
    """
    totals = unlocks.totals_of(player_id)
    infos = {
        game_id: info
        for game_id, info in accounts.games_by_id(total.game_id for total in totals).items()
        if audience.sees(info)
    }
    totals = [total for total in totals if total.game_id in infos]
    game_ids = None if audience == Audience() else list(infos)
    available = definitions.available_by_game(infos)
    listed = totals[:MOST_GAMES]
    ids = [one.game_id for one in listed]
    places, all_known = standings.known_places_of(player_id, game_ids=ids)
    recent = unlocks.recent_unlocks(player_id, game_ids=game_ids, limit=MOST_UNLOCKS)
    player, friends = _friends(player_id, audience)
    content = {
        "player": player,
        "totals": _sums(totals, available),
        "games": [_game(one, infos[one.game_id], available, places.get(one.game_id)) for one in listed],
        "recent_unlocks": list(showing.unlocks(recent, infos).values()),
        "trend": _trend(player_id, time_zone, game_ids, at=at),
        "friends": friends,
        "generated_at": rfc3339(at),
    }
    return Dashboard(content, is_settled=all_known and all(map(_is_settled, listed, map(places.get, ids))))


def _is_settled(total: GameTotal, place: Rank | None) -> bool:
    """Say whether a board has heard of what a player has."""
    return place is not None and place.sort_value == -total.points


def _sums(totals: Collection[GameTotal], available: Mapping[int, int]) -> dict[str, Any]:
    unlocked = sum(total.unlocked for total in totals)
    return {
        "points": sum(total.points for total in totals),
        "unlocked": unlocked,
        "games": len(totals),
        "completion_percent": _percent(unlocked, sum(available.get(one.game_id, 0) for one in totals)),
    }


def _game(
    total: GameTotal, info: GameInfo, available: Mapping[int, int], place: Rank | None
) -> dict[str, Any]:
    of = available.get(total.game_id, 0)
    return {
        "game_id": str(info.uuid),
        "name": info.title,
        "points": total.points,
        "unlocked": total.unlocked,
        "total": of,
        "completion_percent": _percent(total.unlocked, of),
        "rank": None if place is None else place.rank,
        "last_unlock_at": rfc3339(total.last_unlock_at) if total.last_unlock_at and total.unlocked else None,
    }


def _percent(unlocked: int, available: int) -> float:
    """Return a share with one decimal; who holds what is archived by now has no more than all."""
    return round(100 * min(unlocked, available) / available, 1) if available else 0.0


def _trend(
    player_id: int, time_zone: str, game_ids: Collection[int] | None, *, at: datetime
) -> dict[str, Any]:
    found = trend(
        player_id=player_id, time_zone=time_zone, metric="unlocks", window=WINDOW, at=at, game_ids=game_ids
    )
    points = [{"at": rfc3339(begin), "value": value} for begin, value in found.points]
    return {
        "metric": "unlocks",
        "window": WINDOW,
        "bucket": found.bucket,
        "time_zone": time_zone,
        "points": points,
    }


def _friends(player_id: int, audience: Audience) -> tuple[dict[str, str], dict[str, Any]]:
    """Return how the player is shown, how many friends he has, and those with the most whom the audience may see."""
    friend_ids, to_studio = social.friend_ids(player_id), audience.studio_id is not None
    asker = Asker(audience.studio_id, None if to_studio else player_id)
    seen = seeing.friends_seen(friend_ids, of=player_id, asker=asker, part=Part.GAMES)
    held = summaries.totals(seen)
    player = people.shown(seen.pop(player_id), to_studio=to_studio)
    top = [
        {
            "player": people.shown(seen[pk], to_studio=to_studio),
            "points": held[pk].points,
            "unlocked": held[pk].unlocked,
        }
        for pk in summaries.in_order(held)
        if pk in seen and held[pk].reached_at is not None
    ]
    return player, {"count": len(friend_ids), "top": top[:MOST_FRIENDS]}
