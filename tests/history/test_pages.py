"""A player's own page and his year: his alone, in a fixed number of queries, and as of this moment."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Player, PlayerAccount, User
from achievements.models import Achievement, AchievementTranslation
from core import followers
from leaderboards.keys import Board
from social.models import ToldProgress
from tests import factories
from tests.leaderboards.kept import snapshot_of
from tests.social.people import People

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7|add:7 }}"


@pytest.fixture
def people() -> People:
    return People()


def signed_in(player: Player | None = None, name: str = "me") -> Client:
    """Return a browser of somebody who signed in, as that player if one is given."""
    user = User.objects.create_user(f"{name}@example.org")
    if player is not None:
        PlayerAccount.objects.create(user=user, player=player, created_at=timezone.now())
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, path: str = "/me/", status: int = 200) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status, answer.content[:500]
    text: str = answer.content.decode()
    return text


def section(text: str, name: str) -> str:
    """Return a live part of a page, up to the next one."""
    found = re.search(rf'data-live="{name}".*?(?=data-live="|</main>)', text, re.DOTALL)
    assert found is not None
    return found[0]


def on_the_way(player: Player, key: str, people: People, *, current: int, target: int, **fields: Any) -> None:
    made = factories.achievement(people.game, key, type="incremental", target=target, **fields)
    ToldProgress.objects.create(
        player_id=player.pk,
        achievement_id=made.pk,
        game_id=people.game.pk,
        studio_id=people.studio.pk,
        current=current,
        target=target,
        version=1,
        told=current,
        told_seq=0,
        told_at=timezone.now(),
    )


@pytest.mark.parametrize("path", ["/me/", "/me/fragment", "/me/recap/2026", "/me/inbox"])
def test_who_is_not_signed_in_is_asked_to(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"?next={path}")


def test_who_is_new_is_told_to_link_his_game(people: People) -> None:
    text = page(signed_in())
    for words in ("Link your game", "No unlocks yet", "On no board yet", "The curve starts with the first"):
        assert words in text
    assert "so far" not in text
    assert "Nothing happened here" in page(signed_in(name="other"), "/me/recap/2026")


def test_it_shows_what_is_near_latest_ranks_with_changes_and_games(people: People) -> None:
    for key, points in (("a", 10), ("b", 75)):
        people.achievement(key, name=f"Deed {key}", points=points)
    people.unlock("anna", "a")
    people.unlock("anna", "b")
    on_the_way(people["anna"], "near", people, current=28, target=30, name="Featherfall")
    on_the_way(people["anna"], "far", people, current=1, target=30, name="Far away")
    on_the_way(people["anna"], "secret", people, current=29, target=30, name="Secret name", hidden=True)
    week_ago = timezone.now() - timedelta(days=8)
    snapshot_of(Board(people.game.pk, None), [(people["anna"].pk, 43, 0)], at=week_ago)
    client = signed_in(people["anna"])
    text = page(client)
    near = section(text, "almost")
    assert near.index("Featherfall") < near.index("Far away")
    assert re.search(r"2 to go</b>\s*<span[^>]*>28 of 30", near)
    assert "secret" not in text.lower()
    latest = section(text, "unlocks")
    assert latest.index("Deed b") < latest.index("Deed a")
    ranks = section(text, "ranks")
    assert "Change in 7 days" in ranks
    assert re.search(r"42<span[^>]*> places up", ranks)
    assert "New<span" not in ranks
    fresh = signed_in(people["friend"], "friend")
    people.unlock("friend", "a")
    assert re.search(r"New<span[^>]*> on the board", section(page(fresh), "ranks"))
    assert "2 of 5" in section(text, "games")
    assert re.search(r'data-total="points">\s*85\s*<', text)
    parts = set(re.findall(r'data-live="([a-z]+)"', text))
    assert set(re.findall(r'data-live="([a-z]+)"', page(client, "/me/fragment"))) == parts


@pytest.mark.django_db(transaction=True)
def test_achievements_are_named_in_the_language_that_was_chosen(people: People) -> None:
    for key in ("a", "h"):
        made = factories.achievement(people.game, key, hidden=key == "h")
        AchievementTranslation.objects.create(achievement=made, language="pt", name=f"Feito {key}")
    people.befriend("anna", "bert")
    people.unlock("anna", "a")
    people.unlock("bert", "a")
    on_the_way(people["anna"], "near", people, current=1, target=2)
    near = Achievement.objects.get(key="near")
    AchievementTranslation.objects.create(
        achievement=near, language="pt", name="Quase", description="Falta um"
    )
    followers.ensure_rows()
    followers.drain("history")
    client = signed_in(people["anna"])
    assert "Feito" not in page(client)  # and is kept from here on
    people.set("anna", language="pt-BR")
    text = page(client)
    assert '<bdi lang="pt">Feito a</bdi>' in section(text, "unlocks")
    assert "Feito a" in section(text, "news")
    assert "Quase" in section(text, "almost")
    assert "Falta um" in section(text, "almost")
    assert "Feito a" in page(client, f"/me/recap/{timezone.now().year}")


def test_a_year_is_shared_by_whom_anybody_may_see(people: People) -> None:
    client, shared = signed_in(people["anna"]), f"/players/{people['anna'].uuid}#share"
    assert shared in page(client, f"/me/recap/{timezone.now().year}")
    people.set("anna", visibility="friends")
    assert shared not in page(client, f"/me/recap/{timezone.now().year}")


def test_a_page_that_was_kept_is_never_behind_an_unlock(people: People) -> None:
    people.achievement("a")
    people.achievement("b")
    people.unlock("anna", "a")
    client = signed_in(people["anna"])
    page(client)  # is kept from here on
    people.unlock("anna", "b")  # and no follower runs
    assert re.search(r'data-total="points">\s*20\s*<', page(client, "/me/fragment"))


def test_friends_news_is_of_friends_whom_one_may_see(people: People) -> None:
    people.achievement("a", name="Open deed")
    people.achievement("h", name="Veiled deed", hidden=True)
    people.befriend("anna", "bert", "cleo")
    people.set("cleo", visibility="private")
    people.unlock("bert", "a")
    people.unlock("bert", "h")
    people.unlock("cleo", "a")
    people.unlock("dora", "a")
    news = section(page(signed_in(people["anna"])), "news")
    assert news.count("<bdi>Bert</bdi>") == 2
    assert "Open deed" in news
    assert "a hidden achievement" in news
    for name in ("Veiled", "Cleo", "Dora"):
        assert name not in news


@pytest.mark.django_db(transaction=True)
def test_every_span_of_the_curve_ends_at_todays_points(people: People) -> None:
    people.achievement("a", points=40)
    people.achievement("b", points=2)
    long_ago = (timezone.now() - timedelta(days=200)).strftime("%Y-%m-%dT%H:%M:%SZ")
    people.unlock("anna", "a", at=long_ago)
    people.unlock("anna", "b")
    followers.ensure_rows()
    followers.drain("history")
    client = signed_in(people["anna"])
    for span, words in (("7d", "7 days"), ("90d", "90 days"), ("none", "30 days")):
        assert f"Points over {words}, from 40 to 42" in page(client, f"/me/?span={span}")
    assert "Points over one year, from 0 to 42" in page(client, "/me/?span=365d")


def test_a_page_takes_a_fixed_number_of_queries(
    people: People, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(6):
        game = factories.game(people.studio, title=f"Game {number}")
        factories.achievement(game, "a")
        factories.leaderboard(game, "laps")
        people.unlock("anna", "a", game=game)
        people.unlock("bert", "a", game=game)
    people.befriend("anna", "bert")
    on_the_way(people["anna"], "near", people, current=1, target=2)
    client = signed_in(people["anna"])
    page(client)
    # 18, and two for each board whose order Valkey does not have, as here: of six games four are ranked.
    with django_assert_max_num_queries(42):
        page(client)


def test_hostile_names_are_shown_and_never_run(people: People) -> None:
    people.achievement(HOSTILE[:120], name=HOSTILE, description=HOSTILE, icon_url='https://x/"onerror="a')
    people.unlock("anna", HOSTILE[:120])
    people.befriend("anna", "bert")
    people.unlock("bert", HOSTILE[:120])
    people.set("anna", display_name=HOSTILE[:128])
    people.set("bert", display_name=HOSTILE[:128])
    on_the_way(people["anna"], f"{HOSTILE[:100]}2", people, current=1, target=2, name=HOSTILE)
    client = signed_in(people["anna"])
    for path in ("/me/", "/me/fragment", f"/me/recap/{timezone.now().year}", "/me/inbox"):
        text = page(client, path)
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert not re.search(r'<[^>]*\son[a-z]+="a', text), path
        assert not re.search(r"<[^>]*\sstyle=|<style", text), path


@pytest.mark.django_db(transaction=True)
def test_a_year_stands_beside_the_one_before_and_none_is_to_come(people: People) -> None:
    year = timezone.now().year
    people.achievement("a", name="This year's", points=40)
    people.achievement("b", name="Last year's", points=15)
    people.unlock("anna", "b", at=f"{year - 1}-03-05T12:00:00Z")
    people.unlock("anna", "a")
    followers.ensure_rows()
    followers.drain("history")
    client = signed_in(people["anna"])
    now = page(client, f"/me/recap/{year}")
    assert f"25 more than in {year - 1}" in re.sub(r"\s+", " ", now)
    assert "This year" in now
    assert "Last year&#x27;s" not in now
    before = page(client, f"/me/recap/{year - 1}")
    assert f"1 unlocks in {year - 1}, most in March: 1" in before
    assert f"/me/recap/{year}" in before
    page(client, f"/me/recap/{year + 1}", 404)
    page(client, "/me/recap/1979", 404)
