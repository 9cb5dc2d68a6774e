"""Icons: what is taken, what is made of it, where it lies, who may; and whatever else somebody sends."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some
from moto.server import ThreadedMotoServer
from PIL import Image, ImageStat

from accounts.models import Game
from achievements import icons as names
from achievements.models import Achievement, Icon
from achievements.selectors import icons as selectors
from achievements.services import icons
from core import media
from core.media import Bucket
from core.models import AuditEntry
from core.pictures import containers, drawing
from tests import factories
from tests.achievements import pictures
from tests.achievements.pictures import drawn, opened, picture, saved

pytestmark = pytest.mark.django_db
REFUSED = {
    "SVG": (pictures.SVG, containers.OTHER_KIND),
    "HTML, renamed": (pictures.HTML, containers.OTHER_KIND),
    "GIF": (pictures.GIF, containers.OTHER_KIND),
    "BMP": (saved(drawn(), "BMP"), containers.OTHER_KIND),
    "TIFF": (saved(drawn(), "TIFF"), containers.OTHER_KIND),
    "a byte": (b"\0", containers.OTHER_KIND),
    "a signature alone": (pictures.PNG, containers.CUT_OFF),
    "PNG that moves": (pictures.apng(), containers.ANIMATED),
    "WebP that moves": (pictures.moving_webp(), containers.ANIMATED),
    "PNG of 50,000²": (pictures.png_that_claims(50_000, 50_000), "50000 × 50000"),
    "PNG of 1025": (saved(drawn(1025, 8)), "1025 × 8"),
    "PNG of nothing": (pictures.png_that_claims(0, 5), "0 × 5"),
    "PNG with two headers": (pictures.second_header(), containers.BROKEN),
    "JPEG of 60,000²": (pictures.jpeg_that_claims(60_000, 60_000), "60000 × 60000"),
    "JPEG of many scans": (pictures.scans(100), containers.BROKEN),
    "WebP of 16,384²": (pictures.webp_that_claims(16_384, 16_384), "16384 × 16384"),
    "PNG, cut off": (picture()[:-20], containers.CUT_OFF),
    "PNG, cut off in its data": (picture()[:60], containers.CUT_OFF),
    "JPEG, cut off": (picture("JPEG")[:-200], containers.CUT_OFF),
    "WebP, cut off": (picture("WEBP")[:-9], containers.CUT_OFF),
    "PNG and a page": (picture() + pictures.HTML, containers.MORE_BEHIND),
    "JPEG and an archive": (picture("JPEG") + b"PK\x03\x04" + b"\0" * 30, containers.MORE_BEHIND),
    "WebP and a script": (picture("WEBP") + b"alert(1)", containers.MORE_BEHIND),
    "a PNG's head on a page": (pictures.PNG + pictures.HTML, containers.CUT_OFF),
    "a JPEG's head on a page": (b"\xff\xd8\xff\xfe\x00\x08<html>" + pictures.HTML, containers.BROKEN),
    "broken data": (picture()[:45] + b"\xff" * 40 + picture()[85:], containers.BROKEN),
}


@pytest.fixture
def game() -> Game:
    made = factories.game()
    factories.achievement(made, "first-blood")
    return made


@pytest.fixture
def api(game: Game) -> factories.Api:
    return factories.api(factories.server_key(game.studio))


def put(api: Any, game: Game, body: bytes, *, query: str = "", kind: str = "image/png") -> Any:
    return api._client.put(
        f"/api/v1/games/{game.uuid}/achievements/first-blood/icon{query}",
        body,
        content_type=kind,
        headers=api._headers,
    )


def path(url: str) -> str:
    return url.removeprefix("http://127.0.0.1:8000")


def fetched(url: str) -> Image.Image:
    return opened(Client().get(path(url)).content)


@pytest.mark.parametrize(
    "body",
    [
        picture(),
        picture("JPEG"),
        picture("JPEG", progressive=True),
        picture("WEBP"),
        picture("WEBP", lossless=True),
        saved(drawn(mode="P")),
        saved(drawn(mode="LA")),
        saved(drawn(mode="CMYK"), "JPEG"),
        saved(drawn(1024, 1024)),
    ],
    ids=["png", "jpeg", "progressive", "webp", "lossless", "palette", "grey", "cmyk", "1024"],
)
def test_a_picture_becomes_an_icon_in_two_sizes_with_a_grey_one(
    game: Game, api: factories.Api, body: bytes
) -> None:
    answer = put(api, game, body)
    assert answer.status_code == 200
    said = answer.json()
    assert said["icon_url"].startswith(f"http://127.0.0.1:8000/media/icons/{game.uuid}/")
    for url in (said["icon_url"], said["icon_locked_url"]):
        large, small = fetched(url), fetched(url.replace("-256.webp", "-112.webp"))
        assert (large.format, large.size, small.size) == ("WEBP", (256, 256), (112, 112))
    red, _, blue, _ = ImageStat.Stat(fetched(said["icon_locked_url"]).convert("RGBA")).mean
    assert abs(red - blue) < 3
    assert len(Client().get(path(said["icon_url"]).replace("-256.webp", "-112.webp")).content) <= 6 * 1024


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_picture_is_refused_in_one_sentence_and_nothing_is_done(
    game: Game, api: factories.Api, name: str
) -> None:
    body, why = REFUSED[name]
    answer = put(api, game, body)
    assert answer.status_code == 422, answer.json()
    assert why in answer.json()["detail"]
    assert Achievement.objects.get().icon_url == ""
    assert not Icon.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_file_of_more_than_512_kib_is_too_large(game: Game, api: factories.Api) -> None:
    for query in ("", "?locked=true"):
        answer = put(api, game, picture() + b"\0" * (512 * 1024), query=query)
        assert (answer.status_code, answer.json()["detail"]) == (413, containers.TOO_LARGE)


def test_what_it_is_its_bytes_say_and_not_the_header(game: Game, api: factories.Api) -> None:
    assert put(api, game, picture("JPEG"), kind="image/svg+xml").status_code == 200
    for kind in ("text/html", "application/json", "multipart/form-data; boundary=x"):
        answer = put(api, game, picture(), kind=kind)
        assert answer.status_code == 415
        assert "image/png" in answer.json()["detail"]


def test_nothing_that_the_file_told_besides_is_kept(game: Game, api: factories.Api) -> None:
    exif = Image.Exif()
    exif[0x010E] = "the studio's secret"
    exif[0x0112] = 6
    wide = drawn(120, 60)
    wide.putpixel((0, 0), (255, 255, 255))
    for kind, more in (
        ("JPEG", {"comment": b"the studio's secret"}),
        ("PNG", {}),
        ("WEBP", {"xmp": b"the studio's secret"}),
    ):
        body = saved(wide, kind, exif=exif.tobytes(), icc_profile=b"the studio's secret" * 20, **more)
        said = put(api, game, body).json()
        for url in (said["icon_url"], said["icon_locked_url"]):
            content = Client().get(path(url)).content
            assert b"secret" not in content
            assert not {b"EXIF", b"ICCP", b"XMP "} & {content[at : at + 4] for at in range(12, 64)}
        shown = fetched(said["icon_url"]).getchannel("A")
        assert shown.getpixel((10, 128)) == 0, kind  # it was wide, and says that it has to be turned
        assert shown.getpixel((128, 10)) == 255


def test_comments_that_unfold_are_never_unfolded(game: Game, api: factories.Api) -> None:
    body = pictures.text_bomb()
    assert len(body) < containers.LARGEST_BYTES
    assert put(api, game, body).status_code == 200


def test_an_icon_is_served_for_ever_and_as_nothing_else(game: Game, api: factories.Api) -> None:
    url = path(put(api, game, picture()).json()["icon_url"])
    answer = Client(headers={"Accept": "text/html"}).get(url)
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Vary" not in answer
    assert "Set-Cookie" not in answer
    again = Client().get(url, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert Client().head(url).status_code == 200
    assert Client().post(url).status_code == 405
    for other in (
        url.replace("-256.webp", "-512.webp"),
        url.replace(str(game.uuid), "../.."),
        url[:-10],
        "/media/",
    ):
        missing = Client().get(other)
        assert missing.status_code == 404
        assert "immutable" not in missing.get("Cache-Control", "")


def test_the_same_picture_has_the_same_address_and_another_one_another(
    game: Game, api: factories.Api
) -> None:
    first, again = (put(api, game, picture()).json() for _ in range(2))
    other = put(
        api, game, saved(drawn().rotate(90).transpose(Image.Transpose.FLIP_LEFT_RIGHT).crop((0, 0, 50, 96)))
    ).json()
    assert first["icon_url"] == again["icon_url"] != other["icon_url"]
    assert Icon.objects.count() == 4


def test_an_icon_of_its_own_for_while_it_is_locked(game: Game, api: factories.Api) -> None:
    first = put(api, game, picture()).json()
    second = put(api, game, saved(drawn(32, 96)), query="?locked=true").json()
    assert second["icon_url"] == first["icon_url"]
    assert second["icon_locked_url"] != first["icon_locked_url"]
    address = f"/games/{game.uuid}/achievements/first-blood/icon"
    assert api.delete(f"{address}?locked=true").status_code == 204
    shown = api.get(f"/games/{game.uuid}/achievements/first-blood").json()
    assert (shown["icon_url"], shown["icon_locked_url"]) == (first["icon_url"], "")
    assert api.delete(address).status_code == 204
    assert Achievement.objects.get().icon_url == ""
    assert list(AuditEntry.objects.order_by("id").values_list("action", "object_kind")) == [
        ("achievement.icon", "achievement"),
        ("achievement.icon", "achievement"),
        ("achievement.remove_icon", "achievement"),
        ("achievement.remove_icon", "achievement"),
    ]


def test_red_on_green_can_be_told_apart_in_grey() -> None:
    image = Image.new("RGB", (64, 64), (190, 0, 0))
    image.paste((0, 97, 0), (16, 16, 48, 48))  # as bright as that red
    grey = opened(drawing.draw_grey(saved(image)).files[256]).convert("L")
    low, high = grey.getextrema()
    assert high - low > 150  # type: ignore[operator]


def test_an_address_stays_true_when_the_instance_gets_another_name(
    game: Game, api: factories.Api, settings: Any
) -> None:
    url = put(api, game, picture()).json()["icon_url"]
    assert Achievement.objects.get().icon_url == path(url)
    exported = api.get(f"/games/{game.uuid}/achievements/export").json()
    assert exported["achievements"][0]["icon_url"] == url
    patched = api.patch(f"/games/{game.uuid}/achievements/first-blood", {"icon_url": url})
    assert patched.json()["icon_url"] == url
    assert Achievement.objects.get().icon_url == path(url)
    settings.PUBLIC_URL = "https://other.example"
    factories.forget()
    shown = api.get(f"/games/{game.uuid}/achievements/first-blood").json()
    assert shown["icon_url"] == f"https://other.example{path(url)}"


def test_who_may_not_write_definitions_uploads_nothing(game: Game) -> None:
    reader = factories.api(factories.server_key(game.studio, scopes=["definitions:read"]))
    stranger = factories.api(factories.server_key(factories.studio()))
    player = factories.api(factories.player_token(game, factories.player(game.studio)))
    for who, status in ((reader, 403), (stranger, 404), (player, 403), (factories.api(None), 401)):
        assert put(who, game, picture()).status_code == status
        assert who.delete(f"/games/{game.uuid}/achievements/first-blood/icon").status_code == status
    own = factories.api(factories.server_key(game.studio))
    assert own.delete(f"/games/{game.uuid}/achievements/nothing/icon").status_code == 404
    assert not Icon.objects.exists()


def test_a_game_has_so_many_icons_and_no_more(
    game: Game, api: factories.Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(icons, "MOST_ICONS", 1)
    answer = put(api, game, picture())
    assert answer.status_code == 422
    assert "those of earlier versions included" in answer.json()["detail"]
    assert Achievement.objects.get().icon_url == ""


def test_a_store_that_is_away_changes_nothing(
    game: Game, api: factories.Api, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "file").write_bytes(b"")
    settings.STORAGES = {
        **settings.STORAGES,
        "media": {"BACKEND": "core.media.Folder", "OPTIONS": {"location": tmp_path / "file"}},
    }
    answer = put(api, game, picture())
    assert answer.status_code == 503
    assert "send the same file again" in answer.json()["detail"]
    assert Achievement.objects.get().icon_url == ""
    assert not AuditEntry.objects.exists()


def files(game: Game) -> int:
    folder = Path(storages["media"].path("icons")) / str(game.uuid)
    return sum(1 for _ in folder.glob("*"))


def forget_history() -> None:
    """Take away earlier versions, which only ever grow: they name every icon that was in use."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM achievements_definitionversion")
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_what_an_earlier_version_names_stays(game: Game, api: factories.Api) -> None:
    put(api, game, picture())
    api.delete(f"/games/{game.uuid}/achievements/first-blood/icon")
    assert icons.sweep(at=timezone.now()) == 0
    assert icons.sweep(at=timezone.now() + 2 * icons.KEPT_UNNAMED) == 0
    assert files(game) == 4


def test_what_nothing_names_goes_after_some_days(game: Game, api: factories.Api) -> None:
    put(api, game, picture())
    put(api, game, saved(drawn(40, 96)))
    assert files(game) == 8
    forget_history()
    now = timezone.now()
    late = now + icons.KEPT_UNNAMED + timedelta(days=1)
    assert icons.sweep(at=now) == 0
    assert icons.sweep(at=late) == 2  # the first picture, and its grey one
    assert (files(game), Icon.objects.count()) == (4, 2)
    assert (
        Client()
        .get(path(api.get(f"/games/{game.uuid}/achievements/first-blood").json()["icon_url"]))
        .status_code
        == 200
    )
    put(api, game, picture())  # whose files are stored anew
    assert files(game) == 8


def test_what_was_named_till_now_has_its_days_left(game: Game, api: factories.Api) -> None:
    put(api, game, picture())
    later = timezone.now() + timedelta(days=100)
    assert icons.sweep(at=later) == 0
    api.delete(f"/games/{game.uuid}/achievements/first-blood/icon")
    forget_history()
    assert icons.sweep(at=later) == 0
    assert icons.sweep(at=later + timedelta(days=13)) == 0
    assert icons.sweep(at=later + timedelta(days=15)) == 2
    assert files(game) == 0


def test_every_column_that_may_name_an_icon_is_looked_through() -> None:
    """Add what keeps definitions to `selectors.icons.NAMED_IN`, or to the columns here that name none."""
    from django.apps import apps  # noqa: PLC0415 - the registry is full by now
    from django.db.models import JSONField  # noqa: PLC0415 - as above

    other = {
        ("achievements_achievement", "goal"),
        ("achievements_flaggedunlock", "evidence"),
        ("achievements_plausibility", "document"),
        ("achievements_playerreport", "trace"),
    }
    found = {
        (model._meta.db_table, field.column)
        for model in apps.get_app_config("achievements").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, JSONField) or "icon" in field.name
    }
    assert found - other == {(table, column) for table, column, _condition in selectors.NAMED_IN}


def test_an_icon_s_address_names_it() -> None:
    game = factories.game()
    url = names.url(game.uuid, "a" * 32)
    assert names.digest_in(f"https://laurel.example{url}", game.uuid) == "a" * 32
    assert names.digest_in(url, factories.game().uuid) is None
    assert names.digest_in("https://elsewhere.example/a.png", game.uuid) is None


def test_how_a_picture_stands_out_is_known() -> None:
    white, black, clear = (
        drawing.draw(saved(Image.new("RGBA", (32, 32), colour))).contrast
        for colour in ("white", "black", (0, 0, 0, 0))
    )
    assert (white["light"], round(white["dark"])) == (1.0, 18)
    assert (black["light"], round(black["dark"], 1)) == (21.0, 1.2)
    assert clear == {"light": 1.0, "dark": 1.0}


@pytest.mark.slow
@given(some.sampled_from(["PNG", "JPEG", "WEBP"]), some.data())
def test_whatever_a_broken_file_is_it_is_drawn_or_refused(kind: str, data: some.DataObject) -> None:
    body, said = bytearray(picture(kind)), set()
    for _ in range(data.draw(some.integers(1, 6))):
        body[data.draw(some.integers(0, len(body) - 1))] = data.draw(some.integers(0, 255))
    cut = data.draw(some.integers(0, len(body)))
    for one in (bytes(body), bytes(body[:cut]), bytes(body[cut:])):
        try:
            drawing.draw_grey(one)
        except containers.Unusable as error:
            said.add(str(error))
    assert all(": " in one for one in said)  # what is wrong: what to do


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Return a store in an S3 of our own."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        urlopen(Request(f"{url}/pictures", method="PUT"))
        yield Bucket("s3://pictures/laurel", endpoint=url)
    finally:
        server.stop()


@pytest.mark.slow
def test_a_bucket_keeps_them_as_a_folder_does(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(storages._storages, "media", bucket)  # type: ignore[attr-defined]
    assert media.get("icons/a.webp") is None
    media.put("icons/a.webp", b"picture")
    media.put("icons/a.webp", b"picture")
    assert media.get("icons/a.webp") == b"picture"
    for _ in range(2):
        media.remove("icons/a.webp")
    assert media.get("icons/a.webp") is None
