"""The search of the player site: what fits by name, whom its reader may see, and nothing of anybody else."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Game, Player, PlayerAccount, Studio, User
from social import befriending, search_pages
from tests import factories

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7|add:7 }} heron"


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


def person(studio: Studio, external_id: str, name: str, visibility: str = "public") -> Player:
    return factories.player(studio, external_id, display_name=name, visibility=visibility)


def visitor(player: Player) -> Client:
    user = User.objects.create_user(f"{player.pk}@player.example")
    PlayerAccount.objects.create(user=user, player=player, created_at=timezone.now())
    client = Client(headers={"Accept": "text/html"})
    client.force_login(user)
    return client


def page(query: str, by: Client | None = None, status: int = 200) -> str:
    answer = (by or Client(headers={"Accept": "text/html"})).get(f"/search?{query}")
    assert answer.status_code == status, answer.content[:300]
    return answer.content.decode()


def hits(markup: str) -> list[str]:
    """Return the titles of what was found, in order."""
    return [unescape(one) for one in re.findall(r'<b class="cut block"[^>]*><bdi>(.*?)</bdi></b>', markup)]


def published(title: str, studio: Studio | None = None) -> Game:
    made = factories.game(studio, title=title)
    factories.achievement(made)
    return made


def test_games_and_players_are_found_by_a_part_of_their_name_the_nearest_first(studio: Studio) -> None:
    published("The Heron's Song", studio)
    published("Heron", studio)
    factories.game(studio, title="Heron unannounced")
    Game.objects.filter(pk=published("Heron put away").pk).update(archived_at=timezone.now())
    for n, name in enumerate(("Grey Heron", "heron", "Herons", "Gannet")):
        person(studio, f"id-{n}", name)
    assert hits(page("q=HERON")) == ["Heron", "The Heron's Song", "heron", "Herons", "Grey Heron"]
    assert hits(page("q=he")) == ["Heron", "The Heron's Song", "Herons", "heron"]
    assert hits(page("q=100%25")) == []


def test_who_is_not_to_be_seen_changes_nothing_of_the_answer(studio: Studio) -> None:
    for n in range(8):
        person(studio, f"seen-{n}", f"Petrel {n}")
    before = page("q=petrel"), page("q=petrel&kind=players"), page("q=secret")
    person(studio, "secret-1", "Petrel the secret one", "private")
    person(studio, "secret-2", "Secret Petrel", "friends")
    Player.objects.filter(pk=person(studio, "secret-3", "Petrel secret").pk).update(erased_at=timezone.now())
    cursors = re.compile(r"cursor=[\w.-]+")
    after = page("q=petrel"), page("q=petrel&kind=players"), page("q=secret")
    assert [cursors.sub("", one) for one in after] == [cursors.sub("", one) for one in before]


def test_a_visitor_finds_himself_and_friends_and_nobody_who_blocks_him(studio: Studio) -> None:
    me = person(studio, "me", "Tern myself", "private")
    friend = person(studio, "friend", "Tern friend", "friends")
    person(studio, "stranger", "Tern stranger", "friends")
    person(studio, "private", "Tern private", "private")
    blocking = person(studio, "blocking", "Tern blocking")
    blocked = person(studio, "blocked", "Tern blocked")
    for one, other in ((me, friend), (friend, me)):
        befriending.ask(sender_id=one.pk, receiver_id=other.pk, at=timezone.now())
    befriending.block(player_id=blocking.pk, blocked_id=me.pk, at=timezone.now())
    befriending.block(player_id=me.pk, blocked_id=blocked.pk, at=timezone.now())
    assert set(hits(page("q=tern", visitor(me)))) == {"Tern myself", "Tern friend"}
    assert set(hits(page("q=tern"))) == {"Tern blocking", "Tern blocked"}


def test_nobody_is_found_by_a_studio_s_id(studio: Studio) -> None:
    known = person(studio, "steam-76561198000", "Auk")
    for query in ("steam-76561198000", "76561198000", str(known.uuid), f"id:{known.uuid}"):
        assert hits(page(f"q={query}")) == []


def test_a_group_goes_on_by_cursors_to_its_end(studio: Studio) -> None:
    for n in range(70):
        person(studio, f"p{n}", f"Gull {n:02}")
    first = page("q=gull")
    assert len(hits(first)) == search_pages.FIRST
    found, query = [], "q=gull&kind=players"
    while query:
        shown = page(query)
        found += hits(shown)
        further = re.search(r'rel="next" href="\?([^"]+)"', shown)
        query = unescape(further[1]) if further else ""
    assert sorted(found) == [f"Gull {n:02}" for n in range(70)]
    assert "That is everything." in shown
    page("q=gull&kind=players&cursor=forged", status=400)


def test_texts_are_only_text_and_what_can_t_be_a_name_finds_nothing(studio: Studio) -> None:
    published(HOSTILE, studio)
    person(studio, "hostile", HOSTILE[:128])
    shown = page("q=heron") + page("q=%3Cimg%20src%3Dx")
    assert "<img src=x" not in shown
    assert "<script>alert" not in shown
    for query in ("", "q=", "q=a", "q=%00%00", "q=" + "a" * 129, "q=he&kind=studios"):
        assert page(query)
    assert "Type two characters at least." in page("q=a")


def test_who_searches_too_often_is_asked_to_wait(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_pages, "BY_ADDRESS", "3/h")
    client = Client(REMOTE_ADDR="203.0.113.9", headers={"Accept": "text/html"})
    assert [client.get("/search?q=heron").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/search").status_code == 200
    other: Any = Client(REMOTE_ADDR="203.0.113.10").get("/search?q=heron")
    assert (other.status_code, "no-store" in other["Cache-Control"]) == (200, True)


def test_the_number_of_queries_does_not_grow_with_what_is_found(studio: Studio) -> None:
    me = visitor(person(studio, "me", "Skua"))

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            page("q=skua", me)
        return len(captured)

    few = cost()
    for n in range(12):
        person(studio, f"p{n}", f"Skua {n}")
        published(f"Skua {n}", studio)
    assert cost() == few
