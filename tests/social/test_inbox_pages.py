"""The inbox on the player site: one's own alone, unread before all, in words that say what it means."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import PlayerAccount, User
from achievements.models import AchievementTranslation
from core.clock import microseconds
from core.rendering import dumps
from social import inbox, inbox_pages, preferences, selectors
from social.events import KINDS
from social.inbox import Notice
from social.inbox_words import KINDS as WORDED
from social.selectors.inboxes import Inbox
from tests import factories
from tests.social.people import People

pytestmark = pytest.mark.django_db
ABOUT = {"game": {"title": "Emberwake"}, "achievement": {"key": "a/ä", "name": "Keeper", "rarity": None}}
WHO = {"player": {"id": str(uuid4()), "display_name": "Juno"}}


@pytest.fixture
def people() -> People:
    return People()


def browser(people: People, name: str, **options: Any) -> Client:
    user = User.objects.create_user(f"{name}@example.org")
    PlayerAccount.objects.create(user=user, player=people[name], created_at=timezone.now())
    client = Client(**options)
    client.force_login(user)
    return client


def tell(people: People, name: str, kind: str, **data: Any) -> str:
    """Put something into an inbox; return its id."""
    uuid, game = str(uuid4()), people.game
    told = {"game_id": str(game.uuid), **data}
    notice = Notice(
        people[name].pk,
        uuid,
        kind,
        game.pk,
        people.studio.pk,
        microseconds(timezone.now()),
        dumps(told).decode(),
    )
    inbox.add([notice], quiet=[False])
    return uuid


def tell_all(people: People, name: str) -> None:
    """Tell something of every kind."""
    factories.leaderboard(people.game, "laps", name="Best lap")
    totals = {"points": 110, "unlocked": 7, "available": 40}
    tell(people, name, "achievement.unlocked", **ABOUT, points=75, totals=totals)
    tell(people, name, "achievement.revoked", **ABOUT, points=1, totals=totals)
    tell(people, name, "achievement.progress", **ABOUT, progress={"current": 28, "target": 30})
    tell(people, name, "leaderboard.updated", board="laps", rank=12, previous_rank=15, score=1)
    tell(people, name, "friend.request", **WHO, request_id=str(uuid4()))
    tell(people, name, "friend.accepted", **WHO, request_id=str(uuid4()))
    secret = {**ABOUT, "achievement": {"key": None, "name": None}}
    tell(people, name, "friend.unlocked", **WHO, **secret, points=None, count=3)
    tell(people, name, "report.answered", **ABOUT, report_id="1", answer="Fixed in 1.2 <b>")


def read(client: Client, path: str = "/me/inbox") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content[:300]
    text: str = answer.content.decode()
    return text.replace("\u2068", "").replace("\u2069", "")


def test_every_kind_has_words_and_leads_somewhere(people: People) -> None:
    assert set(WORDED) == set(KINDS)
    tell_all(people, "anna")
    text = read(browser(people, "anna"))
    for words in (
        "Keeper unlocked",
        "Emberwake · 75 points, 110 in this game by now",
        "Keeper was taken back",
        "nor do its 1 point.",
        "2 to go: Keeper",
        "You are number 12 on Best lap",
        "up from 15",
        "Juno asks to be your friend",
        "Juno is your friend now",
        "Juno unlocked a hidden achievement",
        "and 2 more",
        "Your report on Keeper was answered",
        "Fixed in 1.2 &lt;b&gt;",
        f'href="/players/{WHO["player"]["id"]}"',
        f'href="/games/{people.game.uuid}/achievements/a/%C3%A4"',
    ):
        assert words in text, words
    assert 'data-unread="8"' in text


def test_achievements_are_named_in_the_language_that_is_chosen_by_now(people: People) -> None:
    made = factories.achievement(people.game, "a/ä", name="Keeper")
    AchievementTranslation.objects.create(achievement=made, language="pt", name="Guardião")
    tell_all(people, "anna")
    people.set("anna", language="pt-BR")
    text = read(browser(people, "anna"))
    for words in ("Guardião unlocked", "2 to go: Guardião", "Your report on Guardião was answered"):
        assert words in text
    assert "Keeper" not in text
    assert "Juno unlocked a hidden achievement" in text


def test_what_is_unread_stands_first_and_filters_and_pages_keep_to_their_part(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_pages, "PAGE", 2)
    client, totals = browser(people, "anna"), {"points": 1, "unlocked": 1, "available": 1}
    for n in range(5):
        told = {**ABOUT, "achievement": {"key": "a", "name": f"Deed {n}"}}
        tell(people, "anna", "achievement.unlocked", **told, points=1, totals=totals)
    assert client.post("/me/inbox/read", {"newest": "4"}).status_code == 302
    text = read(client)
    assert text.index("New") < text.index("Deed 4") < text.index("Today") < text.index("Deed 3")
    assert "Deed 1" not in text
    more = text.split('class="button" href="?cursor=')[1].split('"')[0]
    older = read(client, f"/me/inbox?cursor={more}")
    assert "Deed 1" in older
    for shown in (text, older, read(client, "/me/inbox?kind=friend.request")):
        assert 'name="newest" value="5"' in shown, "what stands on no page is marked as well"
    assert "Deed 4" not in older
    assert "Nothing like that" in read(client, "/me/inbox?kind=friend.request")
    assert client.get("/me/inbox?cursor=forged").status_code == 400
    assert "Deed 3" not in read(client, "/me/inbox?unread=1")


def test_nobody_reads_or_marks_what_is_anothers(people: People) -> None:
    mine = tell(people, "anna", "friend.request", **WHO, request_id="x")
    other, owner = browser(people, "bert"), browser(people, "anna")
    assert "Nothing yet" in read(other)
    other.post("/me/inbox/read", {"id": mine})
    other.post("/me/inbox/read", {"newest": "999"})
    assert selectors.unread_count(Inbox(people["anna"].pk)) == 1
    answer = owner.post(
        "/me/inbox/read", {"id": mine, "kind": "friend.request", "next": "https://evil.example"}
    )
    assert answer["Location"] == "/me/inbox?kind=friend.request"
    assert selectors.unread_count(Inbox(people["anna"].pk)) == 0
    assert "You have read everything." in read(owner)


def test_forms_need_their_token(people: People) -> None:
    strict = browser(people, "anna", enforce_csrf_checks=True)
    tell(people, "anna", "friend.request", **WHO, request_id="x")
    for path, data in (("/me/inbox/read", {"newest": "9"}), ("/me/inbox/preferences", {})):
        assert strict.post(path, data).status_code == 403
    assert selectors.unread_count(Inbox(people["anna"].pk)) == 1
    assert preferences.preference(people["anna"].pk) == preferences.EVERYTHING


def test_preferences_are_kept_and_half_an_answer_is_not(people: People) -> None:
    client, path = browser(people, "anna"), "/me/inbox/preferences"
    every = {f"{way}:{kind}": "on" for kind in KINDS for way in ("inbox", "push")}
    del every["push:friend.unlocked"], every["inbox:friend.request"]
    answer = client.post(path, every | {"quiet_from": "22:00", "quiet_until": ""})
    assert answer.status_code == 422
    assert "Give both hours, or none." in answer.content.decode()
    assert preferences.preference(people["anna"].pk) == preferences.EVERYTHING
    assert client.post(path, every | {"quiet_from": "25:00", "quiet_until": "7"}).status_code == 422
    assert client.post(path, every | {"quiet_from": "22:00", "quiet_until": "07:00"}).status_code == 302
    kept = preferences.preference(people["anna"].pk)
    assert (kept.not_pushed, kept.not_told) == (frozenset({"friend.unlocked"}), frozenset({"friend.request"}))
    assert kept.quiet == (1320, 420)
    text = read(client, path)
    assert 'value="22:00"' in text
    assert text.count("checked") == 2 * len(KINDS) - 2
