"""Who sees which part of a player: never more people than see his profile."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Player
from accounts.people import Part, people, visibility
from accounts.selectors import hidden_players
from social import presence
from social.models import Friendship
from social.selectors import seeing
from social.selectors.seeing import Asker
from tests import factories

pytestmark = pytest.mark.django_db
WIDE_TO_NARROW = ("public", "friends", "private")


@pytest.mark.parametrize("profile", WIDE_TO_NARROW)
@pytest.mark.parametrize("part", WIDE_TO_NARROW)
def test_a_part_is_seen_by_no_more_people_than_the_profile(profile: str, part: str) -> None:
    studio = factories.studio()
    ben, friend, stranger = (factories.player(studio, name) for name in ("ben", "friend", "stranger"))
    for one, other in ((ben, friend), (friend, ben)):
        Friendship.objects.create(player_id=one.pk, friend_id=other.pk, since=timezone.now())
    fields = {f"{name}_visibility": part for name in ("games", "feed", "presence")}
    Player.objects.filter(pk=ben.pk).update(visibility=profile, **fields)
    info = people([ben.pk], studio_id=None)[ben.pk]
    expected = max(profile, part, key=WIDE_TO_NARROW.index)
    for which in (Part.GAMES, Part.FEED, Part.PRESENCE):
        assert visibility(info, which) == expected
        assert seeing.sees(info, by=None, part=which) == (expected == "public")
        assert seeing.sees(info, by=stranger.pk, part=which) == (expected == "public")
        assert seeing.sees(info, by=friend.pk, part=which) == (expected != "private")
        assert seeing.sees(info, by=ben.pk, part=which)
    asker = Asker(None, friend.pk)
    for shown in (Part.FEED, Part.GAMES):
        seen = seeing.friends_seen([ben.pk], of=friend.pk, asker=asker, part=shown)
        assert (ben.pk in seen) == (expected != "private")
    assert (ben.pk in hidden_players([ben.pk], part="feed")) == (expected == "private")
    presence.attend({ben.pk: True}, place=1, at=timezone.now())
    found = presence.presences([ben.pk], at=timezone.now())[ben.pk]
    assert found.is_online == (expected != "private")
    pages = {
        f"/players/{ben.uuid}": profile,
        f"/players/{ben.uuid}/games/{factories.game(studio).uuid}": expected,
    }
    for path, seen_by in pages.items():
        assert Client().get(path).status_code == (200 if seen_by == "public" else 404)
