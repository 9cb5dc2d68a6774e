"""How pages write numbers, times and names, and draw bars and tiles."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template import Context, RequestContext
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from core import artwork
from core.templatetags import laurel

STATIC = Path(settings.BASE_DIR) / "static"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (18420, "18,420"),
        (18420.0, "18,420"),
        (1.5, "1.5"),
        (1.25, "1.25"),
        (None, "–"),
        (-1200, "-1,200"),
        (12.001, "12"),
        (0.004, "0.004"),
    ],
)
def test_a_number_has_thousands_and_no_needless_decimals(value: float | None, written: str) -> None:
    assert laurel.number(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (0.4, "0.4"),
        (0.04, "0.04"),
        (0.0333, "0.033"),
        (0.00001, "<0.0001"),
        (1.96, "2"),
        (2.34, "2.3"),
        (99.96, "100"),
        (1234.5, "1,234"),
    ],
)
def test_a_small_average_never_reads_as_nothing(value: float, written: str) -> None:
    assert laurel.average(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(91.4, "91.4%"), (50.0, "50%"), (0.04, "<0.1%"), (0.0, "0%"), (None, "–")]
)
def test_a_percentage_that_is_more_than_nothing_never_reads_as_zero(
    value: float | None, written: str
) -> None:
    assert laurel.percent(value) == written


def test_a_share_reads_as_100_percent_only_when_nothing_is_left() -> None:
    assert laurel.floor_percent(99.97) == "99%"
    assert laurel.floor_percent(100.0) == "100%"


def test_a_shared_rank_is_marked() -> None:
    assert laurel.rank(9, True) == "=9"
    assert laurel.rank(1318, False) == "1,318"


def test_a_time_is_shown_in_utc_and_told_exactly() -> None:
    at = datetime(2019, 3, 1, 1, 30, 5, tzinfo=timezone(timedelta(hours=2)))
    assert laurel.when(Context(), at) == (
        '<time datetime="2019-02-28T23:30:05Z" title="2019-02-28 23:30:05 UTC">28 Feb 2019</time>'
    )
    assert laurel.when(Context(), None) == ""


def test_a_time_is_shown_in_its_readers_zone_where_that_is_known() -> None:
    request = RequestFactory().get("/")
    request.zone = ZoneInfo("Asia/Tokyo")  # type: ignore[attr-defined]
    context = RequestContext(request).new()  # as an `include … only` makes one
    at = datetime(2019, 2, 28, 23, 30, 5, tzinfo=UTC)
    exactly = 'datetime="2019-02-28T23:30:05Z" title="2019-02-28 23:30:05 UTC"'
    assert laurel.when(context, at) == f"<time {exactly}>1 Mar 2019</time>"
    assert laurel.moment(context, at) == f"<time {exactly} data-moment>1 Mar 2019, 08:30</time>"
    assert laurel.clock(context, at) == f"<time {exactly} data-clock>1 Mar 2019</time>"


def test_todays_and_yesterdays_times_are_told_by_the_hour() -> None:
    now = datetime(2026, 3, 1, 0, 10, tzinfo=UTC)
    assert laurel._spoken(datetime(2026, 3, 1, 0, 5, tzinfo=UTC), now) == "today, 00:05"
    assert laurel._spoken(datetime(2026, 2, 28, 23, 59, tzinfo=UTC), now) == "yesterday, 23:59"


@pytest.mark.parametrize(("name", "sign"), [("marenok", "M"), ("  李雷", "李"), ("__x", "X"), ("!?", "!")])
def test_a_portrait_shows_the_names_first_letter(name: str, sign: str) -> None:
    assert laurel.initial(name) == sign


@pytest.mark.parametrize("url", ["http://x/i.png", "javascript:alert(1)", "//x/i.png", "", None])
def test_only_pictures_over_https_are_loaded(url: str | None) -> None:
    assert laurel.shown_picture(url) == ""
    assert "<img" not in laurel.tile("key", url)


def test_code_spans_escape_what_they_show() -> None:
    assert laurel.code_spans("send `<b>` & wait") == "send <code>&lt;b&gt;</code> &amp; wait"


@given(st.floats(min_value=0, max_value=100))
def test_a_bar_is_seen_and_stays_inside(share: float) -> None:
    found = re.search(r'class="fill" width="([\d.]+)%"', laurel.bar(share))
    assert found is not None
    assert float(found[1]) <= 100
    assert float(found[1]) >= 0.8 or share == 0


@given(st.text())
def test_any_key_has_a_tile_without_being_written_out(key: str) -> None:
    drawn = laurel.tile(key)
    assert "style=" not in drawn
    assert re.fullmatch(
        r'<svg class="tile tint-[a-z]+" viewBox="0 0 64 64" aria-hidden="true">.*</svg>', drawn
    )


def test_the_hash_of_a_key_is_fnv_1a() -> None:
    # Source: the test vectors of draft-eastlake-fnv.
    assert artwork.fingerprint("") == 0x811C9DC5
    assert artwork.fingerprint("a") == 0xE40C292C
    assert artwork.fingerprint("foobar") == 0xBF9CF968


def test_every_glyph_scene_and_tint_is_drawn() -> None:
    art, css = (STATIC / "art.svg").read_text(), (STATIC / "laurel.css").read_text()
    assert all(f'id="{name}"' in art for name in artwork.GLYPHS)
    assert all(f'id="scene-{name}"' in art for name in artwork.SCENES)
    assert all(f".tint-{name} " in css and f".scene.tint-{name} " in css for name in artwork.TINTS)


def test_our_own_pictures_are_shown_without_the_host_and_small() -> None:
    path = f"/media/icons/{UUID(int=1)}/{'a' * 32}"
    for url in (f"{settings.PUBLIC_URL}{path}-256.webp", f"{path}-256.webp"):
        assert laurel.shown_picture(url) == f"{path}-256.webp"
        assert f'src="{path}-112.webp"' in laurel.tile("key", url)
    for url in (
        f"http://elsewhere.example{path}-256.webp",
        f"{settings.PUBLIC_URL}/media/../portal/",
        f"{settings.PUBLIC_URL}/portal/new",
        "/account/logout/",
    ):
        assert laurel.shown_picture(url) == ""
    elsewhere = f"https://elsewhere.example{path}-256.webp"
    assert f'src="{elsewhere}"' in laurel.tile("key", elsewhere)


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = (STATIC / "icons.svg").read_text()
    sources = "".join(path.read_text() for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html"))
    named = set(re.findall(r'{% (?:icon|symbol) "([a-z0-9-]+)"', sources)) | {
        "wreath",
        "wreath-small",
        "user",
    }
    assert named == set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))


def test_no_template_holds_a_style_or_a_script_of_its_own() -> None:
    for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text), path
        tags = re.findall(r"<script[^>]*>", text)
        assert all("src=" in tag or 'type="application/json"' in tag for tag in tags), path
