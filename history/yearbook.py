"""A year in review as its page shows it: figures beside those of the year before, and months to be drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from achievements.selectors.cards import Rarity, address_by_key
from social.page_models import UnlockRow

_HEIGHT, _STEP, _WIDTH, _BASE = 120, 46, 30, 140  # of the drawing, in its own units
_LEAST = 2.0  # a bar shorter than that can't be seen
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the year, and how much more than in the year before; `more` None where there was no such year."""

    name: str
    value: int
    before: int
    more: int | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A month: its figures, and its bar as SVG attributes (no height for nothing)."""

    at: date
    unlocks: int
    points: int
    hours: float
    x: int
    y: float
    width: int
    height: float
    is_best: bool

    @property
    def middle(self) -> int:
        """Where its name stands."""
        return self.x + self.width // 2


@dataclass(frozen=True, slots=True)
class Played:
    """A game of the year; `percent` is its share of what the first one has."""

    game_id: UUID
    title: str
    unlocks: int
    points: int
    hours: float
    percent: float


@dataclass(frozen=True, slots=True)
class Yearbook:
    """What a year's page shows; `days` as the API tells them, None for a year of which not all are kept."""

    year: int
    previous: int
    following: int | None
    is_over: bool
    points: Figure
    figures: tuple[Figure, ...]
    months: tuple[Bar, ...]
    best_month: Bar | None
    games: tuple[Played, ...]
    days: Mapping[str, Any] | None
    busiest: date | None
    rarest: tuple[UnlockRow, ...]
    first: UnlockRow | None
    last: UnlockRow | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not self.games

    @property
    def finding(self) -> str:
        """What the drawing of the months says."""
        if self.best_month is None:
            return f"No unlocks in {self.year}"
        total = sum(month.unlocks for month in self.months)
        return (
            f"{total:,} unlocks in {self.year}, most in {self.best_month.at:%B}: {self.best_month.unlocks:,}"
        )


def yearbook(recap: Mapping[str, Any], *, following: int | None) -> Yearbook:
    """Return a recap (history.selectors.recaps) as its page shows it; `following` is the next year that has one."""
    months, days = _months(recap["months"]), recap["days"]
    busiest = days["busiest"] if days else None
    points, *figures = _figures(recap["totals"], recap["previous_totals"])
    return Yearbook(
        year=recap["year"],
        previous=recap["year"] - 1,
        following=following,
        is_over=recap["is_over"],
        points=points,
        figures=tuple(figures),
        months=months,
        best_month=next((month for month in months if month.is_best), None),
        games=_games(recap["games"]),
        days=days,
        busiest=date.fromisoformat(busiest["date"]) if busiest else None,
        rarest=tuple(_unlock(one) for one in recap["rarest_unlocks"]),
        first=_unlock(recap["first_unlock"]) if recap["first_unlock"] else None,
        last=_unlock(recap["last_unlock"]) if recap["last_unlock"] else None,
    )


def _figures(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[Figure]:
    return [
        _figure("Points", now["points"], before["points"], before),
        _figure("Unlocks", now["unlocks"], before["unlocks"], before),
        _figure("Games", now["games"], before["games"], before),
        _figure("Hours played", _hours(now), _hours(before), before),
    ]


def _figure(name: str, value: float, was: float, before: Mapping[str, Any]) -> Figure:
    return Figure(name, int(value), int(was), int(value) - int(was) if before["games"] else None)


def _hours(figures: Mapping[str, Any]) -> float:
    return float(figures["playtime"]) / _HOUR_S


def _months(listed: Sequence[Mapping[str, Any]]) -> tuple[Bar, ...]:
    most = max(month["unlocks"] for month in listed)
    best = next((month for month in listed if most > 0 and month["unlocks"] == most), None)
    bars = []
    for number, month in enumerate(listed):
        height = max(_LEAST, _HEIGHT * month["unlocks"] / most) if month["unlocks"] > 0 else 0.0
        bars.append(
            Bar(
                at=date.fromisoformat(f"{month['month']}-01"),
                unlocks=month["unlocks"],
                points=month["points"],
                hours=_hours(month),
                x=8 + number * _STEP,
                y=round(_BASE - height, 1),
                width=_WIDTH,
                height=round(height, 1),
                is_best=month is best,
            )
        )
    return tuple(bars)


def _games(listed: Sequence[Mapping[str, Any]]) -> tuple[Played, ...]:
    by = "playtime" if any(game["playtime"] for game in listed) else "points"
    most = max((game[by] for game in listed), default=0)
    return tuple(
        Played(
            UUID(game["game_id"]),
            game["name"],
            game["unlocks"],
            game["points"],
            _hours(game),
            100 * max(0, game[by]) / most if most > 0 else 0.0,
        )
        for game in listed
    )


def _unlock(one: Mapping[str, Any]) -> UnlockRow:
    told = one["rarity"]
    return UnlockRow(
        game_id=UUID(one["game_id"]),
        game_title=one["game"],
        key=one["key"],
        name=one["name"],
        icon_url=one["icon_url"],
        points=one["points"],
        unlocked_at=datetime.fromisoformat(one["unlocked_at"]),
        rarity=Rarity(told.unlocked_percent, told.players, told.tier),
        url=address_by_key(UUID(one["game_id"]), one["key"]),
    )
