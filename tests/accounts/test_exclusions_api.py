"""/players/{player}/exclusion at the HTTP border."""

from typing import Any

import orjson
import pytest
from django.db import connection

from accounts.models import PlayerIdentity, ServerKey, Studio
from core.models import AuditEntry
from tests import factories
from tests.factories import Api

pytestmark = pytest.mark.django_db

WHY = {"reason": "Speed hack"}


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def server(studio: Studio) -> Api:
    return factories.api(factories.server_key(studio))


def told() -> list[tuple[int, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT studio_id, payload::text FROM core_fact WHERE kind = 'players_excluded' ORDER BY id"
        )
        return [(studio, orjson.loads(payload)["players"]) for studio, payload in cursor.fetchall()]


def excluded(player_id: int) -> set[str]:
    rows = PlayerIdentity.objects.filter(player_id=player_id, excluded_at__isnull=False)
    return set(rows.values_list("external_id", flat=True))


def test_a_player_is_excluded_by_all_of_the_studio_s_ids_and_taken_back(server: Api, studio: Studio) -> None:
    player, other = factories.player(studio), factories.studio()
    PlayerIdentity.objects.create(studio=studio, external_id="alt", player=player)
    PlayerIdentity.objects.create(studio=other, external_id="theirs", player=player)
    answer = server.put("/players/p-1/exclusion", WHY)
    assert (answer.status_code, answer.json()) == (202, {"excluded": True})
    assert excluded(player.pk) == {"p-1", "alt"}
    answer = server.delete(f"/players/id:{player.uuid}/exclusion", {"reason": "Appeal"})
    assert (answer.status_code, answer.json()) == (202, {"excluded": False})
    assert excluded(player.pk) == set()
    assert told() == [(studio.pk, [[player.pk, True]]), (studio.pk, [[player.pk, False]])]


def test_it_is_audited_with_the_key_and_the_reason(server: Api, studio: Studio) -> None:
    player = factories.player(studio)
    server.put("/players/p-1/exclusion", WHY)
    key = ServerKey.objects.get()
    entry = AuditEntry.objects.get()
    assert (entry.studio_id, entry.actor, entry.action) == (studio.pk, f"key:{key.uuid}", "player.exclude")
    assert (entry.object_kind, entry.object_id, entry.reason) == ("player", str(player.uuid), "Speed hack")


def test_repeating_it_changes_nothing_and_is_noted_once(server: Api, studio: Studio) -> None:
    player = factories.player(studio)
    server.put("/players/p-1/exclusion", WHY)
    since = PlayerIdentity.objects.get().excluded_at
    assert server.put("/players/p-1/exclusion", WHY).status_code == 202
    assert PlayerIdentity.objects.get().excluded_at == since
    assert told() == [(studio.pk, [[player.pk, True]])]
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"reason": ""}, 422),
        ({"reason": "  "}, 422),
        ({"reason": "x" * 501}, 422),
        ({"reason": None}, 422),
        ({"reason": 5}, 422),
        ({"reason": "x", "why": "y"}, 400),
        ([], 400),
    ],
)
@pytest.mark.parametrize("method", ["put", "delete"])
def test_without_a_reason_nothing_is_done(
    server: Api, studio: Studio, method: str, body: Any, status: int
) -> None:
    factories.player(studio)
    assert getattr(server, method)("/players/p-1/exclusion", body).status_code == status
    assert told() == []
    assert not AuditEntry.objects.exists()


def test_only_who_may_write_the_studio_s_own_players_may_do_it(server: Api, studio: Studio) -> None:
    player, game = factories.player(studio), factories.game(studio)
    stranger = factories.api(factories.server_key(factories.studio()))
    reader = factories.api(factories.server_key(studio, scopes=["players:read", "scores:write"]))
    own = factories.api(factories.player_token(game, player))
    for caller, status in ((stranger, 404), (reader, 403), (own, 403), (factories.api(), 401)):
        assert caller.put("/players/p-1/exclusion", WHY).status_code == status
        assert caller.delete("/players/p-1/exclusion", WHY).status_code == status
    assert stranger.put(f"/players/id:{player.uuid}/exclusion", WHY).status_code == 404
    assert server.put("/players/nobody/exclusion", WHY).status_code == 404
    assert excluded(player.pk) == set()
    assert told() == []
    assert not AuditEntry.objects.exists()
