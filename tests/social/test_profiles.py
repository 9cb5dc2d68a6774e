"""Profiles, comparisons and what is shared of a player: who sees them, and what they say."""

import io
import json
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts import avatars
from accounts.models import Player, PlayerAccount, User
from achievements.models import Achievement, AchievementCount, AchievementTranslation, GamePlayers
from core import public_pages
from social import befriending
from tests import factories
from tests.social.people import People
from tests.social.visiting import Guest, text

pytestmark = pytest.mark.django_db
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>]]>&{{ 7 }}"
SHARED = ("player-card", "player-badge", "player-feed")
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def anew() -> None:
    public_pages.forget()


@pytest.fixture
def people() -> People:
    """Let five play one game: the subject, a friend, a stranger, one whom he blocks, and one who blocks him."""
    made = People()
    made.achievement("first")
    made.achievement("secret", name="Secret name", hidden=True, points=777)
    made.unlock("subject", "first")
    made.unlock("subject", "secret")
    for name in ("friend", "stranger", "blocked", "blocker"):
        made.unlock(name, "first")
    made.befriend("friend", "subject")
    now = timezone.now()
    befriending.block(player_id=made["subject"].pk, blocked_id=made["blocked"].pk, at=now)
    befriending.block(player_id=made["blocker"].pk, blocked_id=made["subject"].pk, at=now)
    return made


def guest(people: People, who: str) -> Guest:
    return Guest(None if who == "nobody" else people[who])


SEERS = {
    "public": ("subject", "friend", "stranger", "nobody"),
    "friends": ("subject", "friend"),
    "private": ("subject",),
}


@pytest.mark.parametrize("visibility", SEERS)
@pytest.mark.parametrize("who", ["subject", "friend", "stranger", "blocked", "blocker", "nobody"])
def test_every_page_of_a_player_is_there_for_whom_he_lets_see_him(
    people: People, who: str, visibility: str
) -> None:
    people.set("subject", visibility=visibility)
    subject, game, other = people["subject"], people.game, people["stranger"]
    looks, expected = guest(people, who), 200 if who in SEERS[visibility] else 404
    assert looks.get("player", subject.uuid).status_code == expected
    assert looks.get("player-game", subject.uuid, game.uuid).status_code == expected
    for pair in ((subject.uuid, other.uuid), (other.uuid, subject.uuid)):
        assert looks.get("compare", *pair).status_code == expected
        assert looks.get("compare", *pair, game=game.uuid).status_code == expected
    # What other sites fetch is the same for everybody.
    for name in SHARED:
        assert looks.get(name, subject.uuid).status_code == (200 if visibility == "public" else 404)


def test_a_part_of_a_profile_is_shown_to_whom_the_player_lets_see_it(people: People) -> None:
    subject, game, pair = people["subject"], people.game, (people["friend"].uuid, people["subject"].uuid)
    people.set("subject", games_visibility="friends", feed_visibility="private")
    for who, sees_games in (("friend", True), ("stranger", False), ("nobody", False)):
        looks = guest(people, who)
        page = text(looks.get("player", subject.uuid))
        assert ("World rank" in page) == ("Points in 30 days" in page) == sees_games
        assert ("Games and achievements are not shown to you." in page) != sees_games
        assert "Latest unlocks" not in page
        assert "og:image" not in page
        expected = 200 if sees_games else 404
        assert looks.get("player-game", subject.uuid, game.uuid).status_code == expected
        assert looks.get("compare", *pair).status_code == expected
        assert {looks.get(name, subject.uuid).status_code for name in SHARED} == {404}
    people.set("subject", games_visibility="public")
    nobody = guest(people, "nobody")
    assert [nobody.get(name, subject.uuid).status_code for name in SHARED] == [200, 200, 404]
    himself = guest(people, "subject")
    people.set("subject", games_visibility="friends")
    assert "World rank" not in text(himself.get("player", subject.uuid))
    assert "World rank" in text(himself.client.get(f"/players/{subject.uuid}?as=friend"))


def test_who_hides_and_who_does_not_exist_answer_alike(people: People) -> None:
    people.set("subject", visibility="private")
    changing = r"[0-9a-f-]{36}|nonce=\S+|csrf\S+ value=\S+"
    for who in ("nobody", "friend"):
        looks = guest(people, who)
        for name in ("player", *SHARED):
            hidden, unknown = looks.get(name, people["subject"].uuid), looks.get(name, uuid4())
            pages = [re.sub(changing, "", text(one, 404)) for one in (hidden, unknown)]
            assert pages[0] == pages[1]


def test_a_profile_that_becomes_private_is_gone_with_all_that_is_shared_of_it(people: People) -> None:
    subject = people["subject"]
    etags = {}
    for name in ("player", *SHARED):
        answer = Client().get(reverse(name, args=[subject.uuid]))
        assert answer["Cache-Control"] == "public, max-age=0, s-maxage=10, must-revalidate"
        etags[name] = answer["ETag"]
    people.set("subject", visibility="friends")
    public_pages.forget()  # which holds it for a second
    for name, etag in etags.items():
        asked = Client().get(reverse(name, args=[subject.uuid]), headers={"If-None-Match": etag})
        assert asked.status_code == 404, name


def test_a_profile_shows_who_somebody_is(people: People) -> None:
    people.set("subject", region="EU", display_name="Juno")
    page = text(guest(people, "nobody").get("player", people["subject"].uuid))
    for words in (
        "Juno",
        "EU",
        "1 friend",
        "Latest unlocks",
        "World rank",
        "of 5",
        "Sign in to add a friend",
    ):
        assert words in page, words
    assert re.search(r'data-total="points">\s*787\s*<', page)
    assert "2 of 2" in page
    card = reverse("player-card", args=[people["subject"].uuid])
    assert f'<meta property="og:image" content="http://localhost:8000{card}">' in page or card in page
    assert 'property="og:title" content="Juno"' in page
    assert "csrfmiddlewaretoken" not in page


def test_what_is_hidden_is_named_only_to_who_has_it(people: People) -> None:
    people.unlock("stranger", "secret")
    subject, game = people["subject"].uuid, people.game.uuid
    pages = [
        ("player", (subject,), {}),
        ("player-game", (subject, game), {}),
        ("compare", (subject, people["stranger"].uuid), {"game": game}),
        ("player-feed", (subject,), {}),
        ("player-badge", (subject,), {}),
    ]
    for who, knows in (("nobody", False), ("friend", False), ("subject", True), ("stranger", True)):
        looks = guest(people, who)
        for name, arguments, query in pages:
            page = text(looks.get(name, *arguments, **query)).lower()
            named = knows and name in ("player-game", "compare")
            named |= who == "stranger" and name == "player"  # to himself he is shown as to others
            assert ("secret" in page) == named, (who, name)
            assert named or not re.search(r"\b777\b", page), (who, name)  # an id may hold the digits


def test_what_is_told_of_a_player_is_in_his_reader_s_language(people: People) -> None:
    first = Achievement.objects.get(game=people.game, key="first")
    AchievementTranslation.objects.create(achievement=first, language="pt", name="Primeiro")
    factories.forget()
    people.set("friend", language="pt-BR")
    looks = {who: guest(people, who) for who in ("friend", "stranger", "nobody")}
    for name, arguments in (
        ("player", (people["subject"].uuid,)),
        ("player-game", (people["subject"].uuid, people.game.uuid)),
    ):
        translated = text(looks["friend"].get(name, *arguments))
        assert '<bdi lang="pt">Primeiro</bdi>' in translated, name
        for who in ("stranger", "nobody"):
            assert "Primeiro" not in text(looks[who].get(name, *arguments)), (name, who)


def test_rows_lead_to_what_they_name_if_the_reader_finds_it(people: People) -> None:
    subject, game = people["subject"].uuid, people.game.uuid
    there = reverse("achievement-page", args=[game, "first"])
    page = text(guest(people, "nobody").get("player", subject))
    assert f'href="{there}"' in page
    assert "achievements/secret" not in page
    Achievement.objects.filter(game=people.game, key="first").update(state="archived")
    factories.forget()
    public_pages.forget()
    assert f'href="{there}"' not in text(guest(people, "nobody").get("player", subject))
    assert f'href="{there}"' in text(guest(people, "stranger").get("player", subject))  # who has it
    feed = ET.fromstring(guest(people, "nobody").get("player-feed", subject).content)
    assert [link.get("href") for link in feed.findall(f"{ATOM}entry/{ATOM}link")] == [
        f"{settings.PUBLIC_URL}{reverse('player-game', args=[subject, game])}"
    ]


def test_others_see_neither_drafts_nor_what_is_being_checked(people: People) -> None:
    Achievement.objects.filter(game=people.game, key="first").update(state="draft", name="Unborn")
    factories.forget()
    factories.flagged_unlock(people.game, "finale", "subject")
    for who in ("nobody", "friend"):
        looks = guest(people, who)
        for name, arguments, query in (
            ("player", (people["subject"].uuid,), {}),
            ("player-game", (people["subject"].uuid, people.game.uuid), {}),
            ("compare", (people["subject"].uuid, people["stranger"].uuid), {"game": people.game.uuid}),
            ("player-feed", (people["subject"].uuid,), {}),
        ):
            page = text(looks.get(name, *arguments, **query))
            assert "Unborn" not in page, (who, name)
            assert "Being checked" not in page


def test_a_comparison_says_who_is_ahead_and_what_only_one_has(people: People) -> None:
    people.achievement("later", name="Later one")
    factories.forget()
    looks, pair = guest(people, "friend"), (people["friend"].uuid, people["subject"].uuid)
    assert "Games of both" in text(looks.get("compare", *pair))
    page = text(looks.get("compare", *pair, game=people.game.uuid))
    assert "is ahead by" in page
    assert "777 points" in page
    for show, found in (
        ("only_player", "None"),
        ("only_other", "Hidden achievement"),
        ("both", "First"),
        ("neither", "Later one"),
    ):
        part = text(looks.get("compare", *pair, game=people.game.uuid, show=show))
        assert found in part
        assert ("Later one" in part) == (show == "neither")
    assert looks.get("compare", pair[0], pair[0]).status_code == 404
    assert looks.get("compare", *pair, game="none").status_code == 404
    assert looks.get("compare", *pair, cursor="forged").status_code == 400


def test_a_long_comparison_has_pages(people: People) -> None:
    factories.achievements(people.game, {f"a{n}": 1 for n in range(120)})
    factories.forget()
    looks, pair = guest(people, "friend"), (people["friend"].uuid, people["subject"].uuid)
    first = text(looks.get("compare", *pair, game=people.game.uuid, show="neither"))
    address = re.search(r'href="(\?game=[^"]+cursor=[^"]+)"', first)
    assert address is not None
    second = text(looks.client.get(reverse("compare", args=pair) + unescape(address[1])))
    assert (first.count('scope="row"'), second.count('scope="row"')) == (100, 20)


def _name_everything(people: People, name: str) -> Player:
    people.set("subject", display_name=name[:128])
    Achievement.objects.filter(game=people.game).update(name=name, description=name)
    type(people.game).objects.filter(pk=people.game.pk).update(title=name)
    factories.forget()
    return people["subject"]


def test_hostile_texts_are_shown_and_never_run(people: People) -> None:
    subject = _name_everything(people, HOSTILE)
    looks = guest(people, "friend")
    for name, arguments, query in (
        ("player", (subject.uuid,), {}),
        ("player-game", (subject.uuid, people.game.uuid), {}),
        ("compare", (people["friend"].uuid, subject.uuid), {}),
        ("compare", (people["friend"].uuid, subject.uuid), {"game": people.game.uuid}),
        ("friends", (), {"q": HOSTILE}),
    ):
        answer = looks.get(name, *arguments, **query)
        page = text(answer)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert HOSTILE in unescape(page), name
        assert not re.search(r"<[^>]*\sstyle=|<style|<[^>]*\son[a-z]+=\"", page), name
        assert answer["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_a_hostile_name_is_text_in_a_badge_and_in_a_feed(people: People) -> None:
    subject = _name_everything(people, HOSTILE)
    badge, feed = (
        guest(people, "nobody").get(name, subject.uuid) for name in ("player-badge", "player-feed")
    )
    drawn = ET.fromstring(badge.content)
    assert {one.tag.rpartition("}")[2] for one in drawn.iter()} == {
        "svg",
        "title",
        "rect",
        "g",
        "path",
        "text",
    }
    assert not [
        name for one in drawn.iter() for name in one.attrib if name.startswith("on") or "href" in name
    ]
    assert "<script>" in "".join(drawn.itertext())
    read = ET.fromstring(feed.content)
    assert HOSTILE[:40] in (read.findtext(f"{ATOM}title") or "")
    summaries = [entry.findtext(f"{ATOM}summary") or "" for entry in read.iter(f"{ATOM}entry")]
    assert summaries
    assert not any("<" in one for one in summaries)
    for answer, kind in ((badge, "image/svg+xml"), (feed, "application/atom+xml")):
        assert answer["Content-Type"].startswith(kind)
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert not answer.cookies


@pytest.mark.parametrize(
    "name",
    ["", "Juno", "W" * 128, "مريم الأندلسية", "愛 Ada 🎮", "नमस्ते", "\u202egnirts", "a\u0301\u200d", HOSTILE],
    ids=["none", "plain", "long", "arabic", "mixed", "indic", "override", "marks", "hostile"],
)
def test_a_card_is_drawn_whatever_somebody_is_called(people: People, name: str) -> None:
    people.set("subject", display_name=name[:128])
    looks, subject = guest(people, "nobody"), people["subject"].uuid
    answer = looks.get("player-card", subject)
    assert answer["Content-Type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert len(answer.content) < 400_000
    assert set(picture.info) <= {"gamma", "srgb"}  # no text in it
    known = looks.client.get(
        reverse("player-card", args=[subject]), headers={"If-None-Match": answer["ETag"]}
    )
    assert (known.status_code, known.content) == (304, b"")
    ET.fromstring(looks.get("player-badge", subject).content)
    ET.fromstring(looks.get("player-feed", subject).content)


def test_a_card_is_drawn_once_and_anew_for_another_name(
    people: People, django_assert_max_num_queries: Any
) -> None:
    looks, subject = guest(people, "nobody"), people["subject"].uuid
    first = looks.get("player-card", subject)
    with django_assert_max_num_queries(1):
        assert looks.get("player-card", subject).content == first.content
    people.set("subject", display_name="Another")
    assert looks.get("player-card", subject)["ETag"] != first["ETag"]


def test_a_card_shows_the_picture_that_its_player_uploaded(
    people: People, settings: Any, tmp_path: Path
) -> None:
    store = {"BACKEND": "core.media.Folder", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "media": store}
    red = io.BytesIO()
    Image.new("RGB", (300, 200), "#c01010").save(red, "PNG")
    looks, subject = guest(people, "nobody"), people["subject"]
    user = User.objects.create_user("subject@example.org")
    PlayerAccount.objects.create(user=user, player=subject, created_at=timezone.now())
    before = looks.get("player-card", subject.uuid)
    avatars.upload(subject.pk, red.getvalue(), at=timezone.now())
    shown = looks.get("player-card", subject.uuid)
    assert shown["ETag"] != before["ETag"]
    reds = [_middle_of_the_portrait(answer.content) for answer in (before, shown)]
    assert max(abs(a - b) for a, b in zip(reds[1], (192, 16, 16), strict=True)) < 12
    assert reds[0] != reds[1]


def test_a_card_asks_nobody_for_a_picture_that_lies_elsewhere_or_is_gone(people: People) -> None:
    gone = f"{settings.PUBLIC_URL}/media/avatars/{uuid4()}/{'0' * 32}-256.webp"
    for url in ("https://pictures.invalid/1.png", gone):
        people.set("subject", avatar_url=url)
        assert guest(people, "nobody").get("player-card", people["subject"].uuid).status_code == 200


def _middle_of_the_portrait(card: bytes) -> tuple[int, int, int]:
    with Image.open(io.BytesIO(card)) as picture:
        pixel = picture.convert("RGB").getpixel((124, 100))
    assert isinstance(pixel, tuple)
    return pixel[0], pixel[1], pixel[2]


def test_a_feed_is_valid_atom_with_ids_that_stay(people: People) -> None:
    """Hold it against RFC 4287, §4.1: what must be there is, once, and of its form."""
    subject = people["subject"]
    first = guest(people, "nobody").get("player-feed", subject.uuid).content
    read = ET.fromstring(first)
    assert read.tag == f"{ATOM}feed"
    entries = list(read.iter(f"{ATOM}entry"))
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == ["First in Emberwake"]
    for one in (read, *entries):
        for name in ("id", "title", "updated"):
            assert len(one.findall(f"{ATOM}{name}")) == 1
        assert datetime.fromisoformat(one.findtext(f"{ATOM}updated") or "").tzinfo is not None
        assert re.fullmatch(r"(urn:uuid|tag):\S+", one.findtext(f"{ATOM}id") or "")
    assert read.findtext(f"{ATOM}author/{ATOM}name") == "Subject"
    links = {link.get("rel"): link.get("href") or "" for link in read.findall(f"{ATOM}link")}
    assert links["self"].endswith(f"/players/{subject.uuid}/feed.atom")
    [to] = entries[0].findall(f"{ATOM}link")
    assert (to.get("href") or "").endswith(reverse("achievement-page", args=[people.game.uuid, "first"]))
    people.set("subject", display_name="Renamed")
    Achievement.objects.filter(game=people.game).update(name="Renamed, too")
    again = ET.fromstring(guest(people, "nobody").get("player-feed", subject.uuid).content)
    assert [one.text for one in again.iter(f"{ATOM}id")] == [one.text for one in read.iter(f"{ATOM}id")]


def test_an_empty_feed_stays_the_same(people: People) -> None:
    newcomer = people["newcomer"]
    looks = guest(people, "nobody")
    assert looks.get("player-feed", newcomer.uuid).content == looks.get("player-feed", newcomer.uuid).content


def test_the_rarest_stand_by_how_few_have_them(people: People) -> None:
    GamePlayers.objects.update_or_create(game=people.game, defaults={"players": 1000})
    for key, unlocked in (("first", 7), ("secret", 3)):
        one = Achievement.objects.get(game=people.game, key=key)
        AchievementCount.objects.update_or_create(achievement=one, defaults={"unlocked": unlocked})
    page = text(guest(people, "nobody").get("player", people["subject"].uuid))
    rarest = page[page.index('id="rarest"') :]
    assert rarest.index("Hidden achievement") < rarest.index("<bdi>First</bdi>")
    assert "0.7% of 1,000" in unescape(rarest.replace("\u202f", ","))


def test_a_profile_takes_a_fixed_number_of_queries(
    people: People, django_assert_max_num_queries: Any
) -> None:
    for n in range(3):
        game = factories.game(people.studio, title=f"Game {n}")
        factories.achievement(game, "a")
        people.unlock("subject", "a", game=game)
    looks = guest(people, "friend")
    looks.get("player", people["subject"].uuid)
    with django_assert_max_num_queries(34):
        looks.get("player", people["subject"].uuid)


def test_json_of_a_game_is_untouched_by_what_pages_ask(people: People) -> None:
    """Drafts that a tester holds stay his own in the API's comparison."""
    Achievement.objects.filter(game=people.game, key="first").update(state="draft")
    factories.forget()
    answer = people.api("subject").get(
        f"/players/me/compare/{people.id('friend')}?game_id={people.game.uuid}"
    )
    keys = [row["key"] for row in json.loads(answer.content)["results"]]
    assert keys == ["first", "secret"]
