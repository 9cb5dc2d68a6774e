"""Achievements in the portal: the table, several at once, the order, a file in two steps."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import selectors
from accounts.models import Game, Member, Role, User
from achievements.models import Achievement, Catalogue
from achievements.services import arranging
from core.models import AuditEntry
from tests import factories
from tests.achievements import samples

pytestmark = pytest.mark.django_db
BROWSER = {"Accept": "text/html"}


def visitor(game: Game, role: str = Role.DEVELOPER) -> Client:
    user = User.objects.create_user(f"{role}-{game.pk}@example.com", "a-long-enough-password")
    Member.objects.create(studio=game.studio, user=user, role=role)
    client = Client(headers=BROWSER)
    client.force_login(user)
    return client


@pytest.fixture
def game() -> Game:
    return factories.game()


@pytest.fixture
def developer(game: Game) -> Client:
    return visitor(game)


def pages(game: Game) -> str:
    return f"/portal/{game.studio.uuid}/games/{game.uuid}/achievements"


def shown(page: Any) -> list[str]:
    """Return the keys of a table's rows."""
    return re.findall(r"<code>([^<]+)</code>", page.text)


def laurel(*achievements: dict[str, Any], **parts: Any) -> SimpleUploadedFile:
    return SimpleUploadedFile("game.json", json.dumps({"achievements": achievements, **parts}).encode())


def preview(client: Client, game: Game, file: SimpleUploadedFile, format: str = "laurel") -> Any:
    return client.post(f"{pages(game)}/import", {"format": format, "file": file})


def hidden(page: Any) -> dict[str, str]:
    return {
        name: re.findall(rf'name="{name}"\s+value="([^"]*)"', page.text)[0] for name in ("token", "version")
    }


@pytest.mark.slow
def test_the_table_is_searched_and_filtered(game: Game, developer: Client) -> None:
    factories.achievement(game, "first-blood", name="First blood")
    factories.achievement(game, "last-stand", name="Last stand", state="draft")
    factories.achievement(game, "old-one", name="Old one", state="archived")
    assert len(shown(developer.get(pages(game)))) == 3
    assert shown(developer.get(f"{pages(game)}?q=BLOOD")) == ["first-blood"]
    assert shown(developer.get(f"{pages(game)}?state=draft")) == ["last-stand"]
    assert "No achievement fits" in developer.get(f"{pages(game)}?q=nothing").text
    assert len(shown(developer.get(f"{pages(game)}?state=everything&page=x"))) == 3


def test_what_players_wrote_is_shown_and_not_run(game: Game, developer: Client) -> None:
    factories.achievement(game, "x", name="<script>alert(1)</script>")
    assert "<script>alert" not in developer.get(pages(game)).text


@pytest.mark.slow
def test_several_are_published_and_archived_at_once(game: Game, developer: Client) -> None:
    for key in ("a", "b", "c"):
        factories.achievement(game, key, state="draft")
    assert developer.post(f"{pages(game)}/change", {"act": "publish", "keys": ["a", "b"]}).status_code == 302
    states = dict(Achievement.objects.values_list("key", "state"))
    assert states == {"a": "published", "b": "published", "c": "draft"}
    developer.post(f"{pages(game)}/change", {"act": "archive", "keys": ["a"]})
    developer.post(f"{pages(game)}/change", {"act": "delete", "keys": ["c"]})
    assert dict(Achievement.objects.values_list("key", "state")) == {"a": "archived", "b": "published"}
    told = AuditEntry.objects.filter(studio_id=game.studio_id).order_by("id").values_list("action", "details")
    assert list(told) == [
        ("achievement.publish", {"keys": ["a", "b"]}),
        ("achievement.archive", {"keys": ["a"]}),
        ("achievement.delete", {"keys": ["c"]}),
    ]


def test_all_of_them_or_none(game: Game, developer: Client) -> None:
    factories.achievement(game, "draft", state="draft")
    factories.achievement(game, "live")
    answer = developer.post(
        f"{pages(game)}/change", {"act": "delete", "keys": ["draft", "live"], "seen": "?q=a"}, follow=True
    )
    assert "Nothing was changed." in answer.text
    assert answer.redirect_chain[0][0].endswith("/achievements?q=a")
    assert Achievement.objects.count() == 2
    for said in ({"act": "archive"}, {"act": "grow", "keys": ["live"]}, {"act": "archive", "keys": ["gone"]}):
        assert developer.post(f"{pages(game)}/change", said).status_code == 302
    assert not AuditEntry.objects.exists()


def button(page: Any, name: str, key: str) -> str:
    """Return what a row's button sends, empty where it can't be pressed."""
    row = re.findall(rf'<tr id="row-(?:(?!</tr>).)*<code>{key}</code>.*?</tr>', page.text, re.DOTALL)[-1]
    found = re.search(rf'data-{name}\s+value="([^"]*)"\s*(disabled)?', row)
    assert found is not None
    return "" if found[2] else found[1]


def press(client: Client, game: Game, name: str, key: str, *, seen: str = "") -> Any:
    to = button(client.get(pages(game) + seen), name, key)
    return client.post(f"{pages(game)}/move", {"to": to, "seen": seen}, follow=True)


@pytest.mark.slow
def test_the_order_is_moved_place_by_place(game: Game, developer: Client) -> None:
    for key in ("a", "b", "c"):
        factories.achievement(game, key, name=f"Name {key}")
    assert button(developer.get(pages(game)), "up", "a") == ""
    assert button(developer.get(pages(game)), "down", "c") == ""
    assert "Name a is number 2 of 3 now." in press(developer, game, "down", "a").text
    press(developer, game, "up", "c")
    assert shown(press(developer, game, "up", "c")) == ["c", "b", "a"]
    assert [one.details for one in AuditEntry.objects.order_by("id")] == [
        {"key": "a", "behind": "b"},
        {"key": "c", "before": "a"},
        {"key": "c", "before": "b"},
    ]


def test_what_a_filter_leaves_out_keeps_its_place(game: Game, developer: Client) -> None:
    for key, state in (
        ("a", "draft"),
        ("b", "published"),
        ("c", "draft"),
        ("d", "published"),
        ("e", "draft"),
    ):
        factories.achievement(game, key, state=state)
    page = press(developer, game, "up", "e", seen="?state=draft")
    assert page.redirect_chain[0][0].partition("#")[0].endswith("/achievements?state=draft")
    assert shown(page) == ["a", "e", "c"]
    assert "keeps its place" in page.text
    assert shown(developer.get(pages(game))) == ["a", "b", "e", "c", "d"]


@pytest.mark.slow
def test_the_end_of_a_page_leads_to_the_next_one(game: Game, developer: Client) -> None:
    factories.achievements(game, {f"a{number:02}": 1 for number in range(52)})
    press(developer, game, "up", "a50", seen="?page=2")
    assert shown(developer.get(pages(game)))[-2:] == ["a48", "a50"]
    press(developer, game, "down", "a50")
    assert shown(developer.get(f"{pages(game)}?page=2")) == ["a50", "a51"]


def test_a_script_is_told_what_to_say(game: Game, developer: Client) -> None:
    a, b = (factories.achievement(game, key, name=f"Name {key}") for key in ("a", "b"))
    said: dict[str, Any] = {"headers": {"Accept": "application/json"}}
    answer = developer.post(f"{pages(game)}/move", {"to": f"{a.uuid} behind {b.uuid}"}, **said)
    assert answer.json() == {"said": "Name a is number 2 of 2 now."}
    gone = developer.post(f"{pages(game)}/move", {"to": f"{a.uuid} before {game.uuid}"}, **said)
    assert (gone.status_code, "load the list again" in gone.json()["detail"]) == (404, True)


def test_what_moves_nothing_is_no_change(game: Game, developer: Client) -> None:
    a, b = (factories.achievement(game, key) for key in ("a", "b"))
    foreign = factories.achievement(factories.game(game.studio))
    version = Catalogue.objects.get(game=game).version
    for to in (
        f"{a.uuid} before {b.uuid}",
        f"{a.uuid} before {a.uuid}",
        f"{a.uuid} before {foreign.uuid}",
        f"{foreign.uuid} before {a.uuid}",
        f"{a.uuid} before",
        "x before y",
        " ",
        "",
    ):
        assert developer.post(f"{pages(game)}/move", {"to": to}).status_code == 302
    assert Catalogue.objects.get(game=game).version == version
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_people_who_order_at_once_lose_nobody(game: Game) -> None:
    factories.achievements(game, dict.fromkeys("abcdef", 1))
    ids = dict(Achievement.objects.values_list("key", "uuid"))
    info = selectors.fresh_game(game.uuid)
    assert info is not None

    def put(key: str) -> None:
        for beside in "abcdef":
            with closing(connection):
                arranging.place(
                    game=info,
                    achievement=ids[key],
                    beside=ids[beside],
                    is_before=key < beside,
                    actor="user:a@example.com",
                    at=timezone.now(),
                )

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(put, "ace"))
    places = list(Achievement.objects.order_by("sort_order").values_list("sort_order", flat=True))
    assert places == [0, 1, 2, 3, 4, 5]


def test_a_file_is_shown_and_then_imported(game: Game, developer: Client) -> None:
    factories.achievement(game, "first-blood", name="First blood", points=10)
    file = laurel(
        {"key": "first-blood", "name": "First blood", "points": 20},
        {"key": "new", "name": "New one"},
        stats=[{"key": "kills", "name": "Kills", "aggregation": "sum"}],
    )
    page = preview(developer, game, file)
    assert page.status_code == 200
    assert "<del>10</del>" in page.text
    assert "<ins>20</ins>" in page.text
    assert "Apply 3 changes" in page.text
    assert Achievement.objects.get().points == 10
    applied = developer.post(f"{pages(game)}/import/apply", hidden(page))
    assert applied["Location"] == pages(game)
    assert dict(Achievement.objects.values_list("key", "points")) == {"first-blood": 20, "new": 0}
    entry = AuditEntry.objects.get()
    assert entry.details == {"format": "laurel", "created": 2, "updated": 1}
    again = preview(developer, game, laurel({"key": "new", "name": "New one"}))
    assert "Nothing to apply: the game has all of it already." in again.text
    assert 'name="token"' not in again.text


def test_a_file_is_read_as_what_it_shows_itself_to_be(game: Game, developer: Client) -> None:
    schema = SimpleUploadedFile("schema.txt", samples.STEAM_VDF.encode())
    page = preview(developer, game, schema, format="")
    assert "Steam, UserGameStatsSchema" in page.text.split("Apply 2 changes")[1]
    assert developer.post(f"{pages(game)}/import/apply", hidden(page))["Location"] == pages(game)
    assert set(Achievement.objects.values_list("name", flat=True)) == {"Bridge", "Tower"}
    for name, body, said in (
        ("notes.txt", b"hello", "Nothing in the file shows what it is: choose its format."),
        ("half.zip", b"PK\x03\x04half", "The zip is broken: pack it again."),
    ):
        page = preview(developer, game, SimpleUploadedFile(name, body), format="")
        assert (page.status_code, said in page.text, 'name="token"' in page.text) == (422, True, False)


def test_a_file_says_what_players_see_at_once(game: Game, developer: Client) -> None:
    factories.achievement(game, "first-blood", name="First blood")
    page = preview(
        developer,
        game,
        laurel(
            {"key": "first-blood", "name": "First"},
            {"key": "new", "name": "New one"},
            {"key": "later", "name": "Later one", "state": "draft"},
        ),
    )
    assert "1 new achievement is published at once" in page.text
    assert "Later one" in page.text
    drafts = preview(developer, game, laurel({"key": "later", "name": "Later one", "state": "draft"}))
    assert "published at once" not in drafts.text


def test_a_file_with_a_broken_row_changes_nothing(game: Game, developer: Client) -> None:
    page = preview(developer, game, laurel({"key": "fine", "name": "Fine"}, {"key": "bad", "points": -1}))
    assert page.status_code == 422
    assert "Nothing was imported: row 2 is wrong." in re.sub(r"\s+", " ", page.text)
    assert "Fix the row in <code>game.json</code>, then drop the file again." in page.text
    assert 'name="token"' not in page.text
    for body in (b"", b"not json", b"\xff\xfe"):
        answer = preview(developer, game, SimpleUploadedFile("x.json", body))
        assert answer.status_code == 422
    assert preview(developer, game, laurel(), "excel").status_code == 422
    assert not Achievement.objects.exists()


def test_a_file_that_is_too_large_is_refused(game: Game, developer: Client) -> None:
    answer = preview(developer, game, SimpleUploadedFile("x.json", b" " * (10 * 1024 * 1024 + 1)))
    assert answer.status_code in (413, 422)
    assert not Achievement.objects.exists()


def test_what_was_changed_meanwhile_is_shown_anew(game: Game, developer: Client) -> None:
    page = preview(developer, game, laurel({"key": "a", "name": "A", "points": 5}))
    api = factories.api(factories.server_key(game.studio))
    created = api.post(f"/games/{game.uuid}/achievements", {"key": "a", "name": "A", "points": 7})
    assert created.status_code == 201
    again = developer.post(f"{pages(game)}/import/apply", hidden(page))
    assert again.status_code == 200
    assert "The game was changed meanwhile" in again.text
    assert Achievement.objects.get().points == 7
    developer.post(f"{pages(game)}/import/apply", hidden(again))
    assert Achievement.objects.get().points == 5


def test_a_kept_file_is_its_visitor_s_and_its_game_s(game: Game, developer: Client) -> None:
    said = hidden(preview(developer, game, laurel({"key": "a", "name": "A"})))
    colleague = visitor(game, Role.ADMIN)
    assert colleague.post(f"{pages(game)}/import/apply", said)["Location"] == f"{pages(game)}/import"
    other = factories.game(game.studio)
    assert developer.post(f"{pages(other)}/import/apply", said)["Location"] == f"{pages(other)}/import"
    assert developer.post(f"{pages(game)}/import/apply")["Location"] == f"{pages(game)}/import"
    assert not Achievement.objects.exists()


def test_a_newer_file_takes_the_place_of_one_that_waits(game: Game, developer: Client) -> None:
    older = hidden(preview(developer, game, laurel({"key": "older", "name": "Older"})))
    newer = hidden(preview(developer, game, laurel({"key": "newer", "name": "Newer"})))
    assert developer.post(f"{pages(game)}/import/apply", older)["Location"] == f"{pages(game)}/import"
    assert developer.post(f"{pages(game)}/import/apply", newer)["Location"] == pages(game)
    assert Achievement.objects.get().key == "newer"


def test_the_file_that_is_exported_imports_unchanged(game: Game, developer: Client) -> None:
    factories.achievement(game, "first-blood", name="First blood")
    answer = developer.get(f"{pages(game)}/export")
    assert "attachment" in answer["Content-Disposition"]
    again = SimpleUploadedFile("again.json", answer.content)
    assert "the game has all of it already" in preview(developer, game, again).text
    assert developer.get(f"{pages(game)}/export?format=csv")["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize(
    ("seen", "leads_to"),
    [
        ("?q=one&state=draft", "?q=one&state=draft"),
        ("?q=é", "?q=%C3%A9"),
        ("?q\r\nSet-Cookie: a=b", "?q%0D%0ASet-Cookie:%20a=b"),
        ("//elsewhere.example", ""),
    ],
)
def test_one_is_led_back_to_what_one_saw_and_nowhere_else(
    game: Game, developer: Client, seen: str, leads_to: str
) -> None:
    factories.achievement(game, "one", state="draft")
    answer = developer.post(f"{pages(game)}/change", {"act": "publish", "keys": "one", "seen": seen})
    assert answer["Location"] == pages(game) + leads_to


ACTS = ("change", "move", "first", "import", "import/apply")


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ANALYST])
def test_a_lesser_role_looks_and_changes_nothing(game: Game, role: str) -> None:
    factories.achievement(game, "a", state="draft")
    client = visitor(game, role)
    page = client.get(pages(game))
    assert page.status_code == 200
    assert "checkbox" not in page.text
    for act in ACTS:
        assert client.post(f"{pages(game)}/{act}", {"act": "publish", "keys": ["a"]}).status_code == 403
    assert Achievement.objects.get().state == "draft"


def test_another_studio_s_game_is_not_there(game: Game) -> None:
    factories.achievement(game, "a", state="draft")
    stranger_game = factories.game()
    stranger = visitor(stranger_game)
    mixed = f"/portal/{stranger_game.studio.uuid}/games/{game.uuid}/achievements"
    for base in (pages(game), mixed):
        assert stranger.get(base).status_code == 404
        assert stranger.get(f"{base}/export").status_code == 404
        for act in ACTS:
            answer = stranger.post(f"{base}/{act}", {"act": "publish", "keys": ["a"]})
            assert answer.status_code == 404
    assert Achievement.objects.get().state == "draft"
