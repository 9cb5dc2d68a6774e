"""Documents of definitions: flat and back, what differs, and changes by two who do not meet."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from achievements import documents
from core import wording

TEXTS = st.text(min_size=1, max_size=8)
LANGUAGES = st.sampled_from(["de", "fr", "pt-BR"])
TRANSLATIONS = st.dictionaries(
    LANGUAGES, st.fixed_dictionaries({}, optional={"name": TEXTS, "description": TEXTS}).filter(bool)
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "description": st.text(max_size=5),
        "points": st.integers(0, 9),
        "type": st.sampled_from(["standard", "meta"]),
        "target": st.none() | st.integers(1, 9),
        "stat": st.none() | TEXTS,
        "goal": st.none() | st.just({"stat": "kills", "at_least": 1}),
        "requires": st.lists(TEXTS, max_size=2),
        "requires_count": st.none() | st.integers(1, 3),
        "hidden": st.booleans(),
        "authority": st.sampled_from(["server", "client"]),
        "group": TEXTS,
        "icon_url": st.text(max_size=3),
        "icon_locked_url": st.text(max_size=3),
        "available_from": st.none() | st.just("2027-01-01T00:00:00.000Z"),
        "available_until": st.none(),
        "translations": TRANSLATIONS,
    }
)


@given(DOCUMENTS)
def test_flat_and_back_is_the_document(one: dict[str, Any]) -> None:
    assert documents.unflat(documents.flat(one)) == one


@pytest.mark.slow
@given(DOCUMENTS, DOCUMENTS)
def test_what_differs_makes_one_of_the_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = documents.flat(one), documents.flat(other)
    changes = {name: new for name, (_, new) in documents.differences(before, after).items()}
    assert documents.changed(before, changes) == after
    assert not documents.differences(after, after)


@pytest.mark.slow
@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_changes_of_two_stand_together_where_they_do_not_meet(
    began: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    start = documents.flat(began)
    own = documents.differences(start, documents.flat(mine))
    other = documents.differences(start, documents.flat(theirs))
    merged = documents.changed(documents.flat(theirs), {name: new for name, (_, new) in own.items()})
    assert all(merged.get(name) == new for name, (_, new) in own.items())
    assert all(merged.get(name) == new for name, (_, new) in other.items() if name not in own)


@pytest.mark.slow
@given(DOCUMENTS, DOCUMENTS)
def test_values_of_changed_fields_make_the_other_document(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = documents.flat(one), documents.flat(other)
    values = documents.values_of(after, documents.differences(before, after))
    assert {**one, **values} == other


@given(st.text(max_size=60), st.text(max_size=60))
def test_pieces_of_two_texts_make_both(old: str, new: str) -> None:
    pieces = wording.compare(old, new)
    assert " ".join(one.text for one in pieces if one.kind != "new").split() == old.split()
    assert " ".join(one.text for one in pieces if one.kind != "old").split() == new.split()


def test_words_are_compared_and_not_letters() -> None:
    pieces = wording.compare("Hear all six voices.", "Hear all seven voices.")
    assert [(one.kind, one.text) for one in pieces] == [
        ("same", "Hear all"),
        ("old", "six"),
        ("new", "seven"),
        ("same", "voices."),
    ]


def test_what_is_very_long_is_shown_as_written_anew() -> None:
    old = "a " * 1_000
    assert [one.kind for one in wording.compare(old, old + "b")] == ["old", "new"]
