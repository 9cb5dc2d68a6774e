"""Letters in pictures: names of the scripts that most people write, on a machine that has no fonts itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, features

from core import lettering

MOST_BYTES = 1_500_000  # of all fonts together


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    caches = (lettering._system, lettering._file_for, lettering._has)
    monkeypatch.setattr(lettering, "_FOLDERS", ())
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize(
    "name",
    [
        "Juno",
        "Żółć",
        "Юнона",
        "Ιώ",
        "さくら 桜井",
        "张伟明",
        "陳國樑",
        "김민준 Kim",
        "\uff21\uff22",
        "Juno 🎮🔥",
        "👑",
    ],
)
def test_a_name_is_drawn_whole(name: str) -> None:
    assert lettering.drawable(name) == name


@pytest.mark.skipif(not features.check("raqm"), reason="shapes letters by Raqm, which this machine lacks")
@pytest.mark.parametrize("name", ["مريم الأندلسية", "יונו כהן", "สมชาย ใจดี", "नमस्ते दुनिया", "বাংলা নাম", "தமிழ்"])
def test_a_name_whose_letters_must_be_shaped_is_drawn_whole(name: str) -> None:
    assert lettering.drawable(name) == name
    assert lettering.width(name, size=40, weight=600) > 20


@pytest.mark.parametrize("name", ["Ada 𐎠", "ዳዊት", "龘", "\u3164", "\u2800 \u115f", "!?", "", "\u202e\u2066"])
def test_a_name_of_which_a_letter_would_be_missing_is_not_drawn_at_all(name: str) -> None:
    assert lettering.drawable(name) == ""


def test_marks_and_pictures_that_no_font_has_are_left_out() -> None:
    assert lettering.drawable("Ada 👍🏽 🫠\ufe0f \u3164Juno") == "Ada 👍 Juno"


@pytest.mark.parametrize(
    ("name", "initial"),
    [("juno", "J"), ("…🔥ada", "A"), ("🔥!", "🔥"), ("ßen", "S"), ("さくら", "さ"), ("—", ""), ("", "")],
)
def test_an_initial_is_a_letter_before_a_picture(name: str, initial: str) -> None:
    assert lettering.initial(name) == initial


def test_no_sign_is_drawn_as_the_box_of_a_missing_one() -> None:
    with Image.new("L", (400, 80)) as canvas:
        draw = ImageDraw.Draw(canvas)
        assert lettering.write(draw, (0, 60), "桜\U0010fffe", size=40, weight=600, colour="#fff") == 40
        assert canvas.getbbox() is not None


def test_the_fonts_stay_small() -> None:
    assert sum(Path(file).stat().st_size for file in lettering._noto()) < MOST_BYTES
