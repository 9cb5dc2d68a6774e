"""The page of friends and its forms: what they do, who may, and what is told."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Player
from core import public_pages
from social import befriending
from social.models import Block, FriendRequest, Friendship
from tests import factories
from tests.social.people import People
from tests.social.visiting import Guest, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew() -> None:
    public_pages.forget()


@pytest.fixture
def people() -> People:
    made = People()
    made.achievement("first", name="First of all")
    return made


def part(page: str, heading: str) -> str:
    """Return a panel of the page; empty if it is not there."""
    found = re.search(rf'<section[^>]*aria-labelledby="{heading}".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def test_a_request_is_sent_answered_and_the_friendship_ended_by_forms(people: People) -> None:
    ada, ben = Guest(people["ada"]), Guest(people["ben"])
    profile = reverse("player", args=[people["ben"].uuid])
    answer = ada.do("ask", people["ben"], next=profile)
    assert (answer.status_code, answer["Location"]) == (303, profile)
    page = text(ada.client.get(profile))
    assert "The request is sent." in page
    assert 'value="cancel"' in page
    assert "Ada" in part(text(ben.get("friends")), "received")
    assert "Ben" in part(text(ada.get("friends")), "sent")
    ben.do("accept", people["ada"])
    assert "Ada" in part(text(ben.get("friends")), "friends")
    assert 'value="remove"' in text(ada.client.get(profile))
    ada.do("remove", people["ben"])
    assert not Friendship.objects.exists()


def test_a_request_is_declined_or_taken_back(people: People) -> None:
    ada, ben = Guest(people["ada"]), Guest(people["ben"])
    for who, deed in ((ben, "decline"), (ada, "cancel")):
        ada.do("ask", people["ben"])
        who.do(deed, people["ada"] if who is ben else people["ben"])
        assert not FriendRequest.objects.exists()
    assert "waits no more" in text(ada.client.post(_act(people["ben"]), {"do": "cancel"}, follow=True))


def _act(other: Player) -> str:
    return reverse("friend-act", args=[other.uuid])


def test_who_is_blocked_is_out_of_sight_until_unblocked(people: People) -> None:
    ada = Guest(people["ada"])
    people.befriend("ada", "ben")
    profile = reverse("player", args=[people["ben"].uuid])
    answer = ada.do("block", people["ben"], next=profile)
    assert answer["Location"] == reverse("friends")  # his profile is not there for her any more
    assert ada.client.get(profile).status_code == 404
    assert Guest(people["ben"]).get("player", people["ada"].uuid).status_code == 404
    assert "Ben" in part(text(ada.get("friends")), "blocks")
    assert not part(text(ada.get("friends", q="ben")), "add").count("rows-people")
    ada.do("unblock", people["ben"])
    assert ada.client.get(profile).status_code == 200


def test_a_request_to_who_blocks_looks_like_any_other(people: People) -> None:
    ada, ben = Guest(people["ada"]), Guest(people["ben"])
    befriending.block(player_id=people["ben"].pk, blocked_id=people["ada"].pk, at=timezone.now())
    page = text(ada.client.post(_act(people["ben"]), {"do": "ask"}, follow=True))
    assert "The request is sent." in page
    assert "Ada" not in part(text(ben.get("friends")), "received")


@pytest.mark.parametrize("deed", ["ask", "accept", "decline", "cancel", "remove", "block", "unblock"])
def test_who_is_private_is_nobody_to_a_stranger(people: People, deed: str) -> None:
    people.set("ben", visibility="private")
    ada = Guest(people["ada"])
    hidden, unknown = ada.do(deed, people["ben"]), ada.client.post(f"/me/friends/{uuid4()}", {"do": deed})
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert not FriendRequest.objects.exists()
    assert not Block.objects.exists()


def test_who_became_private_is_still_unblocked_and_parted_from(people: People) -> None:
    ada, at = Guest(people["ada"]), timezone.now()
    befriending.block(player_id=people["ada"].pk, blocked_id=people["ben"].pk, at=at)
    people.befriend("ada", "cid")
    for name in ("ben", "cid"):
        people.set(name, visibility="private")
    assert ada.do("unblock", people["ben"]).status_code == 303
    assert ada.do("remove", people["cid"]).status_code == 303
    assert not Block.objects.exists()
    assert not Friendship.objects.exists()


@pytest.mark.parametrize("visibility", ["public", "friends", "private"])
def test_lists_name_whom_the_player_may_see(people: People, visibility: str) -> None:
    at = timezone.now()
    befriending.ask(sender_id=people["ada"].pk, receiver_id=people["ben"].pk, at=at)
    befriending.ask(sender_id=people["cid"].pk, receiver_id=people["ada"].pk, at=at)
    befriending.block(player_id=people["ada"].pk, blocked_id=people["mallory"].pk, at=at)
    for name in ("ben", "cid", "mallory"):
        people.set(name, visibility=visibility)
    page = text(Guest(people["ada"]).get("friends"))
    assert "<bdi>Cid" in page, "who asks says who he is"
    for name in ("Ben", "Mallory"):
        assert (name in page) == (visibility == "public"), name
    assert ("A player who hides" in page) == (visibility != "public")


def test_forms_ask_for_a_token_a_sign_in_and_a_known_deed(people: People) -> None:
    strict = Guest(people["ada"], strict=True)
    assert strict.do("ask", people["ben"]).status_code == 403
    assert "/account/login" in Guest(None).do("ask", people["ben"])["Location"]
    assert "/account/login" in Guest(None).get("friends")["Location"]
    assert Guest(people["cid"]).do("adore", people["ben"]).status_code == 422
    assert strict.client.get(_act(people["ben"])).status_code == 405
    assert not FriendRequest.objects.exists()


def test_nobody_answers_a_request_that_is_another_ones(people: People) -> None:
    befriending.ask(sender_id=people["ada"].pk, receiver_id=people["ben"].pk, at=timezone.now())
    mallory = Guest(people["mallory"])
    for deed in ("accept", "decline", "cancel", "remove"):
        for other in ("ada", "ben"):
            mallory.do(deed, people[other])
    assert FriendRequest.objects.count() == 1
    assert not Friendship.objects.exists()


def test_limits_are_explained(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(befriending, "MOST_FRIENDS", 1)
    people.befriend("ada", "ben")
    ada = Guest(people["ada"])
    page = text(ada.client.post(_act(people["cid"]), {"do": "ask"}, follow=True))
    assert "You have 1 friends, which is the most." in page
    assert "Remove somebody before you add another." in page


def test_a_friend_is_found_by_how_the_name_begins_if_everybody_may_see_him(people: People) -> None:
    names = {
        "Marta": "public",
        "Marten": "friends",
        "Martin": "private",
        "Marvin": "public",
        "Mars": "public",
    }
    for name, visibility in names.items():
        people.set(name.lower(), display_name=name, visibility=visibility)
    befriending.block(player_id=people["marvin"].pk, blocked_id=people["ada"].pk, at=timezone.now())
    people.befriend("ada", "mars")
    ada = Guest(people["ada"])
    found = part(text(ada.get("friends", q="  mAr")), "add")
    assert re.findall(r'<a class="title cut"[^>]*><bdi>(\w+)', found) == ["Mars", "Marta"]
    assert found.count('value="ask"') == 1
    for asked in ("%", "http://[", "http://evil.example\uff0f/"):
        assert "Nobody of that name" in text(ada.get("friends", q=asked)), asked
    assert text(ada.get("friends", q="\x00")).count("rows-people") == 0


def test_an_address_finds_who_shows_himself_to_friends_without_a_name(people: People) -> None:
    people.set("ben", visibility="friends")
    people.set("cid", visibility="private")
    ada = Guest(people["ada"])
    for name, found in (("ben", True), ("cid", False), ("ada", False)):
        uuid = people[name].uuid
        for asked in (f"/players/{uuid}", f"id:{uuid}", str(uuid), f"/players/{uuid}/card.png"):
            page = part(text(ada.get("friends", q=asked)), "add")
            assert ("Whoever this address is of" in page) == found, asked
            assert "<bdi>Ben" not in page
    ada.do("ask", people["ben"])
    assert FriendRequest.objects.count() == 1
    assert "Whoever this" not in text(
        ada.get("friends", q=f"https://evil.example/players/{people['ben'].uuid}")
    )


def test_friends_show_their_points_and_who_is_private_shows_nothing(people: People) -> None:
    people.befriend("ada", "ben", "cid")
    people.unlock("ben", "first")
    people.unlock("cid", "first")
    people.set("cid", visibility="private")
    page = text(Guest(people["ada"]).get("friends"))
    friends = part(page, "friends")
    assert friends.count('class="points') == 1
    assert "Shows nobody anything right now" in friends
    assert str(people["cid"].uuid) not in part(page, "news")
    assert "First of all" in part(page, "news")
    assert f'/players/{people["cid"].uuid}"' not in friends


def test_what_is_hidden_stays_so_in_the_news_until_one_has_it(people: People) -> None:
    people.achievement("secret", name="Secret name", hidden=True, points=777)
    people.befriend("ada", "ben")
    people.unlock("ben", "secret")
    ada = Guest(people["ada"])
    assert "secret" not in part(text(ada.get("friends")), "news").lower()
    people.unlock("ada", "secret")
    news = part(text(ada.get("friends")), "news")
    assert "Secret name" in news
    assert reverse("achievement-page", args=[people.game.uuid, "secret"]) in news


@pytest.mark.slow
def test_500_friends_have_pages_and_take_as_many_queries_as_a_few(
    people: People, django_assert_max_num_queries: Any
) -> None:
    ada = people["ada"]
    others = Player.objects.bulk_create(Player(display_name=f"Friend {n:03}") for n in range(500))
    now = timezone.now()
    Friendship.objects.bulk_create(
        Friendship(player_id=one, friend_id=two, since=now)
        for other in others
        for one, two in ((ada.pk, other.pk), (other.pk, ada.pk))
    )
    looks = Guest(ada)
    looks.get("friends")
    with django_assert_max_num_queries(26):
        page = text(looks.get("friends"))
    seen: list[str] = []
    while True:
        seen += re.findall(r"<bdi>(Friend \d+)</bdi>", part(page, "friends"))
        goes_on = re.search(r'href="(\?friends=[^"#]+)', page)
        if goes_on is None:
            break
        page = text(looks.client.get(reverse("friends") + unescape(goes_on[1])))
    assert seen == [f"Friend {n:03}" for n in range(500)]
    with django_assert_max_num_queries(45):  # who has 500 friends, seen by one of them
        Guest(others[0]).get("player", ada.uuid)


def test_requests_and_blocks_have_pages(people: People) -> None:
    ada, now = people["ada"], timezone.now()
    others = Player.objects.bulk_create(Player(display_name=f"Player {n:03}") for n in range(50))
    for other in others[:25]:
        befriending.ask(sender_id=other.pk, receiver_id=ada.pk, at=now)
    Block.objects.bulk_create(
        Block(player_id=ada.pk, blocked_id=one.pk, created_at=now) for one in others[25:]
    )
    looks = Guest(ada)
    page = text(looks.get("friends"))
    for name in ("received", "blocks"):
        first = re.findall(r"<bdi>(Player \d+)</bdi>", part(page, name))
        goes_on = re.search(rf'href="(\?{name}=[^"#]+)', page)
        assert goes_on is not None
        more = text(looks.client.get(reverse("friends") + unescape(goes_on[1])))
        second = re.findall(r"<bdi>(Player \d+)</bdi>", part(more, name))
        assert (len(first), len(second), len({*first, *second})) == (20, 5, 25)
    assert looks.get("friends", friends="forged").status_code == 400


def test_the_page_is_kept_by_nobody_and_shown_in_no_frame(people: People) -> None:
    answer = Guest(people["ada"]).get("friends")
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Frame-Options"] == "DENY"
    factories.forget()
