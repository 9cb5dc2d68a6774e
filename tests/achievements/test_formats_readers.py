"""Each format's reader, on small files of our own writing."""

import pytest

from achievements.formats import IMPORT_FORMATS, UnknownFormat, parse, recognise
from achievements.formats.document import MAX_ERRORS, ImportedFile
from tests.achievements import samples


def read(format: str, text: str) -> dict[str, dict[str, object]]:
    return said(parse(format, text.encode()))


def said(imported: ImportedFile) -> dict[str, dict[str, object]]:
    assert imported.errors == ()
    return {achievement.key: achievement.values() for achievement in imported.achievements}


def details(format: str, text: str | bytes) -> list[tuple[int, str]]:
    imported = parse(format, text if isinstance(text, bytes) else text.encode())
    return [(error.row, error.detail) for error in imported.errors]


def test_laurel_reads_its_own_definitions() -> None:
    read_in = read("laurel", samples.LAUREL)
    assert read_in["first-light"] == {
        "name": "First light",
        "description": "See the sun rise.",
        "points": 10,
        "translations": {"pt-BR": {"name": "Primeira luz"}},
    }
    assert read_in["hundred-doors"]["target"] == 100
    assert read_in["keeper"]["requires"] == ("first-light", "hundred-doors")


def test_laurel_says_in_which_row_what_is_wrong() -> None:
    text = """{"achievements": [
        {"key": "a", "name": "A"}, {"key": "a", "name": "B"}, 7, {"key": "c", "name": 42},
        {"key": "d", "name": "D", "pionts": 5, "rarity": {}}, {"name": "E"}],
        "stats": {"key": "s"}, "badges": []}"""
    found = details("laurel", text)
    assert [row for row, _ in found] == [0, 0, 2, 3, 4, 5, 5, 6]
    together = " ".join(detail for _, detail in found)
    for wrong in (
        '"stats" is not a list',
        '"badges"',
        "in row 1 too",
        '"pionts" is not known',
        '"rarity" is counted',
    ):
        assert wrong in together


def test_laurel_keeps_keys_apart_that_differ_in_case_only() -> None:
    text = '{"achievements": [{"key": "AC_28", "name": "A"}, {"key": "ac_28", "name": "B"}]}'
    assert set(read("laurel", text)) == {"AC_28", "ac_28"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"achievements": {}}',
        '{"achievements": [], "achievements": []}',
        '{"achievements": [{"key": "a", "name": "A", "points": NaN}]}',
        '{"achievements": [{"key": "a", "name": "A",}]}',
        '{"achievements": ' + "[" * 100_000,
        '{"achievements": [' + "{}," * 600_000 + "{}]}",
        '{"achievements": [' + "1" * 5_000 + "]}",
        '{"achievements": []} trailing',
    ],
)
def test_laurel_refuses_a_file_that_is_no_such_json(text: str) -> None:
    assert [row for row, _ in details("laurel", text)] == [0]


def test_steam_reads_the_web_apis_schema() -> None:
    assert read("steam", samples.STEAM_SCHEMA) == {
        "LIT_ONE": {
            "name": "One lamp",
            "description": "Light a lamp.",
            "hidden": False,
            "sort_order": 1,
            "icon_url": "https://cdn.example.com/lit.jpg",
            "icon_locked_url": "https://cdn.example.com/unlit.jpg",
        },
        "LIT_ALL": {"name": "42", "hidden": True, "sort_order": 2},
    }


def test_steam_reads_bare_lists_in_many_languages_with_trailing_commas() -> None:
    assert read("steam", samples.STEAM_LIST) == {
        "GATE": {
            "name": "The gate",
            "description": "Open it, then wait, ] and go.",
            "hidden": False,
            "sort_order": 1,
            "translations": {"ko": {"name": "문"}, "zh-CN": {"description": "打开它"}},
        }
    }


@pytest.mark.parametrize("hidden", ['"0"', "0", "false", '"False"', '"no"'])
def test_every_spelling_of_false_is_false(hidden: str) -> None:
    assert read("steam", f'[{{"name": "A", "displayName": "A", "hidden": {hidden}}}]')["A"]["hidden"] is False


@pytest.mark.parametrize("hidden", ['"2"', "2", "[]", '"maybe"', "0.0"])
def test_what_is_neither_true_nor_false_is_a_row_error(hidden: str) -> None:
    [(row, detail)] = details("steam", f'[{{"name": "A", "displayName": "A", "hidden": {hidden}}}]')
    assert row == 1
    assert "true or false" in detail


@pytest.mark.parametrize("name", ["true", "1.5", "[]", '{"english": {}}'])
def test_a_name_that_is_neither_text_nor_a_whole_number_is_a_row_error(name: str) -> None:
    [(row, _)] = details("steam", f'[{{"name": "A", "displayName": {name}}}]')
    assert row == 1


def test_an_unknown_language_is_a_row_error_that_quotes_it() -> None:
    [(row, detail)] = details("steam", '[{"name": "A", "displayName": {"english": "A", "elvish": "Á"}}]')
    assert row == 1
    assert '"elvish"' in detail


def test_steams_vdf_gives_names_languages_and_progress() -> None:
    assert read("steam-vdf", samples.STEAM_VDF) == {
        "BRIDGE": {
            "name": "Bridge",
            "description": 'Cross the "old" bridge.',
            "hidden": True,
            "sort_order": 1,
        },
        "TOWER": {
            "name": "Tower",
            "hidden": False,
            "type": "incremental",
            "target": 30,
            "sort_order": 2,
            "translations": {"pt-BR": {"name": "Torre"}},
        },
    }


def test_steams_localisation_is_matched_by_token_in_a_zip_with_the_schema() -> None:
    body = samples.zipped({"a/schema.vdf": samples.STEAM_VDF, "b/loc_all.vdf": samples.STEAM_LOCALISATION})
    assert said(parse("steam-vdf", body))["TOWER"]["translations"] == {
        "pt-BR": {"name": "Torre"},
        "fi": {"name": "Torni"},
    }


def test_steams_localisation_alone_names_achievements_by_token() -> None:
    assert read("steam-vdf", samples.STEAM_LOCALISATION) == {"NEW_ACHIEVEMENT_2_1": {"name": "Torni"}}
    assert read("steam-vdf", samples.STEAM_LOCALISATION.encode("utf-16").decode("utf-16")) == {
        "NEW_ACHIEVEMENT_2_1": {"name": "Torni"}
    }


def test_steams_localisation_in_utf_16_is_read_too() -> None:
    assert said(parse("steam-vdf", samples.STEAM_LOCALISATION.encode("utf-16"))) == {
        "NEW_ACHIEVEMENT_2_1": {"name": "Torni"}
    }


def test_a_text_of_no_achievement_is_an_error() -> None:
    stray = samples.STEAM_LOCALISATION.replace("NEW_ACHIEVEMENT_2_1_NAME", "NEW_ACHIEVEMENT_9_9_NAME")
    body = samples.zipped({"schema.vdf": samples.STEAM_VDF, "loc_all.vdf": stray})
    [(row, detail)] = details("steam-vdf", body)
    assert row == 0
    assert "NEW_ACHIEVEMENT_9_9_NAME" in detail


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"lang"\n{\n',
        "}",
        '"a"\n{\n"b" "1"\n"b" "2"\n}',
        '"open quote\n' + "x\n" * 200_000,
        '"a" "' + "x" * 100_000 + '"',
        '"a"\n{\n' * 50_000,
        '"a"\n{\n' * 200_000,
        '"1"\n{\n"stats"\n{\n}\n}\n',
    ],
)
def test_steams_vdf_is_refused_as_a_whole_when_it_is_broken_or_abusive(text: str) -> None:
    assert [row for row, _ in details("steam-vdf", text)] == [0]


def test_epics_two_files_make_one() -> None:
    files = {
        "achievementDefinitions.csv": samples.EOS_DEFINITIONS,
        "achievementLocalizations.csv": samples.EOS_LOCALISATIONS,
    }
    assert said(
        parse("eos", samples.zipped({**files, "stats.csv": "name,aggregationType\nKEEPS,SUM\n"}))
    ) == {
        "harbour": {
            "name": "Harbour",
            "description": "Found, at last",
            "points": 5,
            "hidden": True,
            "translations": {"es-MX": {"name": "Puerto", "description": "Búscalo."}},
        },
        "lighthouse": {"name": "Lighthouse", "description": "Keep it.", "points": 50, "hidden": False},
    }


def test_epics_definitions_alone_say_nothing_of_names() -> None:
    assert read("eos", samples.EOS_DEFINITIONS)["harbour"] == {"points": 5, "hidden": True}


def test_epics_rows_are_told_by_their_line() -> None:
    text = samples.EOS_DEFINITIONS + " harbour,FALSE,,5\nharbour,FALSE,,5\npier,MAYBE,,1_000\n"
    assert [row for row, _ in details("eos", text)] == [4, 5, 6, 6]


def test_google_play_needs_no_header_line() -> None:
    assert read("google-play", samples.PLAY_METADATA) == {
        "First stone": {
            "name": "First stone",
            "description": "Lay a stone.",
            "type": "standard",
            "hidden": False,
            "points": 5,
            "sort_order": 1,
        },
        'A "wall"': {
            "name": 'A "wall"',
            "description": "Lay a hundred.",
            "type": "incremental",
            "target": 100,
            "hidden": True,
            "points": 10,
            "sort_order": 2,
        },
    }


def test_google_plays_localisations_are_matched_by_name() -> None:
    files = {
        "AchievementsMetadata.csv": samples.PLAY_METADATA,
        "AchievementsLocalizations.csv": samples.PLAY_LOCALISATIONS,
    }
    read_in = said(
        parse(
            "google-play", samples.zipped({**files, "AchievementsIconsMappings.csv": "First stone,a.png\n"})
        )
    )
    assert read_in["First stone"]["translations"] == {
        "de-DE": {"name": "Erster Stein", "description": "Lege einen Stein."}
    }


def test_google_plays_translation_of_nothing_is_an_error() -> None:
    files = {
        "AchievementsMetadata.csv": samples.PLAY_METADATA,
        "AchievementsLocalizations.csv": "Last stone,Stein,,de\n",
    }
    assert details("google-play", samples.zipped(files))[0][0] == 0


@pytest.mark.parametrize(
    "row",
    [
        "a,b,c",
        '"a,b',
        "a,,perhaps,,Revealed,5,1",
        "a,,False,,Secret,5,1",
        "a,,True,ten,Revealed,5,1",
        "a,,False,,Hidden,\u0665,1",
    ],
)
def test_google_plays_odd_rows_are_errors(row: str) -> None:
    assert len(details("google-play", row)) == 1


def test_xboxs_texts_come_from_the_localisation() -> None:
    body = samples.zipped({"achievements.xml": samples.XBOX, "localization.xml": samples.XBOX_LOCALISATION})
    assert said(parse("xbox", body)) == {
        "7": {
            "name": "Orchard",
            "description": "Plant & wait",
            "translations": {"fr-FR": {"name": "Verger"}},
            "hidden": True,
            "points": 15,
            "sort_order": 3,
        }
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "<a>&undefined;</a>",
        "<a>" * 100,
        "<a>" + "<b/>" * 300_000 + "</a>",
        "<a><b></a>",
        '<?xml version="1.0" encoding="klingon"?><a/>',
        "<a/>",
        "",
    ],
)
def test_xml_that_is_broken_or_abusive_is_refused_as_a_whole(text: str) -> None:
    assert [row for row, _ in details("xbox", text)] == [0]


@pytest.mark.parametrize("format", IMPORT_FORMATS)
def test_bytes_that_are_no_text_are_refused(format: str) -> None:
    assert [row for row, _ in details(format, b"\xff\x00\xfe" * 100)] == [0]


def test_an_unknown_format_is_told_apart_from_a_bad_file() -> None:
    with pytest.raises(UnknownFormat, match="google-play"):
        parse("gog", b"{}")


def test_reading_stops_after_a_hundred_errors() -> None:
    rows = ",".join('{"key": ""}' for _ in range(500))
    found = details("laurel", f'{{"achievements": [{rows}]}}')
    assert len(found) == MAX_ERRORS + 1
    assert "more errors" in found[-1][1]


def test_more_achievements_than_any_game_has_are_refused() -> None:
    rows = ",".join(f'{{"key":"{i}"}}' for i in range(20_001))
    [(row, detail)] = details("laurel", f'{{"achievements": [{rows}]}}')
    assert row == 0
    assert "20,000" in detail


@pytest.mark.parametrize(
    ("body", "format"),
    [
        (b'\xef\xbb\xbf{"achievements": []}', "laurel"),
        (b'{\n "game": {"gameName": "A"}}', "steam"),
        (b'[{"name": "A"}]', "steam"),
        ('"lang" { "Tokens" {} }'.encode("utf-16"), "steam-vdf"),
        (b'"name","locale"\nA,de\n', "eos"),
        (b"First,Text,False,1,Hidden,5,1", "google-play"),
        (samples.zipped({"README.txt": b"hello", "one.xml": b"<Localization/>"}), "xbox"),
        (samples.zipped({"AchievementsMetadata.csv": b""}), "google-play"),
        (b"1000,Starting strong,Complete the tutorial,false", None),
        (b"\xff\x00\xfe", None),
        (b"", None),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
def test_a_file_shows_its_format_by_its_first_lines(body: bytes, format: str | None) -> None:
    assert recognise(body) == format
