"""How the players' pages call spans, periods, scores and rules. They speak English."""

from datetime import UTC, date, datetime
from typing import Final

from core import spoken
from leaderboards.rules import scores as rules
from leaderboards.rules.periods import ALL_TIME
from leaderboards.rules.showing import shown
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.selectors.periods import PeriodInfo

PRESENT: Final = {
    "all": "All time",
    "day": "Today",
    "week": "This week",
    "month": "This month",
    "cron": "This round",
}
ORDER: Final = ("cron", "day", "week", "month", "all")
WITHIN: Final = {
    "all": "yet",
    "day": "today",
    "week": "this week",
    "month": "this month",
    "cron": "in this round",
}
SORTED: Final = {"desc": "higher is better", "asc": "lower is better"}
TIES: Final = {
    "shared": "Equal {scores} share a rank and the next rank is skipped: 1, 2, 2, 4. Of equals, whoever got there first"
    " is listed first.",
    "dense": "Equal {scores} share a rank and none is skipped: 1, 2, 2, 3. Of equals, whoever got there first is listed"
    " first.",
    "earliest": "Nobody is tied: of equal {scores}, whoever got there first is ahead.",
}
_ORDINALS: Final = {1: "1st", 2: "2nd", 3: "3rd"}


def period(one: PeriodInfo) -> str:
    """Return what a period is called: `Week 48, 2026`, `November 2026`, `25 Nov 2026`."""
    if one.name == ALL_TIME or one.starts_at is None:
        return PRESENT["all"]
    if one.span == "week":
        year, _, week = one.name.partition("-W")
        return f"Week {int(week)}, {year}"
    if one.span == "month":
        return spoken.day(date.fromisoformat(f"{one.name}-01"), "F Y")
    if one.span == "day":
        return spoken.day(date.fromisoformat(one.name))
    return f"From {spoken.moment(one.starts_at)} UTC"


def ties(tie_break: str, *, info: BoardInfo | None) -> str:
    """Return in a sentence or two what becomes of equal scores."""
    column = counted(info)
    return TIES[tie_break].format(scores="points" if info is None else f"{column.lower()}s")


def counted(info: BoardInfo | None) -> str:
    """Return what a board's column of scores is called."""
    if info is None:
        return "Points"
    return {"time_ms": "Time", "time_s": "Time"}.get(info.format, "Score")


def score(info: BoardInfo | None, sort_value: int) -> str:
    """Return a score as the board writes it; of points without their unit."""
    if info is None:
        return spoken.whole(-sort_value)
    return shown(rules.sort_value(sort_value, sort=info.sort), decimals=info.decimals, format=info.format)


def gap(info: BoardInfo | None, steps: int) -> str:
    """Return a difference of scores in words: `15 points`, `0.41 s`, `2 more`, `2 less` where that is better."""
    if info is None:
        return "1 point" if steps == 1 else f"{spoken.whole(steps)} points"
    text = shown(steps, decimals=info.decimals, format=info.format)
    if counted(info) == "Time":
        return text
    return f"{text} {'more' if info.sort == 'desc' else 'less'}"


def place(rank: int, *, tied: bool) -> str:
    """Return a podium's rank: `1st`, `2nd, tied`."""
    text = _ORDINALS.get(rank, f"{rank}th")
    return f"{text}, tied" if tied else text


def share(before: int, total: int) -> str:
    """Return among which part of the players somebody is who has so many before him: `Top 2.8%`."""
    percent = 100 * (before + 1) / total
    return f"Top {spoken.percentage(f'{max(percent, 0.1):.1f}'.removesuffix('.0'))}"


def since(at: datetime | None, *, now: datetime, days: int) -> str:
    """Return since when changes are told: the usual days, or the oldest snapshot."""
    if at is None or (now - at).days >= days:
        return f"{days} days"
    return f"Since {spoken.day(at.astimezone(UTC), 'j M')}" if at.date() != now.date() else "Today"
