"""A studio's home: the way to the first unlock, and who may see what of it."""

from datetime import UTC, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Game, Member, Role, ServerKey, Studio, User
from achievements.models import Achievement
from achievements.selectors import definitions
from analytics.models import GameDay
from core.models import AuditEntry
from tests import factories
from tests.achievements.reports import a_report
from tests.analytics.world import words
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db
BROWSER = {"Accept": "text/html"}


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


def visitor(studio: Studio, role: str = Role.OWNER) -> Client:
    user = User.objects.create_user(f"{role}-{studio.pk}@example.com", "a-long-enough-password")
    Member.objects.create(studio=studio, user=user, role=role)
    client = Client(headers=BROWSER)
    client.force_login(user)
    return client


def home(studio: Studio) -> str:
    return f"/portal/{studio.uuid}/"


def first(game: Game) -> str:
    return f"/portal/{game.studio.uuid}/games/{game.uuid}/achievements/first"


def unlock(game: Game) -> None:
    about = {"game_id": str(game.uuid), "player": "test-1", "achievement": "first-light"}
    api = factories.api(factories.server_key(game.studio))
    assert api.post("/achievements/unlock", about).status_code == 202


def test_the_way_leads_from_nothing_to_the_first_unlock(studio: Studio) -> None:
    client = visitor(studio)
    assert "0 of 4" in client.get(home(studio)).text
    game = factories.game(studio)
    assert "1 of 4" in client.get(home(studio)).text
    assert client.post(first(game)).status_code == 302
    assert "2 of 4" in client.get(home(studio)).text
    factories.server_key(studio)
    page = client.get(home(studio)).text
    assert "3 of 4" in page
    assert f'"game_id":"{game.uuid}","player":"test-1","achievement":"first-light"' in page
    unlock(game)
    steps = client.get(f"/portal/{studio.uuid}/games/{game.uuid}/first-steps").text
    assert "Your first unlock has arrived" in steps
    assert "data-poll" not in steps
    assert "first-steps" not in client.get(home(studio)).text


def test_what_another_process_made_is_seen_at_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    client, game = visitor(studio), factories.game(studio)
    before = definitions.fresh_catalogue(game.pk)
    assert client.post(first(game)).status_code == 302
    monkeypatch.setitem(definitions._kept, game.pk, before)  # as a process has it that did not make it
    assert "2 of 4" in client.get(home(studio)).text


def test_a_key_that_may_not_unlock_is_no_step(studio: Studio) -> None:
    client, game = visitor(studio), factories.game(studio)
    client.post(first(game))
    factories.server_key(studio, scopes=["players:read"])
    factories.server_key(studio, game=factories.game(studio, title="Zephyr"))
    assert "2 of 4" in client.get(home(studio)).text


def test_the_first_achievement_is_made_once_and_noted(studio: Studio) -> None:
    client, game = visitor(studio), factories.game(studio)
    for _ in range(2):
        assert client.post(first(game)).status_code == 302
    assert Achievement.objects.get(game=game).key == "first-light"
    assert AuditEntry.objects.get(studio_id=studio.pk, action="achievement.create").actor.startswith("user:")


def test_who_may_not_write_makes_nothing(studio: Studio) -> None:
    game = factories.game(studio)
    client = visitor(studio, Role.SUPPORT)
    assert "First light" not in client.get(home(studio)).text
    assert client.post(first(game)).status_code == 403
    assert not Achievement.objects.exists()


def test_another_studio_s_home_is_not_there(studio: Studio) -> None:
    game = factories.game(studio)
    outsider = visitor(factories.studio())
    assert outsider.get(home(studio)).status_code == 404
    assert outsider.post(first(game)).status_code == 404
    mine = Member.objects.get(user__email__startswith="owner").studio
    assert outsider.post(f"/portal/{mine.uuid}/games/{game.uuid}/achievements/first").status_code == 404
    assert not Achievement.objects.exists()


def test_who_is_not_signed_in_is_led_there_and_back(studio: Studio) -> None:
    answer = Client(headers=BROWSER).get(home(studio))
    assert answer["Location"] == f"/account/login/?next={home(studio)}"


def test_games_are_shown_with_what_is_counted_of_them(studio: Studio) -> None:
    game = factories.game(studio, title="Tidewright")
    factories.achievement(game)
    page = visitor(studio, Role.ANALYST).get(home(studio)).text
    assert "Tidewright" in page
    assert "Live" in page


def test_a_home_costs_as_many_queries_for_many_games(
    studio: Studio, django_assert_max_num_queries: object
) -> None:
    client = visitor(studio)
    for number in range(12):
        factories.game(studio, title=f"Game {number}")
    client.get(home(studio))
    with django_assert_max_num_queries(17):  # type: ignore[operator]
        assert client.get(home(studio)).status_code == 200


def test_a_home_sums_up_its_games(studio: Studio) -> None:
    today = timezone.now().astimezone(UTC).date()
    for title, active in (("Tidewright", 3), ("Zephyr", 4)):
        game = factories.game(studio, title=title)
        factories.achievement(game)
        for ago, unlocks in ((0, 10), (1, 20), (8, 15)):
            GameDay.objects.create(
                game_id=game.pk,
                at=today - timedelta(days=ago),
                region="EU",
                active=active + ago,
                new=ago,
                unlocks=unlocks,
                points=0,
                playtime_ms=0,
            )
    text = words(visitor(studio, Role.ANALYST).get(home(studio)).text)
    assert "Players today 7 9 yesterday; games added up" in text
    assert "Unlocks, 7 days 60 +100% vs the 7 days before" in text
    assert "New players, 7 days 2 −87.5% vs the 7 days before" in text
    assert "Points, 7 days 0 0 in the 7 days before" in text
    assert "Nothing needs you. Last look" in text


def test_what_needs_somebody_comes_by_severity(studio: Studio) -> None:
    game = factories.game(studio, title="Tidewright")
    factories.achievement(game, "a")
    factories.achievement(game, "b", state="draft")
    factories.server_key(studio)
    now = timezone.now()
    ServerKey.objects.update(expires_at=now + timedelta(days=3))
    for host in ("hooks", "spare"):
        Endpoint.objects.create(
            studio=studio,
            url=f"https://{host}.example.com/",
            events=["player.created"],
            secret=b"s" * 32,
            failing_since=now - timedelta(hours=5),
            created_at=now,
            updated_at=now,
        )
    text = words(visitor(studio).get(home(studio)).text)
    order = ["hooks.example.com", "spare.example.com", "An API key ends soon", "One more waits"]
    assert [text.index(one) for one in order] == sorted(text.index(one) for one in order)
    assert "A webhook has failed for 5" in text
    assert "4 things need you" in text
    Endpoint.objects.filter(url__contains="spare").delete()
    Endpoint.objects.update(disabled="failing", disabled_at=now)
    text = words(visitor(studio, Role.ADMIN).get(home(studio)).text)
    assert "A webhook was stopped" in text
    assert "A draft waits in Tidewright" in text


def test_who_may_not_act_is_not_asked_to(studio: Studio) -> None:
    game = factories.game(studio)
    factories.achievement(game, "a")
    factories.achievement(game, "b", state="draft")
    factories.server_key(studio)
    ServerKey.objects.update(expires_at=timezone.now() + timedelta(days=3))
    assert "Nothing needs you." in words(visitor(studio, Role.ANALYST).get(home(studio)).text)
    developer = words(visitor(studio, Role.DEVELOPER).get(home(studio)).text)
    assert "A draft waits" in developer
    assert "An API key ends soon" in developer


def test_what_players_wait_for_needs_who_cares_for_them(studio: Studio) -> None:
    game = factories.game(studio)
    a_report(game)
    factories.flagged_unlock(game)
    text = words(visitor(studio, Role.SUPPORT).get(home(studio)).text)
    assert "1 waiting in the review queue" in text
    assert "1 report of a player is unanswered" in text
    assert "Nothing needs you." in words(visitor(studio, Role.ANALYST).get(home(studio)).text)
