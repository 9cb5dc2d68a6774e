"""The readers on files that other tools wrote, and on the definitions of 480 real games."""

import gzip
import json

import pytest

from achievements.formats import parse, recognise
from achievements.formats.diff import compare
from achievements.replay import definitions
from core.languages import normalise
from tests.achievements import samples

FORMATS = samples.REAL_DATA / "formats"

pytestmark = pytest.mark.skipif(not FORMATS.is_dir(), reason=samples.NO_REAL_DATA)


@pytest.mark.parametrize(
    ("format", "name", "count"),
    [
        ("steam-vdf", "kuuaalo/steamvdf_test.txt", 3),
        ("steam-vdf", "kuuaalo/steamvdf_testi_LANG_ADDS.txt", 3),
        ("steam-vdf", "kuuaalo/steamlocalization_test.vdf", 3),
        ("steam-vdf", "kuuaalo/lang_output.txt", 3),
        ("eos", "kuuaalo/achievementDefinitions.csv", 3),
        ("eos", "kuuaalo/achievementLocalizations.csv", 3),
        ("eos", "kuuaalo/epiclocalization_test.csv", 3),
        ("google-play", "google_play_jigsaw/AchievementsMetadata.csv", 29),
        ("xbox", "kuuaalo/msxml_test.xml", 3),
    ],
)
def test_a_file_of_another_tool_is_read(format: str, name: str, count: int) -> None:
    body = (FORMATS / name).read_bytes()
    assert recognise(body) == format
    imported = parse(format, body)
    assert imported.errors == ()
    assert len(imported.achievements) == count


@pytest.mark.parametrize(
    ("format", "names"),
    [
        ("steam-vdf", ["steamvdf_test.txt", "steamlocalization_test.vdf"]),
        ("eos", ["achievementDefinitions.csv", "achievementLocalizations.csv", "epicstats_test.csv"]),
        ("xbox", ["msxml_test.xml", "mslocalization_test_LANG_ADDS.xml"]),
    ],
)
def test_files_that_belong_together_make_whole_definitions(format: str, names: list[str]) -> None:
    body = samples.zipped({name: (FORMATS / "kuuaalo" / name).read_bytes() for name in names})
    assert recognise(body) == format
    diff = compare([], parse(format, body).achievements)
    assert diff.errors == ()
    assert [a.name for a in diff.created] == ["Achievement 1", "Achievement 2", "Achievement 3"]
    assert all(a.description for a in diff.created)


def test_every_language_of_a_real_game_is_known() -> None:
    with gzip.open(FORMATS / "supertuxkart" / "translations.json.gz") as file:
        codes = list(json.load(file))
    tags = {normalise(code) for code in codes}
    assert len(tags) == len(codes) > 50


@pytest.mark.slow
def test_the_definitions_of_all_real_games_can_be_imported() -> None:
    games = achievements = 0
    titles = set()
    with gzip.open(samples.REAL_DATA / "definitions.jsonl.gz", "rt", encoding="utf-8") as lines:
        for game in map(json.loads, lines):
            document = definitions.to_document(game)
            imported = parse("laurel", json.dumps(document).encode())
            assert imported.errors == (), game["game"]
            assert compare([], imported.achievements).errors == ()
            games += 1
            achievements += len(imported.achievements)
            titles.add(definitions.title(game))
    assert (games, achievements, len(titles)) == (480, 37_862, 480)
