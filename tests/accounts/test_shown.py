"""Players in lists: kept as JSON, and never as they were before a change."""

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import selectors, services, shown
from accounts.models import Player, PlayerIdentity
from config.embedded import Servers
from core.redis import breaker, client
from core.rendering import dumps
from tests import factories
from tests.patience import valkey_frozen

pytestmark = pytest.mark.django_db(transaction=True)


def rename(player: Player, name: str) -> None:
    studio_id = PlayerIdentity.objects.values_list("studio_id", flat=True).get(player=player)
    services.update_player(studio_id=studio_id, external_id="p-1", changes={"display_name": name})


def name_of(player: Player, studio_id: int | None = None) -> str:
    found: str = orjson.loads(shown.as_json([player.pk], studio_id=studio_id)[player.pk])["display_name"]
    return found


def test_what_is_kept_is_what_postgresql_says() -> None:
    studio = factories.studio()
    players = [factories.player(studio, f"p-{n}", display_name=f'A "{n}"').pk for n in range(3)]
    for studio_id in (None, studio.pk):
        expected = selectors.players_shown(players, studio_id=studio_id)
        for _ in ("looked up", "kept"):
            found = shown.as_json(players, studio_id=studio_id)
            assert {pk: orjson.loads(text) for pk, text in found.items()} == expected


def test_a_page_that_is_kept_asks_postgresql_nothing() -> None:
    studio = factories.studio()
    players = [factories.player(studio, f"p-{n}").pk for n in range(3)]
    shown.as_json(players, studio_id=studio.pk)
    with CaptureQueriesContext(connection) as asked:
        assert len(shown.as_json(players, studio_id=studio.pk)) == len(players)
    assert len(asked) == 0


def test_a_new_name_is_shown_at_once_to_everybody_and_to_the_studio() -> None:
    studio = factories.studio()
    player = factories.player(studio, display_name="Anna")
    for studio_id in (None, studio.pk):
        assert name_of(player, studio_id) == "Anna"
    rename(player, "Berta")
    for studio_id in (None, studio.pk):
        assert name_of(player, studio_id) == "Berta"


def test_who_read_a_player_before_a_change_keeps_nothing_of_it() -> None:
    player = factories.player(factories.studio(), display_name="Anna")
    read_before = dumps(selectors.players_shown([player.pk])[player.pk])
    rename(player, "Berta")
    shown._keep({player.pk: read_before}, shown._EVERYBODY)
    assert name_of(player) == "Berta"


def test_another_studio_is_shown_no_id_and_keeps_nobody_under_its_name() -> None:
    player = factories.player(factories.studio(), display_name="Anna")
    other = factories.studio("Southlight")
    assert "external_id" not in orjson.loads(shown.as_json([player.pk], studio_id=other.pk)[player.pk])
    rename(player, "Berta")
    assert name_of(player, other.pk) == "Berta"


def test_nobody_is_shown_who_does_not_exist_and_an_empty_list_asks_nothing() -> None:
    assert shown.as_json([2**40]) == {}
    assert shown.as_json([]) == {}


def test_a_name_is_shown_while_valkey_is_frozen(servers: Servers) -> None:
    player = factories.player(factories.studio(), display_name="Anna")
    with valkey_frozen(servers):
        assert name_of(player) == "Anna"
        assert breaker("cache").is_open
    assert name_of(player) == "Anna"


def test_a_long_walk_leaves_nothing_behind() -> None:
    studio = factories.studio()
    players = [factories.player(studio, f"p-{n}").pk for n in range(2)]
    shown.as_json([*players, *range(2**40, 2**40 + 200)])
    assert client("cache").dbsize() == 0
    shown.as_json(players)
    assert client("cache").dbsize() == len(players)
