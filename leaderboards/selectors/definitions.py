"""What boards a game declares, kept in the process for a moment."""

import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from accounts import selectors as accounts
from leaderboards.keys import Board
from leaderboards.models import Leaderboard
from leaderboards.rules import periods, scores
from leaderboards.rules.periods import Reset, Span, Window
from leaderboards.rules.ranks import TieBreak
from leaderboards.rules.scores import Operator, Sort
from stats.selectors.uses import Use

KEPT_S = 2.0
_KEPT_GAMES = 500
POINTS = "points"


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """A board as its studio declared it; bounds are whole numbers of its smallest step."""

    id: int
    uuid: UUID
    studio_id: int
    game_id: int
    key: str
    name: str
    sort: Sort
    operator: Operator
    tie_break: TieBreak
    decimals: int
    format: str
    authority: str
    stat: str | None
    reset: Reset
    cron: str
    time_zone: str
    extra_spans: tuple[Span, ...]
    attempts_limit: int | None
    min_units: int | None
    max_units: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    metadata: Mapping[str, Any]
    archived: bool
    epoch: int
    version: int
    created_at: datetime
    updated_at: datetime
    flag_units: int | None = None
    flag_z: float | None = None

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans that a submission feeds, the main one first."""
        return periods.spans_of(self.reset, self.extra_spans)

    @property
    def main_span(self) -> Span:
        """The span that `reset` declares."""
        return periods.RESETS[self.reset]

    def number(self, sort_value: int) -> int | float:
        """Return a score, kept as boards sort it, as the API shows it."""
        return self.shown(scores.sort_value(sort_value, sort=self.sort))

    def shown(self, units: int) -> int | float:
        """Return a score in the board's smallest steps as the API shows it."""
        return scores.to_number(units, decimals=self.decimals)

    def window(self, span: Span, at: datetime) -> Window:
        """Return the period of a span that a moment lies in."""
        return periods.window(span, at, zone=self.time_zone, cron=self.cron)

    def order(self, period_id: int, region: str | None = None) -> Board:
        """Return the order of one of its periods."""
        return Board(self.game_id, region, period_id, self.tie_break)


_kept: OrderedDict[int, tuple[float, dict[str, BoardInfo]]] = OrderedDict()
_lock = threading.Lock()


def boards(game_id: int) -> dict[str, BoardInfo]:
    """Return a game's boards by key, oldest first, KEPT_S old at most; the points board is not among them."""
    loaded_at, found = _kept.get(game_id, (float("-inf"), {}))
    return found if time.monotonic() - loaded_at < KEPT_S else fresh_boards(game_id)


def fresh_boards(game_id: int) -> dict[str, BoardInfo]:
    """Return a game's boards by key as they are now."""
    now = time.monotonic()
    found = {row.key: info_of(row) for row in Leaderboard.objects.filter(game_id=game_id).order_by("id")}
    with _lock:
        _kept[game_id] = now, found
        _kept.move_to_end(game_id)
        while len(_kept) > _KEPT_GAMES:
            _kept.popitem(last=False)
    return found


def boards_by_id(ids: Iterable[int]) -> dict[int, BoardInfo]:
    """Return boards of any games by internal id as they are now, in one query."""
    return {row.pk: info_of(row) for row in Leaderboard.objects.filter(pk__in=set(ids))}


def boards_of(game_ids: Iterable[int]) -> list[BoardInfo]:
    """Return games' boards as they are now, oldest first, in one query; without archived ones."""
    rows = Leaderboard.objects.filter(game_id__in=list(game_ids), archived_at=None)
    return [info_of(row) for row in rows.order_by("id")]


def names(game_ids: Iterable[int]) -> dict[tuple[int, str], str]:
    """Return what games' boards are called, by game and key, in one query; archived ones too."""
    rows = Leaderboard.objects.filter(game_id__in=set(game_ids))
    return {(game_id, key): name for game_id, key, name in rows.values_list("game_id", "key", "name")}


def fed_boards(game_ids: Iterable[int]) -> list[BoardInfo]:
    """Return the games' boards that a stat feeds, as they are now, in one query; without archived ones."""
    fed = Leaderboard.objects.filter(game_id__in=list(game_ids), stat__isnull=False, archived_at=None)
    return [info_of(row) for row in fed.order_by("id")]


def fed_by_stats(game_id: int) -> dict[str, list[Use]]:
    """Return which boards each of a game's stats feeds, by its key (STAT_USES)."""
    found: dict[str, list[Use]] = {}
    for board in fed_boards([game_id]):
        found.setdefault(board.stat or "", []).append(Use("leaderboard", board.key, board.name))
    return found


def board(game_id: int, key: str) -> BoardInfo | None:
    """Return a board by its key, however that is composed; what is not kept is looked up."""
    return boards(game_id).get(_composed(key)) or fresh_board(game_id, key)


def fresh_board(game_id: int, key: str) -> BoardInfo | None:
    """Return a board by its key, however that is composed, as it is now."""
    return fresh_boards(game_id).get(_composed(key))


def _composed(key: str) -> str:
    return unicodedata.normalize("NFC", key)


def studio_of(game_id: int) -> int | None:
    """Return the studio of a game, None for one that is gone."""
    game = accounts.games_by_id([game_id]).get(game_id)
    return None if game is None else game.studio_id


def forget() -> None:
    """Empty this process's kept boards (after a change here, and between tests)."""
    with _lock:
        _kept.clear()


def info_of(row: Leaderboard) -> BoardInfo:
    """Return a row as others see it."""
    return BoardInfo(
        id=row.pk,
        uuid=row.uuid,
        studio_id=row.studio_id,
        game_id=row.game_id,
        key=row.key,
        name=row.name,
        sort=cast("Sort", row.sort),
        operator=cast("Operator", row.operator),
        tie_break=cast("TieBreak", row.tie_break),
        decimals=row.decimals,
        format=row.format,
        authority=row.authority,
        stat=row.stat,
        reset=cast("Reset", row.reset),
        cron=row.cron,
        time_zone=row.time_zone,
        extra_spans=tuple(cast("list[Span]", row.spans)),
        attempts_limit=row.attempts_limit,
        min_units=row.min_units,
        max_units=row.max_units,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        metadata=row.metadata,
        archived=row.archived_at is not None,
        epoch=row.epoch,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        flag_units=row.flag_units,
        flag_z=row.flag_z,
    )
