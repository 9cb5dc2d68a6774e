"""What follows from a player's days, in whatever order they become known."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from analytics.rules import attendance
from analytics.rules.attendance import Key

DAYS = st.dictionaries(st.integers(19_000, 19_200), st.sampled_from(["EU", "NA", ""]), max_size=25)


def added_up(counted: Counter[Key], kind: str) -> dict[int, int]:
    """Return the running sums of a count that is kept as differences."""
    changes = {key[1]: n for key, n in counted.items() if key[0] == kind}
    running, found = 0, {}
    for day in range(min(changes, default=0), max(changes, default=0)):
        running += changes.get(day, 0)
        found[day] = running
    return {day: n for day, n in found.items() if n}


@given(DAYS)
def test_a_player_is_counted_once_in_every_span_that_holds_one_of_his_days(days: dict[int, str]) -> None:
    counted = attendance.parts(days, min(days, default=None))
    for kind, length in (("weekly", attendance.WEEK), ("monthly", attendance.MONTH)):
        assert added_up(counted, kind) == {day + ahead: 1 for day in days for ahead in range(length)}
    for kind, of in (("week", attendance.week_of), ("month", attendance.month_of)):
        assert {key[1]: n for key, n in counted.items() if key[0] == kind} == {of(day): 1 for day in days}
    assert {key[1] for key in counted if key[0] == "new"} == set(sorted(days)[:1])
    assert {key[-1] for key in counted if key[0] == "cohort"} == {
        day - min(days) for day in days if day - min(days) <= attendance.LAST_AGE
    }


@given(DAYS, st.data())
def test_days_may_become_known_in_any_order(days: dict[int, str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(sorted(days)))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(order)), max_size=6)) | {0, len(order)})
    known: dict[int, str] = {}
    counted: Counter[Key] = Counter()
    for begin, end in pairwise(cuts):
        came = {day: days[day] for day in order[begin:end]}
        first_before, first_after = min(known, default=None), min(known | came, default=None)
        spans = attendance.looked_at(came, first_before, first_after)

        def seen(all_days: dict[int, str]) -> dict[int, str]:
            return {
                day: region
                for day, region in all_days.items()
                if any(since <= day <= until for since, until in spans)  # noqa: B023 - called at once
            }

        counted.update(
            attendance.changes(
                seen(known), seen(known | came), first_before=first_before, first_after=first_after
            )
        )
        known |= came
    assert {key: n for key, n in counted.items() if n} == {
        key: n for key, n in attendance.parts(days, min(days, default=None)).items() if n
    }


def test_weeks_begin_on_mondays_and_months_on_their_first() -> None:
    thursday = attendance.number_of(attendance.day_of(0))
    assert attendance.day_of(attendance.week_of(thursday)).isoformat() == "1969-12-29"
    assert attendance.day_of(attendance.week_of(20_000)).weekday() == 0
    assert attendance.day_of(attendance.month_of(20_000)).day == 1
