"""What an import would change, and files that go out and come back."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from achievements import rules
from achievements.formats import export, parse
from achievements.formats.diff import compare
from achievements.formats.document import ImportedAchievement
from core import texts

CURRENT: dict[str, object] = {
    "key": "first-light",
    "name": "First light",
    "description": "See the sun rise.",
    "points": 10,
    "type": "standard",
    "target": None,
    "stat": None,
    "requires": [],
    "hidden": False,
    "authority": "server",
    "state": "published",
    "group": "base",
    "sort_order": 1,
    "icon_url": "",
    "icon_locked_url": "",
    "available_from": datetime(2026, 1, 1, tzinfo=UTC),
    "available_until": None,
    "translations": {"fr": {"name": "Première lueur", "description": "Voir l'aube."}},
}


def imported(**values: object) -> ImportedAchievement:
    return ImportedAchievement(row=1, key="first-light", **values)  # type: ignore[arg-type]


def test_what_a_file_leaves_unsaid_stays() -> None:
    diff = compare(
        [CURRENT],
        [
            imported(points=10),
        ],
    )
    assert diff.unchanged == ("first-light",)
    assert not diff.created
    assert not diff.updated
    assert not diff.errors


def test_a_change_names_the_field_with_old_and_new() -> None:
    [change] = compare([CURRENT], [imported(points=20, name="First light", hidden=True)]).updated
    assert change.fields == {"points": (10, 20), "hidden": (False, True)}


@pytest.mark.parametrize("state", ["published", "archived"])
def test_what_players_may_hold_is_made_a_draft_by_no_file(state: str) -> None:
    diff = compare([CURRENT | {"state": state}], [imported(state="draft")])
    assert [error.detail for error in diff.errors] == [f'"first-light": {rules.NEVER_A_DRAFT_AGAIN}']
    assert not compare([CURRENT | {"state": "draft"}], [imported(state="draft", points=20)]).errors


def test_translations_are_added_to_those_that_are_there() -> None:
    [change] = compare(
        [CURRENT], [imported(translations={"de": {"name": "Licht"}, "fr": {"name": "Lueur"}})]
    ).updated
    assert change.fields["translations"][1] == {
        "fr": {"name": "Lueur", "description": "Voir l'aube."},
        "de": {"name": "Licht"},
    }


def test_a_new_definition_is_created_and_others_are_left_alone() -> None:
    diff = compare([CURRENT], [ImportedAchievement(row=1, key="second", name="Second")])
    assert [a.key for a in diff.created] == ["second"]
    assert diff.unchanged == ()


def test_a_new_definition_needs_a_name_and_takes_a_translated_one() -> None:
    nameless = ImportedAchievement(row=4, key="third")
    [error] = compare([], [nameless]).errors
    assert (error.row, "no name" in error.detail) == (4, True)
    finnish = ImportedAchievement(row=1, key="third", translations={"fi": {"name": "Kolmas"}})
    assert compare([], [finnish]).created[0].name == "Kolmas"


def test_a_change_that_contradicts_what_stays_is_an_error() -> None:
    [error] = compare([CURRENT], [imported(target=5)]).errors
    assert "incremental" in error.detail
    [window] = compare([CURRENT], [imported(available_until=datetime(2025, 1, 1, tzinfo=UTC))]).errors
    assert "before it starts" in window.detail


def test_an_export_imports_again_unchanged() -> None:
    again = parse("laurel", export.to_laurel([{**CURRENT, "rarity": {"unlocked": 3}, "id": "x"}]))
    assert again.errors == ()
    assert compare([CURRENT], again.achievements).unchanged == ("first-light",)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
DEFINITIONS = st.fixed_dictionaries(
    {
        "key": TEXT,
        "name": TEXT,
        "description": TEXT,
        "points": st.integers(0, 100_000),
        "hidden": st.booleans(),
    },
    optional={
        "translations": st.dictionaries(
            st.sampled_from(["fr", "pt-BR"]), st.fixed_dictionaries({"name": TEXT})
        )
    },
).filter(lambda d: all(_is_clean(name, d[name]) for name in d))


def _is_clean(name: str, value: object) -> bool:
    try:
        return (texts.clean_key if name == "key" else rules.CLEAN[name])(value) == value
    except ValueError:
        return False


@pytest.mark.slow
@given(st.lists(DEFINITIONS, min_size=1, max_size=4, unique_by=lambda d: d["key"]))
@settings(max_examples=100, deadline=None)
def test_any_definitions_survive_the_way_out_and_in(definitions: list[dict[str, object]]) -> None:
    again = parse("laurel", export.to_laurel(definitions))
    assert again.errors == ()
    assert compare(definitions, again.achievements).unchanged == tuple(str(d["key"]) for d in definitions)


def rows_of(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_no_cell_of_a_csv_is_taken_for_a_formula() -> None:
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\uff1dx", "'x", "x=1"]
    rows = rows_of(
        export.to_csv([{"key": f"k{i}", "name": text, "sort_order": -5} for i, text in enumerate(texts)])
    )
    names = [row[1] for row in rows[1:]]
    assert names == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "'\uff1dx", "'x", "x=1"]
    assert {row[rows[0].index("sort_order")] for row in rows[1:]} == {"-5"}


def test_a_csv_has_a_column_for_each_language() -> None:
    header, row = rows_of(export.to_csv([CURRENT]))
    cells = dict(zip(header, row, strict=True))
    assert cells["name[fr]"] == "Première lueur"
    assert cells["available_from"] == "2026-01-01T00:00:00Z"
    assert (cells["hidden"], cells["target"], cells["requires"]) == ("false", "", "")
    assert rows_of(export.to_csv([]))[0][0] == "key"
