"""Which board, period, region and whose order an address means, and the addresses of its other views."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from accounts.visitors import Visitor
from core.refusals import NotFound
from leaderboards.api.asked import period_of
from leaderboards.keys import Board
from leaderboards.pages import words
from leaderboards.rules import periods as rules
from leaderboards.selectors import definitions, periods
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.selectors.periods import PeriodInfo
from leaderboards.selectors.ranks import ALL_TIME, POINTS_NAME

QUERY = frozenset({"span", "period", "region", "friends", "cursor", "part", "view"})
_LONGEST_KEY = 128


@dataclass(frozen=True, slots=True)
class About:
    """A board in one of its views.

    Attributes:
        game: None for the board over all games.
        info: None for points.
        is_current: the period is the present one of its span.
        friends: only the visitor and his friends are ranked, among themselves.

    """

    game: GameInfo | None
    info: BoardInfo | None
    period: PeriodInfo
    is_current: bool
    region: str
    friends: bool

    @property
    def key(self) -> str:
        """The board's key."""
        return POINTS if self.info is None else self.info.key

    @property
    def name(self) -> str:
        """What the board is called."""
        if self.info is not None:
            return self.info.name
        return POINTS_NAME if self.game else "All games"

    @property
    def url(self) -> str:
        """The board's address, without a view."""
        return address(self.game, self.key)

    @property
    def order(self) -> Board | None:
        """What is read; None while nobody has scored in the period."""
        region = self.region or None
        if self.info is None:
            return Board(self.game.id if self.game else None, region)
        return None if self.period.id is None else self.info.order(self.period.id, region)

    @property
    def kind(self) -> str:
        """What cursors of this view are good for."""
        return f"page of {self.order.name if self.order else self.key}{' friends' if self.friends else ''}"

    @property
    def tie_break(self) -> str:
        """The board's tie rule."""
        return "shared" if self.info is None else self.info.tie_break

    @property
    def tells_moves(self) -> bool:
        """Whether there are snapshots to compare with: of all who are on a game's board, in its present main period."""
        is_main = self.info is None or self.period.span == self.info.main_span
        return self.game is not None and is_main and self.is_current and not self.region and not self.friends

    @property
    def has_past(self) -> bool:
        """Whether the board has other periods than the one for all time."""
        return self.info is not None and self.info.spans != (rules.ALL_TIME,)

    @property
    def is_live(self) -> bool:
        """Whether scores may still come."""
        return self.period.state != "final" and not (self.info and self.info.archived)

    def score(self, sort_value: int) -> str:
        """Return a score as it is written."""
        return words.score(self.info, sort_value)

    def link(self, **changed: str) -> str:
        """Return the address of this view with something else chosen; an empty choice is left out."""
        chosen = {
            "span": self.period.span if self.is_current and self._has_spans else "",
            "period": "" if self.is_current else self.period.name,
            "region": self.region,
            "friends": "1" if self.friends else "",
        } | changed
        query = urlencode({name: value for name, value in chosen.items() if value})
        return f"{self.url}?{query}" if query else self.url

    @property
    def _has_spans(self) -> bool:
        return self.info is not None and self.period.span != self.info.main_span

    def next_reset(self, at: datetime) -> datetime | None:
        """Return when the next period of the span begins; None for never, and where the board ends before."""
        if self.info is None or self.info.archived or not self.is_current:
            return None
        resets_at = self.info.window(self.period.span, at).ends_at  # type: ignore[arg-type]
        ends_at = self.info.ends_at
        return None if resets_at is None or (ends_at is not None and ends_at <= resets_at) else resets_at

    @property
    def closes_at(self) -> datetime | None:
        """Until when late scores count."""
        return self.period.ends_at and self.period.ends_at + rules.GRACE


def address(game: GameInfo | None, key: str) -> str:
    """Return a board's address."""
    return reverse("global-board") if game is None else reverse("board-page", args=[game.uuid, key])


def about(
    request: HttpRequest, game_id: UUID | None, key: str, *, visitor: Visitor | None, at: datetime
) -> About:
    """Return the board that an address names, in the view that it asks for. Raises Http404."""
    game = _game(game_id)
    info = _board(game, key)
    try:
        period = ALL_TIME if info is None else _period(request, info, at)
    except NotFound as error:
        raise Http404 from error
    return About(
        game=game,
        info=info,
        period=period,
        is_current=info is None or period.name == info.window(period.span, at).id,  # type: ignore[arg-type]
        region=_region(request, game),
        friends=visitor is not None and request.GET.get("friends") == "1",
    )


def _game(game_id: UUID | None) -> GameInfo | None:
    game = None if game_id is None else accounts.fresh_game(game_id)
    if game_id is not None and game is None:
        raise Http404
    return game


def _board(game: GameInfo | None, key: str) -> BoardInfo | None:
    if key == POINTS:
        return None
    is_key = len(key) <= _LONGEST_KEY and "\0" not in key
    info = definitions.board(game.id, key) if game and is_key else None
    if info is None:
        raise Http404
    return info


def _period(request: HttpRequest, info: BoardInfo, at: datetime) -> PeriodInfo:
    name, span = request.GET.get("period", ""), request.GET.get("span", "")
    if name:
        return period_of(info, name, None, at=at)
    if span and span not in info.spans:
        raise Http404
    return periods.current(info, span or info.main_span, at=at)


def _region(request: HttpRequest, game: GameInfo | None) -> str:
    region = request.GET.get("region", "")
    if not region:
        return ""
    if game is None or region not in game.regions:
        raise Http404
    return region
