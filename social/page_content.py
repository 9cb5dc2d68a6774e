"""What stands on the players' pages: read through the other apps' selectors, composed into page models."""

import json
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, islice

from django.conf import settings

from accounts import selectors as accounts
from accounts.selectors import GameInfo, PlayerInfo
from achievements.selectors import definitions, unlocks
from achievements.selectors.definitions import Definition
from achievements.selectors.unlocks import GameTotal
from leaderboards.selectors import standings as boards
from social import page_cards
from social import page_models as models
from social.curve import points_curve

CURVE_DAYS = 30
WEEK_DAYS = 7
SHOWN_UNLOCKS = 8
# On the player's own page a section is a glimpse; on the game's page it is cut only where it would be a burden.
GLIMPSE, SECTION = 6, 120


def person_of(info: PlayerInfo, *, is_demo: bool) -> models.Person:
    """Return who a page is about."""
    name = info.display_name or info.external_id or "Player"
    return models.Person(info.uuid, name, info.region, info.avatar_url, is_demo)


def player_page(info: PlayerInfo, *, is_demo: bool, at: datetime) -> models.PlayerPage:
    """Return a player's own page; every part is empty for one who has unlocked nothing."""
    totals = unlocks.totals_of(info.id)
    games = game_rows(info, totals)
    days = points_by_day(info.id, sum(total.points for total in totals), today=at.date())
    latest = max(totals, key=lambda total: total.last_unlock_at or at, default=None)
    cards = page_cards.cards(info.id, latest.game_id, at=at) if latest else []
    return models.PlayerPage(
        person=person_of(info, is_demo=is_demo),
        totals=_sums(totals, games.values(), days),
        curve=points_curve(days) if totals else None,
        unlocks=page_cards.unlock_rows(info.id, limit=SHOWN_UNLOCKS),
        ranks=_ranks(info, games.values()),
        games=tuple(games.values()),
        latest_game=games[latest.game_id] if latest else None,
        sections=page_cards.sections(cards, most=GLIMPSE),
        try_it=try_it(info, games, at=at) if is_demo else None,
    )


def game_page(
    info: PlayerInfo,
    game: GameInfo,
    *,
    is_demo: bool,
    whole: bool,
    at: datetime,
    reader_id: int | None = None,
) -> models.GamePage:
    """Return one game's achievements as a player stands to them; `whole` leaves nothing out.

    With `reader_id` somebody else reads it, as `page_cards.cards` says.
    """
    cards = page_cards.cards(info.id, game.id, at=at, reader_id=reader_id)
    totals = [total for total in unlocks.totals_of(info.id) if total.game_id == game.id]
    rows = game_rows(info, totals or [GameTotal(game.id, 0, 0, None)])
    available = definitions.fresh_catalogue(game.id).by_key.values()
    return models.GamePage(
        person=person_of(info, is_demo=is_demo),
        game=rows[game.id],
        points_available=sum(one.points for one in available if one.state == "published"),
        sections=page_cards.sections(cards, most=len(cards) if whole else SECTION),
    )


def game_rows(
    info: PlayerInfo, totals: Iterable[GameTotal], *, ranked: bool = True
) -> dict[int, models.GameRow]:
    """Return what a player has reached in each game by the game's internal id, most points first.

    Without ranks unless they are wanted (`ranked`): each is counted in PostgreSQL while Valkey can't tell.
    """
    totals = list(totals)
    ids = [total.game_id for total in totals]
    games, available = accounts.games_by_id(ids), definitions.available_by_game(ids)
    places = boards.places_of(info.id, game_ids=ids) if ranked else {}
    return {
        total.game_id: models.GameRow(
            game_id=games[total.game_id].uuid,
            title=games[total.game_id].title,
            points=total.points,
            unlocked=total.unlocked,
            available=available.get(total.game_id, 0),
            rank=_rank_row(games[total.game_id], places.get(total.game_id)),
        )
        for total in totals
    }


def _ranks(info: PlayerInfo, games: Collection[models.GameRow]) -> tuple[models.RankRow, ...]:
    """Return the places that a player has: over all games where there are several, then in each."""
    overall = _rank_row(None, boards.rank_of(None, info.id)) if len(games) > 1 else None
    return tuple(row for row in (overall, *(game.rank for game in games)) if row)


def _rank_row(game: GameInfo | None, place: boards.Rank | None) -> models.RankRow | None:
    if place is None:
        return None
    return models.RankRow(
        game_id=game.uuid if game else None,
        game_title=game.title if game else "All games",
        board="Points · all time",
        rank=place.rank,
        tied=place.tied,
        total_count=place.total_count,
        score=place.score,
    )


def _sums(
    totals: Iterable[GameTotal], games: Iterable[models.GameRow], days: list[tuple[date, int]]
) -> models.Totals:
    totals, available = list(totals), sum(game.available for game in games)
    points, unlocked = sum(total.points for total in totals), sum(total.unlocked for total in totals)
    return models.Totals(
        points=points,
        unlocked=unlocked,
        games=len(totals),
        completion_percent=100 * unlocked / available if available else 0.0,
        points_this_week=points - days[-1 - WEEK_DAYS][1],
    )


def points_by_day(player_id: int, points: int, *, today: date) -> list[tuple[date, int]]:
    """Return the points at the end of each of the last days, the last one being `points` today."""
    first = today - timedelta(days=CURVE_DAYS - 1)
    start = datetime.combine(first, time.min, tzinfo=UTC)
    gained: Counter[date] = Counter()
    for held in unlocks.unlocks_since(player_id, start):
        gained[min(held.unlocked_at.astimezone(UTC).date(), today)] += held.points
    days = [first + timedelta(days=n) for n in range(CURVE_DAYS)]
    sums = accumulate((gained[day] for day in days), initial=points - gained.total())
    return list(zip(days, islice(sums, 1, None), strict=True))


def try_it(info: PlayerInfo, games: Mapping[int, models.GameRow], *, at: datetime) -> models.TryIt | None:
    """Return a request that unlocks the next achievement that a server key may; None when all are unlocked."""
    for game_id, game in games.items():
        held = unlocks.unlocks_of(info.id, game_id=game_id)
        for one in definitions.fresh_catalogue(game_id).by_key.values():
            if one.id not in held and _may_be_sent(one, at=at):
                body = {"game_id": str(game.game_id), "player": info.external_id, "achievement": one.key}
                return models.TryIt(
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
