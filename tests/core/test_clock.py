"""Times as the API writes them."""

from hypothesis import given
from hypothesis import strategies as st

from core.clock import from_microseconds, rfc3339, rfc3339_us


@given(st.integers(-(10**15), 4 * 10**15))
def test_microseconds_are_written_as_the_time_that_they_are(us: int) -> None:
    assert rfc3339_us(us) == rfc3339(from_microseconds(us))
