"""Bans at the service's border: by all of a studio's ids, told and noted once."""

from datetime import UTC, datetime

import orjson
import pytest
from django.db import connection

from accounts import selectors, services
from accounts.models import Player, PlayerIdentity, Studio
from core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, tzinfo=UTC)


def ban(studio: Studio, *, banned: bool, at: datetime = AT) -> bool:
    info = selectors.player_of_studio(studio.pk, "p-1")
    assert info is not None
    return services.ban_player(
        studio_id=studio.pk, player=info, banned=banned, reason="Cheats", actor="user:a@b.example", at=at
    )


def told() -> list[list[list[int | bool]]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM core_fact WHERE kind = 'players_banned' ORDER BY id")
        return [orjson.loads(payload)["players"] for (payload,) in cursor.fetchall()]


def banned_ids(player: Player) -> set[str]:
    rows = PlayerIdentity.objects.filter(player=player, banned_at=AT)
    return set(rows.values_list("external_id", flat=True))


def test_a_player_is_banned_by_all_of_the_studio_s_ids_and_let_back() -> None:
    studio = factories.studio()
    player = factories.player(studio)
    PlayerIdentity.objects.create(studio=studio, external_id="alt", player=player)
    PlayerIdentity.objects.create(studio=factories.studio(), external_id="theirs", player=player)
    assert ban(studio, banned=True)
    assert banned_ids(player) == {"p-1", "alt"}
    assert ban(studio, banned=False)
    assert not PlayerIdentity.objects.filter(banned_at__isnull=False).exists()
    assert told() == [[[player.pk, True]], [[player.pk, False]]]


def test_it_is_audited_with_the_actor_and_the_reason() -> None:
    studio = factories.studio()
    player = factories.player(studio)
    ban(studio, banned=True)
    entry = AuditEntry.objects.get()
    assert (entry.studio_id, entry.actor, entry.action) == (studio.pk, "user:a@b.example", "player.ban")
    assert (entry.object_kind, entry.object_id, entry.reason) == ("player", str(player.uuid), "Cheats")


def test_repeating_it_changes_nothing_and_is_told_once() -> None:
    studio = factories.studio()
    player = factories.player(studio)
    assert not ban(studio, banned=False)
    assert ban(studio, banned=True)
    assert not ban(studio, banned=True, at=AT.replace(year=2027))
    assert banned_ids(player) == {"p-1"}
    assert told() == [[[player.pk, True]]]
    assert AuditEntry.objects.count() == 1
