"""An achievement's icon in the portal."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Game, Role
from achievements import documents
from achievements.models import Achievement, DefinitionDraft, DefinitionVersion, Icon
from achievements.selectors.definitions import fresh_catalogue
from achievements.selectors.editing import standing
from achievements.services import icons
from core.models import AuditEntry
from core.pictures import containers
from tests import factories
from tests.achievements import pictures
from tests.achievements.editor_world import Editor
from tests.achievements.pictures import drawn, picture, saved
from tests.achievements.test_portal import pages, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def game() -> Game:
    made = factories.game()
    factories.achievement(made, "first-blood", name="First blood")
    return made


@pytest.fixture
def developer(game: Game) -> Client:
    return visitor(game)


def page_of(game: Game) -> str:
    return f"{pages(game)}/{Achievement.objects.get().uuid}/icon"


def file(body: bytes, name: str = "icon.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body, content_type="image/png")


def send(client: Client, game: Game, **fields: Any) -> Any:
    """Send the form as it is shown now, or was when other pictures are said to be `shown_…`."""
    now = edited()
    shown = {f"shown_{name}": now.get(name, "") for name in documents.PICTURES}
    return client.post(page_of(game), {"locked": "grey", **shown, **fields}, follow=True)


def edited() -> dict[str, Any]:
    """Return the achievement with what waits to be published of it."""
    row = Achievement.objects.select_related("game").get()
    return standing(fresh_catalogue(row.game.pk).by_key[row.key]).edited


def test_a_picture_waits_to_be_published_like_any_other_change(game: Game, developer: Client) -> None:
    assert "built-in picture" in developer.get(page_of(game)).text
    page = send(developer, game, icon=file(picture()))
    assert "The icon is saved. Players see it once the changes are published." in page.text
    assert Achievement.objects.get().icon_url == ""
    waiting = DefinitionDraft.objects.get().changes
    shown = [f'src="{waiting[name].replace("-256.webp", "-112.webp")}"' for name in documents.PICTURES]
    assert all(one.startswith('src="/media/') and page.text.count(one) >= 2 for one in shown)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.details) == (
        "achievement.draft",
        {"key": "first-blood", "fields": ["icon_url", "icon_locked_url"]},
    )
    icons.sweep(at=timezone.now())
    assert icons.sweep(at=timezone.now() + 2 * icons.KEPT_UNNAMED) == 0

    editor = Editor(game, "first-blood", client=developer)
    diff = re.sub(r"\s+", " ", developer.get(f"{editor.url}/publish").text)
    assert '<del><svg class="tile tile-small' in diff
    assert f'<ins><img class="tile tile-small" {shown[0]}' in diff
    editor.act("publish")
    assert Achievement.objects.get().icon_url == waiting["icon_url"]
    assert shown[0] in developer.get(pages(game)).text

    send(developer, game, act="remove")
    editor.act("publish")
    assert Achievement.objects.get().icon_url == ""
    first = DefinitionVersion.objects.order_by("id")[0]
    editor.act(f"history/{first.pk}")
    assert Achievement.objects.get().icon_url == waiting["icon_url"]


@pytest.mark.slow
def test_a_picture_of_its_own_while_it_is_locked_or_grey_again(game: Game, developer: Client) -> None:
    Achievement.objects.update(state="draft")  # changed at once
    send(developer, game, icon=file(picture()))
    grey = Achievement.objects.get().icon_locked_url
    send(developer, game, locked="own", locked_icon=file(saved(drawn(40, 96))))
    shown = Achievement.objects.get()
    assert shown.icon_locked_url not in (grey, shown.icon_url)
    assert "in grey" in send(developer, game, act="grey").text
    assert Achievement.objects.get().icon_url == shown.icon_url
    assert Achievement.objects.get().icon_locked_url not in ("", shown.icon_locked_url)
    send(developer, game, locked="own", icon=file(picture()), locked_icon=file(picture("JPEG")))
    assert "The icon is removed." in send(developer, game, act="remove").text
    assert (Achievement.objects.get().icon_url, Achievement.objects.get().icon_locked_url) == ("", "")
    assert not DefinitionDraft.objects.exists()


def test_nobody_replaces_a_picture_that_he_did_not_see(game: Game, developer: Client) -> None:
    send(developer, game, icon=file(picture()))
    before = DefinitionDraft.objects.get().changes
    for fields in ({"icon": file(saved(drawn(40, 96)))}, {"act": "remove"}):
        page = send(developer, game, shown_icon_url="", **fields)
        assert "changed meanwhile" in page.text
    assert DefinitionDraft.objects.get().changes == before


def test_what_lies_elsewhere_is_not_made_grey(game: Game, developer: Client) -> None:
    Achievement.objects.update(icon_url="https://elsewhere.example/a.png")
    assert "It lies at" in developer.get(page_of(game)).text
    assert "upload its picture first" in send(developer, game, act="grey").text
    assert Achievement.objects.get().icon_locked_url == ""


@pytest.mark.parametrize(
    ("fields", "status", "why"),
    [
        ({}, 422, "Choose a picture."),
        ({"locked": "own"}, 422, "Choose the picture that is shown while it is locked."),
        ({"locked": "pink", "icon": picture()}, 422, "Select a valid choice"),
        ({"icon": b""}, 422, "empty"),
        ({"icon": pictures.HTML}, 422, containers.OTHER_KIND),
        ({"icon": pictures.SVG}, 422, containers.OTHER_KIND),
        ({"icon": pictures.apng()}, 422, containers.ANIMATED),
        ({"icon": pictures.png_that_claims(50_000, 50_000)}, 422, "50000 × 50000"),
        ({"icon": picture() + b"\0" * 512 * 1024}, 413, containers.TOO_LARGE),
        ({"locked": "own", "icon": picture(), "locked_icon": pictures.HTML}, 422, containers.OTHER_KIND),
    ],
    ids=["nothing", "no own", "pink", "empty", "html", "svg", "moves", "bomb", "large", "half of it"],
)
def test_what_is_refused_is_said_and_nothing_is_done(
    game: Game, developer: Client, fields: dict[str, Any], status: int, why: str
) -> None:
    said = {name: file(one) if isinstance(one, bytes) else one for name, one in fields.items()}
    page = send(developer, game, **said)
    assert page.status_code == status
    assert why in page.text
    assert Achievement.objects.get().icon_url == ""
    assert not Icon.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_file_s_name_is_nobody_s_business(game: Game, developer: Client) -> None:
    for name in ("../../x.svg", "a" * 90 + ".html", "CON", "icon.png\n"):
        assert send(developer, game, icon=file(picture(), name)).status_code == 200
    assert Icon.objects.count() == 2


def test_only_who_writes_definitions_of_the_studio_changes_icons(game: Game) -> None:
    lesser, stranger = visitor(game, Role.SUPPORT), visitor(factories.game())
    for client, status in ((lesser, 403), (stranger, 404)):
        assert client.get(page_of(game)).status_code == status
        for fields in ({"icon": file(picture())}, {"act": "remove"}, {"act": "grey"}):
            assert send(client, game, **fields).status_code == status
    assert not Icon.objects.exists()
