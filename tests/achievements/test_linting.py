"""What a game's achievements lack: each rule where it begins and where it ends, and whatever else may be there."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from achievements import linting
from achievements.linting import SEVERITIES, STORES, Entry, Finding

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(days=1), NOW + timedelta(days=1)


def fine(key: str, **changes: Any) -> Entry:
    """Return an achievement that nothing is to be said about."""
    values: dict[str, Any] = {
        "name": f"Name of {key}",
        "description": f"Do {key}.",
        "points": 100,
        "icon": f"https://icons.example/{key}.webp",
        "unlocked_percent": 60.0,
    }
    return Entry(key=key, **{**values, **changes})


GAME = [fine(f"a{number}") for number in range(10)]


def found(
    *changed: Entry, stores: tuple[str, ...] = (), gone: tuple[str, ...] = ()
) -> dict[tuple[str, tuple[str, ...]], Finding]:
    """Return what is found when these stand in a fine game instead of its first ones, by rule and stores."""
    entries = [*changed, *GAME[len(changed) :]]
    return {
        (one.rule, one.stores): one for one in linting.lint(entries, gone=gone, for_stores=stores, at=NOW)
    }


def only(of: Mapping[Any, Finding]) -> Finding:
    [one] = of.values()
    return one


def test_a_fine_game_has_nothing_to_mend() -> None:
    assert linting.lint(GAME, at=NOW) == []
    assert linting.lint([], at=NOW) == []


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("missing-description", {"description": ""}),
        ("missing-icon", {"icon": ""}),
        ("icon-contrast", {"poor_on": "dark"}),
        ("duplicate-name", {"name": "NAME OF A5 "}),
        ("duplicate-name", {"name": "\uff2eame of a5"}),
        ("stray-spaces", {"name": "Two  spaces"}),
        ("stray-spaces", {"description": "At the end "}),
        ("stray-spaces", {"translations": {"fr": (" Nom", "x")}}),
        ("window-over", {"available_until": EARLIER}),
        ("window-over", {"available_until": NOW}),
        ("missing-translation", {"translations": {"fr": ("Nom", "Texte")}}),
    ],
)
def test_what_hurts_anywhere_is_found(rule: str, changes: dict[str, Any]) -> None:
    told = found(fine("a0", **changes))
    assert (rule, ()) in told
    if rule != "missing-translation":
        assert told[rule, ()].keys[0] == "a0"


@pytest.mark.parametrize(
    "changes",
    [
        {"available_until": LATER},
        {"available_until": EARLIER, "state": "draft"},
        {"name": "One space"},
        {"hidden": True},
    ],
)
def test_what_is_well_is_not_found(changes: dict[str, Any]) -> None:
    assert not found(fine("a0", **changes))


def test_a_language_says_how_far_it_is() -> None:
    entries = [
        fine("a0", translations={"fr": ("Nom", "Texte")}),
        fine("a1", translations={"fr": ("Nom", "")}),  # there is a description to translate
        fine("a2", description="", translations={"fr": ("Nom", "")}),
    ]
    told = found(*entries)["missing-translation", ()]
    assert told.detail.startswith("fr covers 2 of 10 (20%)")
    assert told.keys == ("a1", *(f"a{number}" for number in range(3, 10)))


@pytest.mark.parametrize(("hidden", "is_found"), [(5, False), (6, True)])
def test_most_of_them_hidden_is_too_many(hidden: int, is_found: bool) -> None:
    told = found(*(fine(f"a{number}", hidden=True) for number in range(hidden)))
    assert (("mostly-hidden", ()) in told) is is_found


def test_a_game_that_gives_a_beginner_nothing_is_found_once_it_is_known() -> None:
    rare = [fine(f"a{number}", unlocked_percent=50.0 - number) for number in range(10)]
    assert only(found(*rare)).detail.startswith("The most common one is held by 50%")
    new = [fine(f"a{number}", unlocked_percent=None) for number in range(10)]
    assert not found(*new)
    assert linting.lint(rare[:5], for_stores=(), at=NOW) == []  # too few to tell


def meta(key: str, *requires: str, count: int | None = None, **changes: Any) -> Entry:
    return fine(key, type="meta", requires=requires, requires_count=count, **changes)


@pytest.mark.parametrize(
    ("entries", "closed"),
    [
        ([meta("a0", "a5", "a6")], ()),
        ([meta("a0", "a5", "gone")], ("a0",)),
        ([meta("a0", "a5", "gone", count=1)], ()),
        ([meta("a0", "gone", count=1)], ("a0",)),
        ([meta("a0", "a1"), fine("a1", state="draft")], ("a0",)),
        ([meta("a0", "a1", state="draft"), fine("a1", state="draft")], ()),
        ([meta("a0", "a1"), meta("a1", "a2"), meta("a2", "gone")], ("a0", "a1", "a2")),
    ],
)
def test_a_meta_that_asks_for_more_than_can_be_had_is_found(
    entries: list[Entry], closed: tuple[str, ...]
) -> None:
    told = found(*entries, gone=("gone",))
    keys = told["unreachable-meta", ()].keys if told else ()
    assert keys == closed


@pytest.mark.parametrize(
    ("store", "rule", "changes"),
    [
        ("xbox", "description-too-long", {"description": "x" * 101}),
        ("xbox", "description-too-long", {"translations": {"fr": ("Nom", "x" * 118)}}),
        ("xbox", "points-total", {"points": 99}),
        ("google-play", "name-too-long", {"name": "x" * 101}),
        ("google-play", "description-too-long", {"description": "x" * 501}),
        ("google-play", "points-step", {"points": 99}),
        ("google-play", "points-each", {"points": 205}),
        ("google-play", "points-total", {"points": 105}),
        ("google-play", "steps", {"type": "incremental", "target": 1}),
        ("google-play", "steps", {"type": "incremental", "target": 10_001}),
        ("google-play", "duplicate-description", {"description": "do A5."}),
        ("google-play", "duplicate-icon", {"icon": "https://icons.example/a5.webp"}),
        ("steam", "key-too-long", {"key": "é" * 64}),
        ("epic", "points-each", {"points": 0}),
        ("epic", "points-each", {"points": 201}),
        ("epic", "points-total", {"points": 105}),
    ],
)
def test_what_a_store_asks_for_is_found_for_it_alone(store: str, rule: str, changes: dict[str, Any]) -> None:
    entry = fine(**{"key": "a0", **changes})
    assert (rule, (store,)) in found(entry, stores=tuple(STORES))
    assert (rule, (store,)) in found(entry, stores=(store,))
    assert not [
        one for one in found(entry, stores=tuple({*STORES} - {store})).values() if store in one.stores
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "x" * 100},
        {"name": "x" * 100},
        {"type": "incremental", "target": 2},
        {"type": "incremental", "target": 10_000},
        {"key": "x" * 127, "name": "A", "description": "B", "icon": "C"},
    ],
)
def test_what_a_store_just_takes_is_not_found(changes: dict[str, Any]) -> None:
    assert not found(fine(**{"key": "a0", **changes}), stores=tuple(STORES))


def test_add_ons_have_points_of_their_own_on_xbox() -> None:
    entries = [*GAME, fine("dlc", group="The Drowned Coast", points=250)]
    told = linting.lint(entries, for_stores=("xbox",), at=NOW)
    assert told == []


def test_google_play_asks_for_ten_and_four_easy_ones() -> None:
    few = linting.lint(GAME[:9], for_stores=("google-play",), at=NOW)
    assert [one.rule for one in few] == ["too-few"]
    hard = [fine(f"a{number}", unlocked_percent=60.0 if number < 3 else 5.0) for number in range(10)]
    assert [one.rule for one in linting.lint(hard, for_stores=("google-play",), at=NOW)] == ["few-easy-ones"]


def test_steam_takes_a_hundred_of_a_new_game() -> None:
    entries = [fine(f"a{number}") for number in range(101)]
    assert [one.rule for one in linting.lint(entries, for_stores=("steam",), at=NOW)] == ["too-many"]
    assert linting.lint(entries[:100], for_stores=("steam",), at=NOW) == []


TEXTS = some.sampled_from(["", "a", "A", " a", "two  spaces", "100%", "x" * 101, "é" * 501])
ENTRIES = some.lists(
    some.builds(
        Entry,
        key=some.sampled_from([*"abcdefghij", "%s", "é" * 64]),
        name=TEXTS,
        description=TEXTS,
        points=some.integers(0, 100_000),
        type=some.sampled_from(["standard", "incremental", "meta"]),
        target=some.none() | some.integers(1, 10**9),
        state=some.sampled_from(["draft", "published"]),
        hidden=some.booleans(),
        group=some.sampled_from(["base", "dlc"]),
        requires=some.lists(some.sampled_from("abcd"), max_size=3).map(tuple),
        requires_count=some.none() | some.integers(1, 3),
        available_until=some.none() | some.sampled_from([EARLIER, LATER]),
        translations=some.dictionaries(some.sampled_from(["fr", "de", "ja"]), some.tuples(TEXTS, TEXTS)),
        icon=some.sampled_from(["", "https://icons.example/a", "https://icons.example/b"]),
        poor_on=some.sampled_from(["", "light", "dark"]),
        unlocked_percent=some.none() | some.floats(0, 100),
    ),
    max_size=11,
    unique_by=lambda one: one.key,
)


@settings(max_examples=30)  # each draws a game of many fields
@given(ENTRIES, some.sets(some.sampled_from(list(STORES))), some.sets(some.sampled_from("abcd")))
def test_whatever_there_is_findings_are_whole(entries: list[Entry], stores: set[str], gone: set[str]) -> None:
    told = linting.lint(entries, gone=gone, for_stores=stores, at=NOW)
    known = {one.key for one in entries}
    assert [SEVERITIES.index(one.severity) for one in told] == sorted(
        SEVERITIES.index(one.severity) for one in told
    )
    for one in told:
        assert one.detail.endswith(".")
        assert ": " in one.detail  # what it is: what to do
        assert set(one.keys) <= known
        assert len(set(one.keys)) == len(one.keys)
        assert set(one.stores) <= stores


@settings(max_examples=30)  # each draws a game of many fields
@given(ENTRIES, some.sets(some.sampled_from(list(STORES))))
def test_a_store_more_takes_nothing_away_and_says_only_what_is_its_own(
    entries: list[Entry], stores: set[str]
) -> None:
    told = linting.lint(entries, for_stores=stores, at=NOW)
    everything = linting.lint(entries, at=NOW)
    assert [one for one in everything if not one.stores or set(one.stores) <= stores] == told


@settings(max_examples=30)  # each draws a game of many fields
@given(ENTRIES, some.randoms(use_true_random=False))
def test_the_order_of_a_game_changes_no_rule(entries: list[Entry], random: Any) -> None:
    shuffled = random.sample(entries, len(entries))
    rules = sorted((one.rule, one.stores, sorted(one.keys)) for one in linting.lint(entries, at=NOW))
    assert sorted((one.rule, one.stores, sorted(one.keys)) for one in linting.lint(shuffled, at=NOW)) == rules
