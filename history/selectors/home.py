"""A player's own page: what the kept dashboard says of him, and what changes too fast to be kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

from accounts import selectors as accounts
from accounts.selectors import PlayerInfo
from achievements.selectors import definitions
from achievements.selectors.cards import Rarity, address_by_key
from core import clock
from core.curve import Curve
from core.spoken import NAMELESS
from history.selectors import served
from history.selectors.trends import trend
from leaderboards.selectors import history as past
from leaderboards.selectors import ranks as standing
from leaderboards.selectors.history import Move
from leaderboards.selectors.ranks import Ranked
from social.curve import points_curve
from social.page_models import GameRow, RankRow, Totals, UnlockRow
from social.selectors import ways
from social.selectors.feed import feed
from social.selectors.seeing import Asker

SHOWN_UNLOCKS: Final = 8
SHOWN_GAMES: Final = 8
SHOWN_NEWS: Final = 5
SHOWN_RANKS: Final = 6
SHOWN_WAYS: Final = 3
RANKED_GAMES: Final = 4  # those played last; of each all of its boards
WEEK_DAYS: Final = 7
CHANGE: Final = timedelta(days=WEEK_DAYS)
SPANS: Final[Mapping[str, tuple[int, str, str]]] = {  # days, on the button, in words
    "7d": (7, "7 d", "7 days"),
    "30d": (30, "30 d", "30 days"),
    "90d": (90, "90 d", "90 days"),
    "365d": (365, "1 y", "one year"),
}
DEFAULT_SPAN: Final = "30d"
_DAYS = "90d"  # the longest window of which every day is kept
_PERIODS = {"all": "all time", "day": "today", "week": "this week", "month": "this month", "cron": "now"}
_NEVER = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A length of the curve that can be chosen."""

    key: str
    label: str
    words: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Nearest:
    """A locked achievement, how far its player is, and how rare it is."""

    game_id: UUID
    game_title: str
    key: str
    name: str
    description: str
    icon_url: str
    current: int
    target: int
    rarity: Rarity

    @property
    def url(self) -> str:
        """The achievement's page."""
        return address_by_key(self.game_id, self.key)

    @property
    def percent(self) -> float:
        """The share that is done, 0 to 100."""
        return 100 * self.current / self.target

    @property
    def to_go(self) -> int:
        """Steps that are left."""
        return self.target - self.current


@dataclass(frozen=True, slots=True)
class Friend:
    """Whom news is of."""

    id: UUID
    display_name: str
    avatar_url: str


@dataclass(frozen=True, slots=True)
class News:
    """What a friend unlocked; without name, key and icon where the reader may not know what it is."""

    friend: Friend
    game_id: UUID
    game_title: str
    key: str
    name: str
    icon_url: str
    at: datetime

    @property
    def url(self) -> str:
        """The achievement's page; empty where the reader may not know what it is."""
        return address_by_key(self.game_id, self.key) if self.key else ""


@dataclass(frozen=True, slots=True)
class Home:
    """All that stands on a player's own page; every list is empty for one who has unlocked nothing."""

    totals: Totals
    curve: Curve | None
    spans: tuple[Span, ...]
    almost: tuple[Nearest, ...]
    unlocks: tuple[UnlockRow, ...]
    ranks: tuple[RankRow, ...]
    news: tuple[News, ...]
    games: tuple[GameRow, ...]
    game_count: int
    latest_game: GameRow | None

    @property
    def change_words(self) -> str:
        """What the ranks' changes are over; empty where of none anything is known yet."""
        is_known = any(row.rose is not None or row.is_new for row in self.ranks)
        return f"Change in {WEEK_DAYS} days" if is_known else ""

    @property
    def step(self) -> str:
        """How long each step of the curve is, in a word."""
        return "day" if SPANS[self.span.key][0] <= SPANS[_DAYS][0] else "week"

    @property
    def span(self) -> Span:
        """The length of the curve that is shown."""
        return next(one for one in self.spans if one.is_shown)


def home_of(player: PlayerInfo, *, span: str, every_game: bool, at: datetime) -> Home:
    """Return a player's own page, in a fixed number of queries whatever he plays (ADR 0052).

    `span` is one of SPANS; `every_game` shows all of his games (at most those of a dashboard), else those played last.
    """
    kept = served.current(player)
    games = _games(kept["games"])
    totals, gained = kept["totals"], _gained(player, _DAYS, at=at)
    days, _, words = SPANS[span]
    steps = gained[-days:] if days <= len(gained) else _gained(player, span, at=at)
    return Home(
        totals=Totals(
            points=totals["points"],
            unlocked=totals["unlocked"],
            games=totals["games"],
            completion_percent=totals["completion_percent"],
            points_this_week=sum(points for _, points in gained[-WEEK_DAYS:]),
        ),
        curve=points_curve(_summed(steps, totals["points"]), span=words) if totals["games"] else None,
        spans=tuple(Span(key, label, long, key == span) for key, (_, label, long) in SPANS.items()),
        almost=_almost(player, at=at),
        unlocks=_unlocks(kept["recent_unlocks"][:SHOWN_UNLOCKS], player.language),
        ranks=_ranks(player, [game.game_id for game in games], many=len(games) > 1, at=at),
        news=_news(player),
        games=games if every_game else games[:SHOWN_GAMES],
        game_count=len(games),
        latest_game=games[0] if games else None,
    )


def _games(listed: Sequence[Mapping[str, Any]]) -> tuple[GameRow, ...]:
    """Return games, the one in which something was unlocked last first."""
    by_time = sorted(listed, key=lambda game: game["last_unlock_at"] or _NEVER, reverse=True)
    return tuple(
        GameRow(UUID(game["game_id"]), game["name"], game["points"], game["unlocked"], game["total"], None)
        for game in by_time
    )


def _unlocks(listed: Sequence[Mapping[str, Any]], language: str) -> tuple[UnlockRow, ...]:
    """Return unlocks as they were kept, but for their names: those are in the language that is wanted now."""
    places = [(UUID(one["game_id"]), one["key"]) for one in listed]
    names = definitions.names_in(language, places) if language and places else {}
    return tuple(
        _unlock(one, *names.get(place, (one["name"], ""))) for one, place in zip(listed, places, strict=True)
    )


def _unlock(one: Mapping[str, Any], name: str, language: str) -> UnlockRow:
    game_id = UUID(one["game_id"])
    return UnlockRow(
        game_id=game_id,
        game_title=one["game"],
        key=one["key"],
        name=name,
        icon_url=one["icon_url"],
        points=one["points"],
        unlocked_at=datetime.fromisoformat(one["unlocked_at"]),
        rarity=_rarity(one["rarity"]),
        url=address_by_key(game_id, one["key"]),
        name_language=language,
    )


def _rarity(told: Mapping[str, Any]) -> Rarity:
    return Rarity(told["unlocked_percent"], told["players"], told["tier"])


def _gained(player: PlayerInfo, window: str, *, at: datetime) -> list[tuple[date, int]]:
    """Return what was gained in each day or week of a window, by its first day where the player lives."""
    found = trend(player_id=player.id, time_zone=player.time_zone, metric="points", window=window, at=at)
    zone = clock.zone(player.time_zone)
    return [(begin.astimezone(zone).date(), int(points)) for begin, points in found.points]


def _summed(steps: Sequence[tuple[date, int]], points: int) -> list[tuple[date, int]]:
    """Return the points at the end of each step, those of today at the end of the last one."""
    sums = accumulate((gained for _, gained in steps), initial=points - sum(gained for _, gained in steps))
    next(sums)
    return [(day, had) for (day, _), had in zip(steps, sums, strict=True)]


def _almost(player: PlayerInfo, *, at: datetime) -> tuple[Nearest, ...]:
    return tuple(
        Nearest(
            game_id=one.game_id,
            game_title=one.game_title,
            key=one.key,
            name=one.name,
            description=one.description,
            icon_url=one.icon_url,
            current=one.current,
            target=one.target,
            rarity=Rarity(one.rarity.unlocked_percent, one.rarity.players, one.rarity.tier),
        )
        for one in ways.nearest(player.id, language=player.language or None, at=at, limit=SHOWN_WAYS)
    )


def _ranks(player: PlayerInfo, played: Sequence[UUID], *, many: bool, at: datetime) -> tuple[RankRow, ...]:
    """Return the places over all games (where there are several), then in those played last, and how they changed."""
    games = [game for uuid in played[:RANKED_GAMES] if (game := accounts.game(uuid)) is not None]
    overall, by_game = standing.across([game.id for game in games], player.id, at=at)
    listed = [(game, one) for game in games for one in by_game[game.id]]
    ranks = {one.order: one.rank.rank for _, one in listed}
    moves = past.moves_of(player.id, ranks, at=at, back=CHANGE)
    rows = [_rank_row(game, one, moves.get(one.order)) for game, one in listed]
    if overall is not None and many:
        place = (overall.rank, overall.tied, overall.total_count, overall.score)
        rows.insert(0, RankRow(None, "All games", "Points · all time", *place, key=""))
    return tuple(rows[:SHOWN_RANKS])


def _rank_row(game: accounts.GameInfo, ranked: Ranked, move: Move | None) -> RankRow:
    place = ranked.rank
    return RankRow(
        game_id=game.uuid,
        game_title=game.title,
        board=f"{ranked.name} · {_PERIODS[ranked.period.span]}",
        rank=place.rank,
        tied=place.tied,
        total_count=place.total_count,
        score=place.score if ranked.info is None else None,
        key=ranked.key,
        rose=move.rose if move else None,
        is_new=move is not None and move.is_new,
    )


def _news(player: PlayerInfo) -> tuple[News, ...]:
    asker, language = Asker(None, player.id), player.language or None
    found = feed(player.id, asker=asker, language=language, after=None, limit=SHOWN_NEWS)
    return tuple(
        News(
            friend=Friend(
                UUID(row["player"]["id"]),
                row["player"]["display_name"] or NAMELESS,
                row["player"]["avatar_url"],
            ),
            game_id=UUID(row["game_id"]),
            game_title=row["game"],
            key=row["achievement"]["key"] or "",
            name=row["achievement"]["name"] or "",
            icon_url=row["achievement"]["icon_url"] or "",
            at=row["unlocked_at"],
        )
        for row in found.rows
    )
