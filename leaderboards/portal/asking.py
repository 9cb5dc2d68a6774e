"""Which board, period, region and player a page is about, and how its scores are written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import selectors as accounts
from accounts.doorway import Visit
from accounts.selectors import GameInfo, PlayerInfo
from core import spoken
from core.ids import parse_id
from leaderboards.api.asked import period_of
from leaderboards.keys import Board
from leaderboards.portal import words
from leaderboards.rules import scores as rules
from leaderboards.rules.showing import shown
from leaderboards.selectors import definitions, periods
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.selectors.periods import PeriodInfo
from leaderboards.selectors.ranks import ALL_TIME

_LISTED_PERIODS = 30
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Chosen:
    """A board of the visited game; `info` is None for points."""

    game: GameInfo
    info: BoardInfo | None

    @property
    def key(self) -> str:
        """Its key."""
        return POINTS if self.info is None else self.info.key

    @property
    def name(self) -> str:
        """Its name."""
        return _("Points") if self.info is None else self.info.name

    @property
    def tie_rule(self) -> str:
        """What becomes of equal scores, in a sentence."""
        return words.sentence(words.TIES, "shared" if self.info is None else self.info.tie_break)

    def score(self, sort_value: int) -> str:
        """Return a score as it is written."""
        if self.info is None:
            return spoken.whole(-sort_value)
        units = rules.sort_value(sort_value, sort=self.info.sort)
        text = shown(units, decimals=self.info.decimals, format=self.info.format)
        return spoken.percentage(text[:-1]) if text.endswith("%") else spoken.spelled(text)

    def current(self, at: datetime) -> PeriodInfo:
        """Return the present period of the main span."""
        return ALL_TIME if self.info is None else periods.current(self.info, self.info.main_span, at=at)

    def period(self, name: str, at: datetime) -> PeriodInfo:
        """Return a period by its id; the present one for none. Raises NotFound."""
        if self.info is None or not name:
            return self.current(at)
        return period_of(self.info, name, None, at=at)

    def order(self, period: PeriodInfo, region: str | None = None) -> Board | None:
        """Return what is read of a period; None while nobody has scored in it."""
        if self.info is None:
            return Board(self.game.id, region)
        return None if period.id is None else self.info.order(period.id, region)

    def next_reset(self, at: datetime) -> datetime | None:
        """Return when the next period begins; None for never, and where the board ends before."""
        if self.info is None or self.info.archived:
            return None
        resets_at = self.info.window(self.info.main_span, at).ends_at
        ends_at = self.info.ends_at
        return None if resets_at is None or (ends_at is not None and ends_at <= resets_at) else resets_at


@dataclass(frozen=True, slots=True)
class Person:
    """A player as pages of boards show him; without `uuid` where the studio does not know him and may not see him."""

    id: int
    uuid: str
    display_name: str
    external_id: str
    region: str
    avatar_url: str


def chosen(visit: Visit, key: str) -> Chosen:
    """Return the board that an address names. Raises Http404."""
    game = game_of(visit)
    if key == POINTS:
        return Chosen(game, None)
    info = None if "\0" in key else definitions.fresh_board(game.id, key)
    if info is None:
        raise Http404
    return Chosen(game, info)


def game_of(visit: Visit) -> GameInfo:
    """Return the game that an address names."""
    assert visit.game is not None
    return visit.game


def period_choices(board: Chosen, chosen: PeriodInfo, at: datetime) -> list[tuple[str, str]]:
    """Return the periods that may be looked at, as `(id, label)`: the present ones of all spans, then kept ones."""
    if board.info is None:
        return []
    found = {board.info.window(span, at).id: str(words.PRESENT[span]) for span in board.info.spans}
    for one in [*periods.kept(board.info, limit=_LISTED_PERIODS), chosen]:
        found.setdefault(one.name, f"{one.name} · {words.STATES[one.state]}")  # type: ignore[index]
    return list(found.items())


def people(studio_id: int, ids: list[int]) -> dict[int, Person]:
    """Return players by their internal ids, in one query; who is gone is nameless."""
    found = accounts.players_on_boards(ids, studio_id=studio_id)
    return {pk: _person(pk, found.get(pk) or {}) for pk in ids}


def _person(pk: int, said: dict[str, str | None]) -> Person:
    return Person(
        id=pk,
        uuid=said.get("id") or "",
        display_name=said.get("display_name") or "",
        external_id=said.get("external_id") or "",
        region=said.get("region") or "",
        avatar_url=said.get("avatar_url") or "",
    )


def player_named(visit: Visit, text: str) -> PlayerInfo | None:
    """Return the studio's player whom a text means: the studio's id for him, or the platform's. None: nobody."""
    name = text.strip().removeprefix("id:")
    studio_id = visit.studio.studio_id
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        return None
    info = accounts.player_of_studio(studio_id, name)
    uuid = parse_id(name)
    if info is None and uuid is not None:
        info = accounts.player_by_uuid(uuid, studio_id=studio_id)
    return None if info is None or info.erased else info


def answer(
    request: HttpRequest,
    page: str,
    visit: Visit,
    board: Chosen,
    /,
    *,
    tab: str,
    refused: bool = False,
    **context: Any,
) -> HttpResponse:
    """Answer with a page of a board."""
    common = {"visit": visit, "here": "leaderboards", "board": board, "tab": tab}
    status = 422 if refused else 200
    return render(request, f"portal/leaderboards/{page}.html", {**common, **context}, status=status)


def to(visit: Visit, page: str, **named: object) -> HttpResponse:
    """Lead to a page of the visited game."""
    about = {"studio": visit.studio.studio_uuid, "game": game_of(visit).uuid}
    return redirect(reverse(page, kwargs=about | named))
