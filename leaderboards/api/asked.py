"""What a request about a board means: which board, which period, which order, whose."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework.request import Request

from accounts import people
from accounts import selectors as accounts
from accounts.authentication import TokenHolder, game_of, player_of
from accounts.selectors import GameInfo, KeyHolder, PlayerInfo
from accounts.services import clean_region
from core import clock
from core.clock import rfc3339
from core.ids import parse_id
from core.refusals import Invalid, NotFound
from leaderboards.keys import Board
from leaderboards.rules import scores as rules
from leaderboards.selectors import definitions, periods
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.selectors.periods import PeriodInfo

GLOBAL = "global"
_POINTS_PERIODS = frozenset({"current", "all"})
_ALL_TIME = PeriodInfo(0, "all", "all", None, None, "open")


@dataclass(frozen=True, slots=True)
class Asked:
    """A board as a request means it.

    Attributes:
        key: the board's key.
        info: what the studio declared; None for points.
        order: the order that is read; None while nobody has scored in the period.

    """

    key: str
    info: BoardInfo | None
    period: PeriodInfo
    order: Board | None

    def score(self, sort_value: int) -> int | float:
        """Return a score as the API shows it."""
        if self.info is None:
            return -sort_value
        units = rules.sort_value(sort_value, sort=self.info.sort)
        return rules.to_number(units, decimals=self.info.decimals)

    @property
    def list_name(self) -> str:
        """What cursors of the list are good for."""
        return f"leaderboard {self.order.name if self.order else f'{self.key} {self.period.name}'}"

    @property
    def keeps_ranks(self) -> bool:
        """Whether players' ranks are kept with snapshots: on a game's points, or in a main period that is not final."""
        if self.order is None or self.order.region is not None or self.order.game_id is None:
            return False
        is_main = self.info is None or self.period.span == self.info.main_span
        return is_main and self.period.state != "final"

    @property
    def period_json(self) -> dict[str, Any]:
        """The period as the API shows it."""
        return period_json(self.period)


def period_json(period: PeriodInfo) -> dict[str, Any]:
    """Return a period as the API shows it beside a page."""
    return {
        "id": period.name,
        "span": period.span,
        "state": period.state,
        "starts_at": period.starts_at and rfc3339(period.starts_at),
        "ends_at": period.ends_at and rfc3339(period.ends_at),
    }


def board_of(request: Request, game_id: str, key: str) -> Asked:
    """Return the board that a request is about, in its period and region. Raises NotFound, Invalid."""
    game = None if game_id == GLOBAL else game_named(request, game_id)
    if key == POINTS:
        if (
            request.GET.get("period", "current") not in _POINTS_PERIODS
            or request.GET.get("span", "all") != "all"
        ):
            raise NotFound("There is no such period: a `points` board has one, for all time.")
        order = Board(game.id if game else None, _region(request, game))
        return Asked(POINTS, None, _ALL_TIME, order)
    info = None if game is None else definitions.board(game.id, key)
    if game is None or info is None:
        raise NotFound("There is no such leaderboard.")
    period = period_of(info, request.GET.get("period", "current"), request.GET.get("span"), at=clock.now())
    region = _region(request, game)
    return Asked(info.key, info, period, None if period.id is None else info.order(period.id, region))


def declared(request: Request, game_id: str, key: str) -> tuple[GameInfo, BoardInfo]:
    """Return a board that the studio declared. Raises NotFound, also for the built-in one."""
    game = game_named(request, game_id)
    info = definitions.board(game.id, key)
    if info is None:
        raise NotFound("There is no such leaderboard.")
    return game, info


def period_of(info: BoardInfo, name: str, span: str | None, *, at: datetime) -> PeriodInfo:
    """Return the period that `period` and `span` mean. Raises NotFound."""
    if span is not None and span not in info.spans:
        raise NotFound(f"The leaderboard keeps no such span. It keeps: {', '.join(info.spans)}.")
    if name == "current":
        return periods.current(info, span or info.main_span, at=at)
    if name == "previous":
        found = periods.previous(info, span or info.main_span, at=at)
    else:
        present = [info.window(one, at) for one in info.spans]
        found = periods.named(info, name) or next(
            (periods.current(info, one.span, at=at) for one in present if one.id == name), None
        )
    if found is None or (span is not None and found.span != span):
        raise NotFound("Nobody scored in such a period of this leaderboard.")
    return found


def game_named(request: Request, game_id: str) -> GameInfo:
    """Return the game that a path names, if the caller may know it; without a credential any. Raises NotFound."""
    uuid = parse_id(game_id)
    if uuid is not None and request.auth is not None:
        return game_of(request, uuid)
    game = None if uuid is None else accounts.game(uuid)
    if game is None:
        raise NotFound("There is no such game.")
    return game


def player_named(request: Request, name: str) -> PlayerInfo:
    """Return the player whom a path means; by `id:<uuid>` anybody whom the caller may see. Raises NotFound, Gone."""
    if name.startswith("id:"):
        holder = request.auth
        info = people.found(name, studio_id=holder.studio_id if isinstance(holder, KeyHolder) else None)
        by = holder.player.id if isinstance(holder, TokenHolder) else None
        if info is None or not people.sees(info, by=by):
            raise nobody()
        return info
    if request.auth is None:
        raise NotFound("Without a credential a player is named by `id:<uuid>`.")
    if isinstance(request.auth, KeyHolder) and name.isprintable() and name != "me":
        kept = accounts.kept_player_of_studio(request.auth.studio_id, name)
        if kept is not None and not kept.erased:
            return kept
    return player_of(request, name)


def nobody() -> NotFound:
    """Return the same answer for somebody who does not exist and somebody who is not on the board."""
    return NotFound("There is no such player on this board.")


def _region(request: Request, game: GameInfo | None) -> str | None:
    """Return the region asked for: one that the game declares, or any on the global board."""
    text = request.GET.get("region")
    if text is None:
        return None
    try:
        region = clean_region(text)
    except ValueError as error:
        raise Invalid.value("/region", str(error)) from None
    if not region:
        raise Invalid.value("/region", "The name of a region is expected, such as EU.")
    if game is not None and region not in game.regions:
        fresh = accounts.fresh_game(game.uuid)  # the kept one may be from before the region was declared
        known_regions = fresh.regions if fresh else ()
        if region not in known_regions:
            known = ", ".join(known_regions) or "none"
            raise Invalid.value("/region", f"The game does not declare this region. It declares: {known}.")
    return region
