"""A board as a child would keep it: lists and dictionaries, and everybody looked at each time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

Rule = Literal["shared", "dense", "earliest"]
Line = tuple[int, str, int]
"""Rank, player and score."""
ALL_TIME = "all"
_DAY = timedelta(days=1)


@dataclass
class Held:
    """What a player holds in a period, when it was reached, and what the board knows of the player."""

    score: int
    turn: int
    region: str
    is_excluded: bool
    is_hidden: bool = False


def ranks_of(scores: Sequence[int], rule: Rule) -> list[int]:
    """Return the ranks of a board's scores in order."""
    if rule == "earliest":
        return [place + 1 for place in range(len(scores))]
    if rule == "dense":
        return [1 + len(set(scores[: scores.index(score)])) for score in scores]
    return [1 + scores.index(score) for score in scores]


@dataclass
class Model:
    """A daily board that counts all time beside it, in regions too.

    Who is excluded, and where players live, comes to their scores with `hear` only; a new score knows it at once.
    """

    operator: str
    is_descending: bool
    rule: Rule
    today: date
    is_grace: bool = False  # yesterday takes late scores
    periods: dict[str, dict[str, Held]] = field(default_factory=dict)  # those in which anybody ever scored
    final: set[str] = field(default_factory=set)
    regions: dict[str, str] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    turns: int = 0

    def named(self, which: str) -> str:
        """Return the name of the period that is `today`, `yesterday` or `all`."""
        return {"today": f"{self.today}", "yesterday": f"{self.today - _DAY}"}.get(which, which)

    def live(self) -> list[str]:
        """Return the periods that may still change."""
        return [name for name in self.periods if name not in self.final]

    def submit(self, player: str, score: int, *, is_late: bool) -> dict[str, int]:
        """Take a score of today, or one of yesterday that comes late; return what is held where it counted."""
        self.turns += 1
        days = [self.named("today")] if not is_late else [self.named("yesterday")] if self.is_grace else []
        counted = [*days, ALL_TIME]
        for period in counted:
            self._weigh(self.periods.setdefault(period, {}), player, score)
        return {period: self.periods[period][player].score for period in counted}

    def _weigh(self, period: dict[str, Held], player: str, score: int) -> None:
        held = period.get(player)
        if held is None:
            period[player] = Held(
                score, self.turns, self.regions.get(player, ""), is_excluded=player in self.excluded
            )
        elif self.operator == "sum":
            if score:
                held.score, held.turn = held.score + score, self.turns
        elif self.operator == "last" or self.place(score) < self.place(held.score):
            held.score, held.turn = score, self.turns

    def hear(self) -> None:
        """Bring to the scores who is excluded and where players live, as far as periods are not final."""
        for period in self.live():
            for player, held in self.periods[period].items():
                held.region, held.is_excluded = self.regions.get(player, ""), player in self.excluded

    def end_grace(self) -> None:
        """Let yesterday become final."""
        self.is_grace = False
        self.final |= {self.named("yesterday")} & self.periods.keys()

    def end_day(self) -> None:
        """Let tomorrow begin."""
        self.end_grace()
        self.today += _DAY
        self.is_grace = True

    def place(self, score: int) -> int:
        """Return what scores are sorted by, smallest first."""
        return -score if self.is_descending else score

    def seen(self, period: str, region: str | None) -> dict[str, tuple[int, int]]:
        """Return what is shown of each player, in order: place by score, then by time."""
        shown = {
            player: (self.place(held.score), held.turn)
            for player, held in self.periods[period].items()
            if not held.is_hidden and not held.is_excluded and region in (None, held.region)
        }
        return dict(sorted(shown.items(), key=lambda one: one[1]))

    def lines(self, period: str, region: str | None) -> list[Line]:
        """Return the whole board."""
        players = list(self.seen(period, region))
        scores = [self.periods[period][player].score for player in players]
        return list(zip(ranks_of(scores, self.rule), players, scores, strict=True))

    def rank_if(self, scores: Iterable[int], new: int) -> int:
        """Return the rank of a score that came now to a board of `scores`, behind those that are equal."""
        listed = sorted([*scores, new], key=self.place)
        last = len(listed) - 1 - listed[::-1].index(new)
        return ranks_of(listed, self.rule)[last]
