"""What a rank is: pure functions."""

from collections.abc import Sequence


def shared_ranks(scores: Sequence[int], *, first_place: int, before: int) -> list[int]:
    """Return the ranks of a board's consecutive scores: equal scores share one and the next is skipped (1, 2, 2, 4).

    `first_place` is the place of the first one from 0, `before` how many are ranked before its score: fewer where the
    page begins within a tie.
    """
    ranks: list[int] = []
    for place, score in enumerate(scores, start=first_place):
        if not ranks:
            ranks.append(before + 1)
        elif score == scores[len(ranks) - 1]:
            ranks.append(ranks[-1])
        else:
            ranks.append(place + 1)
    return ranks


def percentile(*, rank: int, total: int) -> float:
    """Return the percent of a board's players who are ranked the same or lower, oneself included, to four decimals.

    The first has 100, the last of a thousand 0.1. Source: the percentile rank's inclusive form, "percent at or below".
    """
    return round(100 * (total - rank + 1) / total, 4)
