"""What is loaded by COPY is as if it had come by the front door."""

from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Player
from achievements.models import Unlock
from achievements.services import recounting
from bench import load_history
from bench.recomputing import FOLLOWS_FROM_UNLOCKS
from bench.seed import fill
from leaderboards import filling
from social.models import Notification
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def _said(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


@pytest.mark.slow
def test_everything_follows_from_what_is_loaded() -> None:
    world = fill(1)
    now = timezone.now()
    into_own = load_history.load(2_000, 200, now=now)
    into_other = load_history.load(1_000, 100, game=UUID(world.game), now=now)

    assert Unlock.objects.count() == into_own.unlocks + into_other.unlocks
    assert abs(into_own.unlocks - 2_000) < 60
    assert Player.objects.filter(identities__external_id__startswith="past-").count() == 300
    assert Notification.objects.count() == into_own.notices + into_other.notices > 0
    filling.drop_everything()
    _said("rebuild_boards")
    _said("rebuild_analytics")
    with connection.cursor() as cursor:
        for what, sql in FOLLOWS_FROM_UNLOCKS.items():
            cursor.execute(sql)
            assert cursor.fetchall() == [], what
    assert recounting.recount() == 0
    assert "0 differences" in _said("rebuild_boards", "--check")
    assert "0 differences" in _said("rebuild_analytics", "--check")


def test_a_database_of_others_is_left_alone() -> None:
    factories.studio()
    with pytest.raises(load_history.NotOurs):
        load_history.load(10, 1, now=timezone.now())
    assert not Unlock.objects.exists()
