"""Webhooks in the portal: a studio does with forms what it does by API, and sees what was sent and answered."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Game, Member, Role, Studio, User
from core.models import AuditEntry
from tests import factories
from tests.factories import Api
from tests.webhooks import world
from tests.webhooks.servers import receiver, says
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db
BROWSER = {"Accept": "text/html"}
ADDRESS = "https://hooks.example.com/laurel"


def visitor(studio: Studio, role: str = Role.DEVELOPER) -> Client:
    user = User.objects.create_user(f"{role}-{studio.pk}@example.com", "a-long-enough-password")
    Member.objects.create(studio=studio, user=user, role=role)
    client = Client(headers=BROWSER)
    client.force_login(user)
    return client


@pytest.fixture
def developer(studio: Studio) -> Client:
    return visitor(studio)


def pages(studio: Studio) -> str:
    return f"/portal/{studio.uuid}/webhooks"


def once(client: Client, page: str) -> str:
    found = re.search(r'name="once"\s+value="([^"]+)"', client.get(page).text)
    assert found
    return found[1]


def create(client: Client, studio: Studio, **values: Any) -> Any:
    page = f"{pages(studio)}/new"
    said = {"url": ADDRESS, "events": ["achievement.unlocked"], "once": once(client, page)}
    return client.post(page, {**said, **values})


def made(client: Client, studio: Studio) -> str:
    assert create(client, studio).status_code == 200
    return f"{pages(studio)}/{Endpoint.objects.get().uuid}"


def test_a_secret_is_shown_once_and_by_nothing_else(developer: Client, studio: Studio) -> None:
    answer = create(developer, studio)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{20,}", answer.text)
    assert secret
    assert "no-store" in answer["Cache-Control"]
    hook = f"{pages(studio)}/{Endpoint.objects.get().uuid}"
    for page in (pages(studio), hook):
        assert secret[0] not in developer.get(page).text
    entry = AuditEntry.objects.get(action="webhook.create")
    assert entry.actor == f"user:developer-{studio.pk}@example.com"


def test_one_of_a_game_that_was_put_away_is_listed_as_that_game_s(developer: Client, studio: Studio) -> None:
    game = factories.game(studio, title="Put away")
    assert create(developer, studio, game=str(game.uuid)).status_code == 200
    Game.objects.filter(pk=game.pk).update(archived_at=timezone.now())
    listed = developer.get(pages(studio)).text
    assert "<bdi>Put away</bdi>" in listed
    assert "all games" not in listed


def test_a_form_that_is_sent_again_makes_no_second_one(developer: Client, studio: Studio) -> None:
    page = f"{pages(studio)}/new"
    said = {"url": ADDRESS, "events": ["player.created"], "once": once(developer, page)}
    assert developer.post(page, said).status_code == 200
    assert developer.post(page, said)["Location"] == pages(studio)
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": ""},
        {"url": "http://hooks.example.com/"},
        {"url": "https://10.0.0.1/"},
        {"events": []},
        {"events": ["everything"]},
        {"description": "a\nb"},
        {"game": "0198f2c4-6f1e-7000-8000-000000000000"},
    ],
)
def test_what_can_t_be_is_said_beside_its_field(
    developer: Client, studio: Studio, wrong: dict[str, Any]
) -> None:
    answer = create(developer, studio, **wrong)
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert not Endpoint.objects.exists()


def test_another_studio_s_game_is_no_choice(developer: Client, studio: Studio) -> None:
    assert create(developer, studio, game=str(factories.game().uuid)).status_code == 422


def test_it_is_changed_disabled_enabled_and_deleted(developer: Client, studio: Studio) -> None:
    hook = made(developer, studio)
    changes = {"url": ADDRESS, "events": ["player.created"], "description": "our bot"}
    assert developer.post(hook, changes).status_code == 302
    row = Endpoint.objects.get()
    assert (row.events, row.description) == (["player.created"], "our bot")
    assert developer.post(hook, {**changes, "url": "https://127.0.0.1/"}).status_code == 422
    developer.post(f"{hook}/switch", {"enabled": "false"})
    assert Endpoint.objects.get().disabled == "by_hand"
    assert developer.post(f"{hook}/test").status_code == 302
    assert not Delivery.objects.exists()
    developer.post(f"{hook}/switch", {"enabled": "true"})
    assert Endpoint.objects.get().disabled == ""
    assert developer.post(f"{hook}/delete")["Location"] == pages(studio)
    assert developer.get(hook).status_code == 404


def test_a_new_secret_leaves_the_old_one_its_time(developer: Client, studio: Studio) -> None:
    hook = made(developer, studio)
    said = {"overlap": "24", "hint": re.findall(r'name="hint" value="([^"]+)"', developer.get(hook).text)[0]}
    answer = developer.post(f"{hook}/rotate", said)
    assert "whsec_" in answer.text
    secret = bytes(Endpoint.objects.get().secret)
    assert Endpoint.objects.get().previous_until is not None
    assert developer.post(f"{hook}/rotate", said).status_code == 302
    assert bytes(Endpoint.objects.get().secret) == secret
    assert developer.post(f"{hook}/rotate", {"overlap": "5"}).status_code == 302


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ANALYST])
def test_a_role_without_keys_may_nothing(studio: Studio, role: str) -> None:
    hook = made(visitor(studio), studio)
    client = visitor(studio, role)
    for page in (pages(studio), f"{pages(studio)}/new", hook):
        assert client.get(page).status_code == 403
    for act in ("switch", "rotate", "test", "replay", "delete"):
        assert client.post(f"{hook}/{act}").status_code == 403
    assert Endpoint.objects.get().deleted_at is None


def test_another_studio_s_webhook_is_not_there(developer: Client, studio: Studio) -> None:
    hook = made(developer, studio)
    other = factories.studio()
    stranger = visitor(other)
    uuid = hook.rsplit("/", 1)[1]
    for page in (hook, f"{pages(other)}/{uuid}"):
        assert stranger.get(page).status_code == 404
        for act in ("switch", "rotate", "test", "replay", "delete"):
            assert stranger.post(f"{page}/{act}").status_code == 404
    assert not Delivery.objects.exists()


@pytest.mark.usefixtures("own_network")
@pytest.mark.django_db(transaction=True)
def test_what_was_sent_and_answered_is_shown_and_sent_again(api: Api, studio: Studio) -> None:
    client = visitor(studio)
    with receiver(says(500, b"<script>alert(1)</script>")) as server:
        answer = api.post(
            "/webhooks", {"url": f"http://127.0.0.1:{server.port}/", "events": ["player.created"]}
        )
        hook = f"{pages(studio)}/{answer.json()['id']}"
        delivery = client.post(f"{hook}/test")["Location"]
        assert "None yet" in client.get(delivery).text
        world.send_until(lambda: Delivery.objects.filter(attempts=1).exists())
    page = client.get(delivery).text
    assert "The receiver answered 500." in page
    assert "status:" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "webhook.test" in client.get(f"{hook}?state=pending").text
    assert "No delivery is in this state" in client.get(f"{hook}?state=succeeded").text
    Delivery.objects.update(state="parked", next_attempt_at=None)
    assert client.post(f"{hook}/replay", {"hours": "24", "states": ["parked"]}).status_code == 302
    assert Delivery.objects.get().state == "pending"
    assert client.post(f"{delivery}/redeliver").status_code == 302
    assert client.post(f"{hook}/replay", {"hours": "24"}).status_code == 302


@pytest.mark.slow
def test_the_log_is_read_page_by_page(developer: Client, studio: Studio) -> None:
    hook = made(developer, studio)
    for _ in range(60):
        developer.post(f"{hook}/test")
    first = developer.get(hook).text
    assert first.count(">webhook.test<") == 50
    more = re.search(r'href="(\?[^"]*cursor=[^"]+)"', first)
    assert more
    assert developer.get(hook + more[1].replace("&amp;", "&")).text.count(">webhook.test<") == 10
    assert developer.get(f"{hook}?cursor=forged").status_code == 400
