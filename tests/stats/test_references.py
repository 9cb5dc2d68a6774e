"""What PostgreSQL refuses to store, whoever asks."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from stats.models import Stat, StatValue
from tests import factories
from tests.stats.world import World


def test_a_stat_belongs_to_its_games_studio(world: World) -> None:
    with pytest.raises(IntegrityError, match="a_stat_and_its_game_have_one_studio"):
        Stat.objects.create(studio_id=factories.studio().pk, game=world.game, key="k", name="K")


@pytest.mark.parametrize(
    ("own_studio", "value", "constraint"),
    [
        (False, Decimal(1), "a_value_and_its_stat_have_one_studio"),
        (True, Decimal(2**53) + 1, "a_value_is_kept_exactly"),
    ],
)
def test_a_value_belongs_to_its_stats_studio_and_is_exact(
    world: World, own_studio: bool, value: Decimal, constraint: str
) -> None:
    stat = factories.stat(world.game)
    studio = world.studio if own_studio else factories.studio()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        StatValue.objects.create(
            player_id=factories.player(world.studio).pk,
            stat=stat,
            studio_id=studio.pk,
            value=value,
            reached_at=timezone.now(),
            version=1,
        )
