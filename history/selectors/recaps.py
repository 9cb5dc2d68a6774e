"""A player's year in review: months and games from the rollups, and the unlocks that stand out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from accounts import selectors as accounts
from accounts.selectors import GameInfo, PlayerInfo
from achievements.selectors import unlocks
from core import clock
from core.clock import rfc3339
from history import rollups
from history.buckets import begins_at
from history.rollups import Activity
from history.selectors import showing
from history.selectors.showing import Audience

FIRST_YEAR = 1980  # nothing is unlocked before
MOST_GAMES = 10
MOST_RAREST = 5
Rows = Sequence[tuple[date, int, Activity]]


def recap(
    *, player: PlayerInfo, audience: Audience, year: int, language: str | None = None, at: datetime
) -> dict[str, Any]:
    """Return a player's year in his time zone, in a fixed number of queries; all zeros where he did nothing.

    Days are kept for about two years: of a year that is longer ago, whatever is told by the day is null. `language`:
    of achievements' texts; None for each game's first one.
    """
    zone, game_ids = clock.zone(player.time_zone), audience.game_ids()
    first, following = date(year, 1, 1), date(year + 1, 1, 1)
    begins, ends = begins_at(first, zone), begins_at(following, zone)
    months = rollups.activity_within(
        "month", player_id=player.id, since=date(year - 1, 1, 1), before=following, game_ids=game_ids
    )
    own = [row for row in months if row[0] >= first]
    rarest = unlocks.rarest_unlocks(
        player.id, since=begins, before=ends, game_ids=game_ids, limit=MOST_RAREST
    )
    edges = unlocks.first_and_last(player.id, since=begins, before=ends, game_ids=game_ids)
    standing_out = [*rarest, *edges]
    games = accounts.games_by_id({game_id for _, game_id, _ in own} | {one.game_id for one in standing_out})
    shown = showing.unlocks(standing_out, games, language=language)
    return {
        "year": year,
        "time_zone": player.time_zone,
        "starts_at": rfc3339(begins),
        "ends_at": rfc3339(ends),
        "is_over": at >= ends,
        "totals": _sums(own),
        "previous_totals": _sums([row for row in months if row[0] < first]),
        "months": _by_month(own, year),
        "games": _by_game(own, games),
        "days": _by_day(player.id, game_ids, first, following, at=at),
        "rarest_unlocks": [shown[one.achievement_id] for one in rarest if one.achievement_id in shown],
        "first_unlock": shown.get(edges[0].achievement_id) if edges else None,
        "last_unlock": shown.get(edges[-1].achievement_id) if edges else None,
    }


def _figures(found: Iterable[Activity]) -> dict[str, Any]:
    listed = list(found)
    return {
        "unlocks": sum(one.unlocks for one in listed),
        "points": sum(one.points for one in listed),
        "playtime": round(sum(one.playtime_ms for one in listed) / 1000, 3),
    }


def _sums(rows: Rows) -> dict[str, Any]:
    played = {game_id for _, game_id, one in rows if one.unlocks or one.playtime_ms}
    return {**_figures(one for *_, one in rows), "games": len(played)}


def _by_month(rows: Rows, year: int) -> list[dict[str, Any]]:
    return [
        {"month": f"{year}-{month:02d}", **_figures(one for at, _, one in rows if at.month == month)}
        for month in range(1, 13)
    ]


def _by_game(rows: Rows, games: Mapping[int, GameInfo]) -> list[dict[str, Any]]:
    """Return the games with the most playtime, then points."""
    by_game: dict[int, list[Activity]] = defaultdict(list)
    for _, game_id, one in rows:
        by_game[game_id].append(one)
    told = [
        {"game_id": str(games[game_id].uuid), "name": games[game_id].title, **_figures(found)}
        for game_id, found in by_game.items()
        if game_id in games
    ]
    played = [game for game in told if game["unlocks"] or game["playtime"]]
    return sorted(played, key=lambda game: (-game["playtime"], -game["points"], game["name"]))[:MOST_GAMES]


def _by_day(
    player_id: int, game_ids: Collection[int] | None, first: date, following: date, *, at: datetime
) -> dict[str, Any] | None:
    """Return what stands out among the days; None for a year of which not all days are kept."""
    kept = rollups.first_kept("day", now=at)
    if kept is not None and first < kept:
        return None
    rows = rollups.activity_within(
        "day", player_id=player_id, since=first, before=following, game_ids=game_ids
    )
    by_day: dict[date, list[Activity]] = defaultdict(list)
    for day, _, one in rows:
        if one.unlocks > 0 or one.playtime_ms:
            by_day[day].append(one)
    days = sorted(by_day)
    busiest = min(days, key=lambda day: (-_figures(by_day[day])["unlocks"], day), default=None)
    return {
        "active": len(days),
        "longest_streak": _longest_streak(days),
        "busiest": None if busiest is None else {"date": busiest.isoformat(), **_figures(by_day[busiest])},
    }


def _longest_streak(days: Sequence[date]) -> int:
    """Return how many days follow each other at most; `days` are sorted, each once."""
    longest = current = min(len(days), 1)
    for before, day in pairwise(days):
        current = current + 1 if day - before == timedelta(days=1) else 1
        longest = max(longest, current)
    return longest


def latest_year(player: PlayerInfo, *, at: datetime) -> int:
    """Return the year that it is where a player lives; no recap is of a later one."""
    return at.astimezone(clock.zone(player.time_zone)).year
