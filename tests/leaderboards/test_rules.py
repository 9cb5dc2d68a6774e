"""What a rank is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboards.rules import ranks as rules

SCORES = st.lists(st.integers(0, 6), max_size=60).map(lambda scores: sorted(scores, reverse=True))


@pytest.mark.parametrize(
    ("scores", "ranks"),
    [
        ([], []),
        ([7], [1]),
        ([9, 7, 7, 4], [1, 2, 2, 4]),
        ([5, 5, 5], [1, 1, 1]),
        ([5, 5, 0, 0, 0], [1, 1, 3, 3, 3]),
    ],
)
def test_equal_scores_share_a_rank_and_the_next_is_skipped(scores: list[int], ranks: list[int]) -> None:
    assert rules.shared_ranks(scores, first_place=0, before=0) == ranks


@given(SCORES, st.integers(0, 60), st.integers(1, 60))
def test_every_part_of_a_board_has_the_ranks_of_the_whole(scores: list[int], start: int, size: int) -> None:
    counted = [1 + sum(other > score for other in scores) for score in scores]
    part = scores[start : start + size]
    before = sum(score > part[0] for score in scores) if part else 0
    assert rules.shared_ranks(part, first_place=start, before=before) == counted[start : start + size]


@pytest.mark.parametrize(
    ("rank", "total", "percent"), [(1, 1, 100.0), (1, 1000, 100.0), (1000, 1000, 0.1), (2, 3, 66.6667)]
)
def test_the_percentile_counts_the_player_himself_and_all_below(
    rank: int, total: int, percent: float
) -> None:
    assert rules.percentile(rank=rank, total=total) == percent
