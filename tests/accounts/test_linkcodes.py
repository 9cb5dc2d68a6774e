"""Link codes as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import linkcodes

CODES = st.text(alphabet=linkcodes.ALPHABET, min_size=linkcodes.LENGTH, max_size=linkcodes.LENGTH)


@pytest.mark.slow
@given(CODES, st.sampled_from([str.lower, str.upper]), st.sampled_from(["", "-", " ", " - "]))
def test_a_code_is_read_as_it_was_shown(code: str, case: object, between: str) -> None:
    typed = between.join(linkcodes.shown(code))
    assert linkcodes.read(case(typed)) == code  # type: ignore[operator]


@given(st.text(max_size=64))
def test_any_other_text_is_a_code_or_none(text: str) -> None:
    code = linkcodes.read(text)
    assert code is None or linkcodes.read(linkcodes.shown(code)) == code


def test_new_codes_differ_and_can_be_read() -> None:
    codes = {linkcodes.new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(linkcodes.read(code) == code for code in codes)
    assert len({linkcodes.code_hash(code) for code in codes}) == 1000
