"""What a definition's values may be, rarity, and language codes."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from achievements import rules
from core import languages, texts


@pytest.mark.parametrize(
    "key", ["a", "first-blood", "纵横捭阖", "x" * 128, "it's a key", "👩‍🚀", "a\u202eb", "7", "\uff21"]
)
def test_a_key_is_any_printable_text(key: str) -> None:
    assert texts.clean_key(key) == key


@pytest.mark.parametrize(
    "key", ["", " a", "a ", "a\u00a0", "a\nb", "a\x00b", "a\x85b", "a\u2028b", "a\ud800", "x" * 129, 7, None]
)
def test_a_key_without_sense_is_refused(key: object) -> None:
    with pytest.raises(ValueError, match=r"[:] .+\.$"):
        texts.clean_key(key)


def test_a_key_is_composed_and_keeps_its_case() -> None:
    assert texts.clean_key("Cafe\u0301") == "Caf\u00e9"
    assert texts.clean_key("AC_28") != texts.clean_key("ac_28")


def test_texts_are_trimmed_and_keep_what_can_not_be_seen() -> None:
    assert texts.clean_name("  The\u200b \u202eend\x85 ") == "The\u200b \u202eend"
    assert rules.clean_description("\n<b>Two</b>\nlines \t") == "<b>Two</b>\nlines"
    assert texts.clean_name(" " * 500 + "x" * 200) == "x" * 200


@pytest.mark.parametrize(
    ("clean", "value"),
    [
        (texts.clean_name, ""),
        (texts.clean_name, "   "),
        (texts.clean_name, "x" * 201),
        (texts.clean_name, 42),
        (texts.clean_name, "a\x00"),
        (rules.clean_description, "x" * 2001),
        (rules.clean_description, None),
        (rules.clean_description, "\udfff"),
        (rules.clean_hidden, 0),
        (rules.clean_hidden, "false"),
        (rules.clean_type, "Standard"),
        (rules.clean_authority, ["server"]),
        (rules.clean_state, None),
        (rules.clean_requires, "first"),
        (rules.clean_requires, ["a", "a"]),
        (rules.clean_requires, ["e\u0301", "é"]),
        (texts.clean_time, "2026-11-23T12:26:00"),
        (texts.clean_time, "0001-01-01T00:00:00+14:00"),
        (texts.clean_time, "20261123T122600Z"),
        (rules.clean_translations, []),
        (rules.clean_translations, {"fr": "Bonjour"}),
        (rules.clean_translations, {"fr": {"title": "Bonjour"}}),
        (rules.clean_translations, {"fr": {"name": ""}}),
        (rules.clean_translations, {"pt_BR": {}, "ptbr": {}}),
        (rules.clean_translations, {"klingon": {"name": "Qapla'"}}),
    ],
)
def test_a_value_that_can_not_be_is_refused(clean: Callable[[object], object], value: object) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        clean(value)


@pytest.mark.parametrize("points", [0, 10, 100_000])
def test_points_are_whole_numbers(points: int) -> None:
    assert rules.clean_points(points) == points


@pytest.mark.parametrize(
    "points", [-1, 100_001, 2**63, True, 10.0, "10", "1_000", "١٢", None, float("nan"), 10**4_000]
)
def test_points_are_nothing_else(points: object) -> None:
    with pytest.raises(ValueError, match="whole number from 0 to 100,000"):
        rules.clean_points(points)


@pytest.mark.parametrize(
    "url", ["https://cdn.example.com/a.png?v=1", "http://localhost:8000/i.png", "https://例え.jp/a"]
)
def test_an_icon_lies_on_the_web(url: str) -> None:
    assert rules.clean_icon_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "//cdn/a.png",
        "https://",
        "https://a b/c",
        "https://u:p@host/i",
        "ftp://host/i",
        "https://host:99999/i",
        "https://[::1/i",
        "https://host/\u202ei",
        "https://h/" + "x" * 2000,
        5,
    ],
)
def test_an_icon_lies_nowhere_else(url: object) -> None:
    with pytest.raises(ValueError, match="icon"):
        rules.clean_icon_url(url)


def test_nothing_is_nothing() -> None:
    assert rules.clean_icon_url(None) == rules.clean_icon_url("") == ""
    assert rules.clean_requires(None) == ()
    assert rules.clean_group(None) == rules.clean_group(" ") == "base"
    assert [rules.clean_target(None), rules.clean_stat(None), texts.clean_time(None)] == [None] * 3
    assert rules.clean_translations(None) == {}


def test_a_time_is_read_in_any_zone() -> None:
    assert texts.clean_time("2026-11-23t13:26:00.5+01:00") == datetime(2026, 11, 23, 12, 26, 0, 500_000, UTC)


@pytest.mark.parametrize(
    ("definition", "count"),
    [
        ({}, 0),
        ({"type": "incremental", "target": 3, "stat": "kills"}, 0),
        ({"type": "incremental"}, 1),
        ({"target": 3}, 1),
        ({"type": "meta", "requires": ("a",), "key": "b"}, 0),
        ({"type": "meta", "requires": ("a",), "key": "a"}, 1),
        ({"type": "meta", "requires": ()}, 1),
        ({"requires": ["a"]}, 1),
        (
            {
                "available_from": datetime(2026, 1, 2, tzinfo=UTC),
                "available_until": datetime(2026, 1, 1, tzinfo=UTC),
            },
            1,
        ),
    ],
)
def test_a_definition_does_not_contradict_itself(definition: dict[str, object], count: int) -> None:
    assert len(rules.contradictions(definition)) == count


@pytest.mark.parametrize(
    ("unlocked", "players", "percent", "tier"),
    [
        (19, 19, None, None),
        (0, 20, 0.0, "legendary"),
        (10, 1000, 1.0, "legendary"),
        (11, 1000, 1.1, "epic"),
        (50, 1000, 5.0, "epic"),
        (200, 1000, 20.0, "rare"),
        (500, 1000, 50.0, "uncommon"),
        (501, 1000, 50.1, "common"),
        (5004, 10_000, 50.0, "uncommon"),
        (1, 2000, 0.1, "legendary"),
        (1200, 1000, 100.0, "common"),
    ],
)
def test_rarity_names_the_tier_of_the_shown_percent(
    unlocked: int, players: int, percent: float | None, tier: str | None
) -> None:
    rarity = rules.rarity(unlocked, players)
    assert (rarity.unlocked_percent, rarity.tier) == (percent, tier)
    assert (rarity.unlocked, rarity.players) == (unlocked, players)


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("ptbr", "pt-BR"),
        ("pt_BR", "pt-BR"),
        ("PT-br", "pt-BR"),
        ("brazilian", "pt-BR"),
        ("spanishesp", "es-ES"),
        ("spanish", "es"),
        ("latam", "es-419"),
        ("es_419", "es-419"),
        ("zh_CN", "zh-CN"),
        ("schinese", "zh-CN"),
        ("tchinese", "zh-TW"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("koreana", "ko"),
        ("iw-IL", "he-IL"),
        ("in_ID", "id-ID"),
        ("eng", "en"),
        ("fil", "fil"),
        ("szl", "szl"),
        ("sr_latn", "sr-Latn"),
        ("ca-valencia", "ca-valencia"),
        (" en ", "en"),
    ],
)
def test_every_platforms_language_code_becomes_bcp_47(code: str, tag: str) -> None:
    assert languages.normalise(code) == tag


@pytest.mark.parametrize(
    "code", ["", "e", "xx", "klingon", "en-", "x-private", "en-usa", "pt-BR-", "日本", "e" * 100]
)
def test_an_unknown_language_is_refused_and_quoted(code: str) -> None:
    with pytest.raises(ValueError, match="language code") as refusal:
        languages.normalise(code)
    assert code[:35] in str(refusal.value)


@given(st.sampled_from(sorted([*languages._ALIASES, "de", "pt_br", "zh_hans_cn", "es-419"])))
def test_normalising_twice_changes_nothing(code: str) -> None:
    assert languages.normalise(languages.normalise(code)) == languages.normalise(code)


def test_languages_fall_back_to_the_wider_one() -> None:
    assert rules.language_fallbacks("pt-BR") == ("pt-BR", "pt")
    assert rules.language_fallbacks("zh-Hant-TW") == ("zh-Hant-TW", "zh-Hant", "zh")
    assert rules.language_fallbacks("de") == ("de",)
    assert rules.language_fallbacks("de-x-plain") == ("de-x-plain", "de")


@given(st.text())
def test_a_quoted_value_is_one_short_line(value: str) -> None:
    assert texts.quoted(value).isprintable()
    texts.quoted(value).encode()
