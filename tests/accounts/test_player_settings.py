"""What a person says of himself in his account, and who may say otherwise."""

import io
import re
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts import avatars, sessions
from accounts.erasure import asking, finishing
from accounts.erasure.models import Erasure
from accounts.models import Avatar, Player, PlayerIdentity
from accounts.players_pages import views
from core import media
from core.models import Fact
from tests import factories
from tests.accounts.players import Somebody, nobody, somebody
from tests.accounts.visitors import BROWSER

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0"
SCRIPT = '<script>alert(1)</script>"&'


@pytest.fixture(autouse=True)
def _store(settings: Any, tmp_path: Any) -> None:
    backend = {"BACKEND": "core.media.Folder", "OPTIONS": {"location": tmp_path / "media"}}
    settings.STORAGES = {**settings.STORAGES, "media": backend}


@pytest.fixture
def anna() -> Somebody:
    return somebody()


def profile(**changes: str) -> dict[str, str]:
    fields = {"display_name": "", "language": "", "region": "", "time_zone": "UTC", **changes}
    return {f"profile-{name}": value for name, value in fields.items()}


def privacy(**changes: str) -> dict[str, str]:
    names = ("visibility", "games_visibility", "feed_visibility", "presence_visibility")
    return {f"privacy-{name}": changes.get(name, "public") for name in names}


def test_each_time_zone_is_offered_once_and_one_that_a_game_said_stays(anna: Somebody) -> None:
    Player.objects.filter(pk=anna.player.pk).update(time_zone="Asia/Calcutta")
    text = anna.page()
    offered = re.findall(r'<option value="(\w+/[^"]+)"', text)
    assert {"Asia/Kolkata", "Asia/Calcutta", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= set(
        offered
    )
    assert not {"America/Buenos_Aires", "US/Eastern", "Asia/Katmandu", "Etc/UTC"} & set(offered)
    assert anna.send("", **profile(time_zone="Asia/Calcutta")).status_code == 302


def test_pages_write_times_in_the_zone_that_was_chosen(anna: Somebody) -> None:
    assert "data-zone" not in anna.page()
    anna.send("", **profile(time_zone="Asia/Tokyo"))
    assert 'data-zone="Asia/Tokyo"' in anna.page()


def png(side: int = 300, colour: str = "red", *, height: int | None = None) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (side, height or side), colour).save(file, "PNG")
    file.seek(0)
    file.name = "me.png"
    return file


@pytest.mark.parametrize("path", ["", "/privacy", "/picture", "/link", "/devices"])
def test_settings_are_for_who_is_signed_in_and_forms_are_ones_own(anna: Somebody, path: str) -> None:
    asked = nobody().post(f"/me/settings{path}")
    assert (asked.status_code, asked["Location"]) == (302, "/account/login/?next=/me/")
    strict = Client(enforce_csrf_checks=True, headers=BROWSER)
    strict.force_login(anna.user)
    assert strict.post(f"/me/settings{path}").status_code == 403


def test_what_a_person_writes_is_shown_as_text_and_kept_by_nobody(anna: Somebody) -> None:
    answer = anna.send("", True, **profile(display_name=SCRIPT, language="pt-BR", time_zone="Europe/Berlin"))
    text = answer.content.decode()
    assert "Your profile is saved." in text
    assert "<script>alert" not in text
    assert "no-store" in answer["Cache-Control"]
    shown = anna.player
    assert (shown.display_name, shown.language, shown.time_zone) == (SCRIPT, "pt-BR", "Europe/Berlin")


@pytest.mark.parametrize(
    "wrong",
    [
        {"display_name": "x" * 129},
        {"display_name": "a\0b"},
        {"time_zone": "Mars/Base"},
        {"language": "xx-XX"},
        {"region": "ZZ"},
    ],
)
def test_what_can_not_be_is_refused_and_nothing_is_changed(anna: Somebody, wrong: dict[str, str]) -> None:
    before = Player.objects.values().get()
    answer = anna.send("", **profile(**wrong))
    assert answer.status_code == 422
    assert "Nothing was saved." in answer.content.decode()
    assert Player.objects.values().get() == before


def test_a_game_s_server_does_not_change_what_a_person_chose(anna: Somebody) -> None:
    game = factories.game()
    PlayerIdentity.objects.create(studio=game.studio, external_id="p-1", player=anna.player)
    anna.send("", **profile(display_name="Anna", region="EU"))
    anna.send("privacy", **privacy(visibility="friends"))
    api = factories.api(factories.server_key(game.studio))
    asked = {"display_name": "xX_p1_Xx", "region": "NA", "visibility": "public", "time_zone": "Asia/Tokyo"}
    told = api.put("/players/p-1", asked).json()
    assert (told["display_name"], told["region"], told["visibility"]) == ("Anna", "EU", "friends")
    assert told["time_zone"] == "Asia/Tokyo", "she said nothing of it"


def test_a_change_is_told_to_those_who_show_players(anna: Somebody) -> None:
    game = factories.game()
    PlayerIdentity.objects.create(studio=game.studio, external_id="p-1", player=anna.player)
    anna.send("", **profile(region="NA"))
    assert Fact.objects.filter(kind="players_changed").exists()


def test_a_picture_is_drawn_anew_and_the_old_one_goes(anna: Somebody) -> None:
    file = png()
    answer = anna.send("picture", **{"picture-file": file})
    assert answer["Location"] == "/me/settings#profile"
    url = anna.player.avatar_url
    assert url.startswith(f"{settings.PUBLIC_URL}/media/avatars/")
    assert str(anna.player.uuid) not in url
    got = nobody().get(url.removeprefix(settings.PUBLIC_URL))
    assert (got["Content-Type"], got["X-Content-Type-Options"]) == ("image/webp", "nosniff")
    assert got.content != file.getvalue()
    first = Avatar.objects.get()
    anna.send("picture", **{"picture-file": png(colour="blue")})
    assert avatars.sweep(at=timezone.now() + avatars.KEPT_UNNAMED * 2) == 1
    assert media.get(avatars.file(first.uuid, first.digest, 256)) is None
    assert Avatar.objects.count() == 1
    anna.send("picture", act="remove")
    assert anna.player.avatar_url == ""
    assert avatars.sweep(at=timezone.now()) == 0, "an upload may be about to name it"
    assert avatars.sweep(at=timezone.now() + avatars.KEPT_UNNAMED * 2) == 1


def test_an_erased_person_s_pictures_go_with_what_is_looked_for_afterwards(anna: Somebody) -> None:
    anna.send("picture", **{"picture-file": png()})
    (row,) = Avatar.objects.all()
    player = anna.player
    PlayerIdentity.objects.create(studio=factories.studio(), external_id="p-1", player=player)
    asking.erase_everywhere(player_id=player.pk, reason="", actor="player", at=timezone.now())
    assert media.get(avatars.file(row.uuid, row.digest, 256)) is not None
    for erasure in Erasure.objects.all():
        finishing.look_for(erasure, keeps=True)
    assert media.get(avatars.file(row.uuid, row.digest, 256)) is None
    assert not Avatar.objects.exists()


@pytest.mark.parametrize(("width", "height"), [(300, 200), (90, 300)])
def test_a_picture_fills_its_round_however_long_it_is(anna: Somebody, width: int, height: int) -> None:
    anna.send("picture", **{"picture-file": png(width, height=height)})
    got = nobody().get(anna.player.avatar_url.removeprefix(settings.PUBLIC_URL))
    drawn = Image.open(io.BytesIO(b"".join(got) if got.streaming else got.content)).convert("RGBA")
    assert drawn.size == (256, 256)
    opaque = drawn.getchannel("A")
    assert {opaque.getpixel(corner) for corner in ((0, 0), (255, 0), (0, 255), (255, 255))} == {255}


def test_nobody_fills_the_store_with_pictures(anna: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that were replaced are kept for an hour: without a limit one account lays thousands of them there."""
    monkeypatch.setattr(views, "PICTURES", "1/h")
    anna.send("picture", **{"picture-file": png()})
    refused = anna.send("picture", **{"picture-file": png(colour="blue")})
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert "very many pictures" in refused.content.decode()
    assert Avatar.objects.count() == 1


def test_what_is_no_picture_is_refused(anna: Somebody) -> None:
    large = io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"\0" * (512 * 1024))
    large.name = "x.png"
    page = io.BytesIO(b"<svg onload='alert(1)'/>")
    page.name = "../../x.png"
    for file, status in ((large, 413), (page, 422), (png(1025), 422), (None, 422)):
        fields = {"picture-file": file} if file else {}
        answer = anna.send("picture", **fields)
        assert answer.status_code == status
        assert "The picture stays as it was." in answer.content.decode()
    assert not Avatar.objects.exists()


@pytest.mark.slow
def test_devices_are_listed_and_ended(anna: Somebody) -> None:
    phone, tablet = (Client(headers={**BROWSER, "User-Agent": agent}) for agent in (PHONE, "curl/8"))
    for browser in (phone, tablet):
        browser.force_login(anna.user)
        assert browser.get("/me/settings").status_code == 200
    text = anna.page()
    assert "Firefox on Android" in text
    assert text.count("This one") == 1
    rows = {row.session_key: row.pk for row in UserSession.objects.all()}
    other = somebody("ben@players.example")
    other.send("devices", device=rows[phone.session.session_key])
    other.send("devices", device="others")
    assert phone.get("/me/settings").status_code == 200, "nobody ends another's"
    secret = phone.cookies["laurel_player"].value
    answer = anna.send("devices", True, device=rows[phone.session.session_key])
    text = answer.content.decode()
    assert "That device is signed out." in text[text.index('id="devices"') :], "where the browser scrolls to"
    assert phone.get("/me/settings").status_code == 302
    assert sessions.holder(secret, at=timezone.now()) is None
    anna.send("devices", device="others")
    assert (tablet.get("/me/settings").status_code, anna.client.get("/me/settings").status_code) == (302, 200)
    for device in ("x", "-1", "9" * 30, ""):
        assert anna.send("devices", device=device).status_code == 302
