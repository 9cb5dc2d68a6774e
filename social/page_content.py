"""What stands on the players' pages: read through the other apps' selectors, composed into page models."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, islice
from uuid import UUID

from accounts import selectors as accounts
from accounts.selectors import GameInfo, PlayerInfo
from achievements.selectors import cards, definitions, unlocks
from achievements.selectors.unlocks import GameTotal
from core.spoken import NAMELESS
from leaderboards.selectors import standings as boards
from social import page_models as models

CURVE_DAYS = 30
WEEK_DAYS = 7
SECTION = 120  # cards of a section; it is cut only where it would be a burden


def person_of(info: PlayerInfo, *, is_demo: bool) -> models.Person:
    """Return who a page is about."""
    name = info.display_name or info.external_id or NAMELESS
    return models.Person(info.uuid, name, info.region, info.avatar_url, is_demo)


def game_page(
    info: PlayerInfo,
    game: GameInfo,
    *,
    is_demo: bool,
    whole: bool,
    reader_id: int | None,
    language: str | None,
    at: datetime,
) -> models.GamePage:
    """Return one game's achievements as a player stands to them, in the reader's language; `whole` leaves nothing out.

    Who reads of somebody else is told of no hidden achievement that he has not unlocked himself, and nothing of what
    is on its way; the demo's player is everybody's own.
    """
    is_own = is_demo or info.id == reader_id
    made = _cards(info, game.uuid, game.id, own=is_own, reader_id=reader_id, language=language, at=at)
    totals = [total for total in unlocks.totals_of(info.id) if total.game_id == game.id]
    rows = game_rows(info, totals or [GameTotal(game.id, 0, 0, None)])
    available = definitions.fresh_catalogue(game.id).by_key.values()
    return models.GamePage(
        person=person_of(info, is_demo=is_demo),
        game=rows[game.id],
        points_available=sum(one.points for one in available if one.state == "published"),
        sections=cards.sections(made, most=len(made) if whole else SECTION),
    )


def _cards(
    info: PlayerInfo,
    game: UUID,
    game_id: int,
    *,
    own: bool,
    reader_id: int | None,
    language: str | None,
    at: datetime,
) -> list[cards.AchievementCard]:
    catalogue = definitions.fresh_catalogue(game_id)
    holding = cards.own(info.id, catalogue) if own else cards.others(info.id, catalogue, reader_id=reader_id)
    return cards.cards(catalogue, holding, game=game, language=language, at=at)


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
