"""What a board's choices are called, each with a sentence that says what it does."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboards.models import PeriodState
from leaderboards.rules.periods import ALL_TIME
from leaderboards.rules.ranks import TIE_BREAKS
from leaderboards.rules.showing import example_ranks
from leaderboards.selectors.definitions import BoardInfo

Told = dict[str, tuple[Promise, Promise]]

SORTS: Final[Told] = {
    "desc": (_("More is better"), _("The highest score is first: points, distance, kills.")),
    "asc": (_("Less is better"), _("The lowest score is first: times, strokes, deaths.")),
}
OPERATORS: Final[Told] = {
    "best": (_("Best"), _("A player's best score stays; a worse one changes nothing.")),
    "last": (_("Latest"), _("The latest score replaces the one before, also by a worse one.")),
    "sum": (_("Sum"), _("Scores add up over the period.")),
}
TIES: Final[Told] = {
    "shared": (_("Shared"), _("Equal scores share a rank, and the ranks behind them are skipped.")),
    "dense": (_("Dense"), _("Equal scores share a rank, and none is skipped.")),
    "earliest": (
        _("Earliest first"),
        _("Of equal scores the one that was reached first is ahead: nobody is tied."),
    ),
}
FORMATS: Final[Told] = {
    "number": (_("Number"), _("12,345")),
    "time_ms": (_("Time, sent in milliseconds"), _("83456 is shown as 1:23.456")),
    "time_s": (_("Time, sent in seconds"), _("83 is shown as 1:23")),
    "currency": (_("Currency"), _("The amount without a sign: your game knows which currency it is.")),
    "percent": (_("Percent"), _("12 is shown as 12%")),
}
AUTHORITIES: Final[Told] = {
    "server": (_("Your servers"), _("Only server keys may submit. Nobody else can claim a score.")),
    "client": (
        _("Players, too"),
        _(
            "The game itself may submit with a player's token. Bound the scores below: a token can be misused."
        ),
    ),
}
RESETS: Final[Told] = {
    "never": (_("Never"), _("One period for all time.")),
    "daily": (_("Every day"), _("A new period at midnight.")),
    "weekly": (_("Every week"), _("A new period on Monday at midnight.")),
    "monthly": (_("Every month"), _("A new period on the first at midnight.")),
    "cron": (_("By a cron expression"), _("A new period whenever it fires, at most once an hour.")),
}
SPANS: Final = {
    "all": _("All time"),
    "day": _("Day"),
    "week": _("Week"),
    "month": _("Month"),
    "cron": _("By the cron expression"),
}
PRESENT: Final = {
    "all": _("All time"),
    "day": _("Today"),
    "week": _("This week"),
    "month": _("This month"),
    "cron": _("The present period"),
}
STATES: Final = {
    PeriodState.OPEN: _("Open"),
    PeriodState.FINALISING: _("Finalising"),
    PeriodState.FINAL: _("Final"),
}
EXAMPLES: Final = {rule: ", ".join(map(str, example_ranks(rule))) for rule in TIE_BREAKS}
"""The ranks of four scores of which the second and third are equal, by tie rule."""


def label(told: Told, value: str) -> str:
    """Return what a choice is called."""
    return str(told[value][0])


def sentence(told: Told, value: str) -> str:
    """Return what a choice does."""
    return str(told[value][1])


def period(name: str) -> str:
    """Return what a period is called."""
    return str(SPANS["all"]) if name == ALL_TIME else name


def order_of(info: BoardInfo) -> str:
    """Return in few words what is first on a board and what a submission makes of the score before it."""
    return f"{label(SORTS, info.sort)} · {label(OPERATORS, info.operator)}"
