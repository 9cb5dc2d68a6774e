"""Whatever the bytes, a reader answers with errors by row and never raises."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from achievements.formats import IMPORT_FORMATS, parse
from tests.achievements import samples

EDITS = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=2_000),
        st.integers(min_value=0, max_value=40),
        st.one_of(
            st.binary(max_size=12),
            st.sampled_from(
                [
                    b'"',
                    b"{",
                    b"}",
                    b"[",
                    b"]",
                    b",",
                    b"\n",
                    b"\\",
                    b"&a;",
                    b"<a>",
                    b"\x00",
                    b"\\ud800",
                    b"1e999",
                ]
            ),
        ),
    ),
    max_size=8,
)


def check(format: str, body: bytes) -> None:
    imported = parse(format, body)
    assert imported.achievements or imported.errors
    for error in imported.errors:
        assert error.row >= 0
        error.detail.encode()
        assert len(error.detail) < 400


def edited(body: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, new in edits:
        body = body[:place] + new + body[place + length :]
    return body


@pytest.mark.parametrize("format", IMPORT_FORMATS)
@given(
    body=st.one_of(
        st.binary(max_size=400), st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
)
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_survived(format: str, body: bytes) -> None:
    check(format, body)


@pytest.mark.parametrize("format", IMPORT_FORMATS)
@given(data=st.data(), edits=EDITS)
@settings(max_examples=150, deadline=None)
def test_damaged_files_are_survived(
    format: str, data: st.DataObject, edits: list[tuple[int, int, bytes]]
) -> None:
    seed = data.draw(st.sampled_from([seed.encode() for seed in samples.SEEDS[format]]))
    check(format, edited(seed, edits))


@pytest.mark.parametrize("format", IMPORT_FORMATS)
@given(edits=EDITS)
@settings(max_examples=60, deadline=None)
def test_damaged_zips_are_survived(format: str, edits: list[tuple[int, int, bytes]]) -> None:
    suffix = {"xbox": "xml", "laurel": "json", "steam": "json"}.get(format, "csv")
    names = {0: "AchievementsMetadata.csv"} if format == "google-play" else {}
    files = {names.get(i, f"{i}.{suffix}"): seed for i, seed in enumerate(samples.SEEDS[format])}
    check(format, edited(samples.zipped({**files}), edits))


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.slow
@given(
    achievements=st.lists(
        st.dictionaries(
            st.sampled_from(
                [
                    "key",
                    "name",
                    "displayName",
                    "description",
                    "points",
                    "hidden",
                    "requires",
                    "icon_url",
                    "icon",
                    "translations",
                    "available_from",
                    "target",
                    "type",
                    "stat",
                    "sort_order",
                ]
            ),
            JSON,
        ),
        max_size=4,
    )
)
@settings(max_examples=200, deadline=None)
def test_json_of_every_shape_is_survived(achievements: list[object]) -> None:
    check("laurel", json.dumps({"achievements": achievements}).encode())
    check("steam", json.dumps(achievements).encode())
