"""What a rank is: pure functions."""

from collections.abc import Sequence
from typing import Final, Literal

TieBreak = Literal["shared", "dense", "earliest"]
TIE_BREAKS: Final = ("shared", "dense", "earliest")


def ranks(
    scores: Sequence[int], *, tie_break: TieBreak, first_place: int, before: int, scores_before: int = 0
) -> list[int]:
    """Return the ranks of a board's consecutive scores, by its tie rule.

    `first_place` is the place of the first one from 0; `before` is how many players are ranked before its score, fewer
    where the page begins within a tie; `scores_before` how many different scores are, which only `dense` asks for.
    """
    if tie_break == "earliest":
        return list(range(first_place + 1, first_place + 1 + len(scores)))
    if tie_break == "dense":
        return _dense(scores, scores_before=scores_before)
    return shared_ranks(scores, first_place=first_place, before=before)


def rank_of(tie_break: TieBreak, *, place: int, before: int, scores_before: int) -> int:
    """Return the rank of one player: his place from 0, players before his score, different scores before it."""
    return 1 + {"shared": before, "dense": scores_before, "earliest": place}[tie_break]


def shared_ranks(scores: Sequence[int], *, first_place: int, before: int) -> list[int]:
    """Return ranks where equal scores share one and the next is skipped (1, 2, 2, 4); see `ranks`."""
    found: list[int] = []
    for place, score in enumerate(scores, start=first_place):
        if not found:
            found.append(before + 1)
        elif score == scores[len(found) - 1]:
            found.append(found[-1])
        else:
            found.append(place + 1)
    return found


def _dense(scores: Sequence[int], *, scores_before: int) -> list[int]:
    """Return ranks where equal scores share one and none is skipped (1, 2, 2, 3)."""
    found: list[int] = []
    rank = scores_before
    for place, score in enumerate(scores):
        if place == 0 or score != scores[place - 1]:
            rank += 1
        found.append(rank)
    return found


def percentile(*, rank: int, total: int) -> float:
    """Return the percent of a board's players who are ranked the same or lower, oneself included, to four decimals.

    The first has 100, the last of a thousand 0.1. `rank` is one where equal scores share the best of their places,
    whatever rule the board shows. Source: the percentile rank's inclusive form, "percent at or below".
    """
    return round(100 * (total - rank + 1) / total, 4)
