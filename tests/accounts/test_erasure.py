"""A person is erased: nothing leads to him afterwards, others keep what is theirs, and he does not come back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.utils import timezone

from accounts import selectors
from accounts.erasure.models import ErasedName, Erasure
from accounts.models import Player, Studio
from accounts.selectors import GameInfo
from achievements.models import PlayerTotal, Unlock
from core.refusals import Gone
from tests import factories
from tests.accounts import erasures, joins
from tests.accounts.erasures import erase, settle
from tests.accounts.joins import advance, drain, play, replay, report, require_whole, rows_of, submit, unlock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _anew() -> None:
    joins.begin()


@pytest.fixture
def one() -> Studio:
    return factories.studio()


@pytest.fixture
def other() -> Studio:
    return factories.studio()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as made:
        yield made


def live(game: GameInfo, player: str) -> None:
    """Let a player do something of everything."""
    unlock(game, player, "a1")
    unlock(game, player, "a0")
    advance(game, player, 4)
    report(game, player, total=60, max=7)
    submit(game, player, best=5, last=6, sum=7)
    play(game, player)


@pytest.mark.parametrize("heard", ["before", "after"])
def test_nothing_is_left_of_who_is_erased_and_all_counts_agree(one: Studio, heard: str) -> None:
    game = joins.declare(one)
    gone = factories.player(one, "gone-player", display_name="Gonny McGone", region="EU")
    factories.player(one, "stays", region="EU")
    for player in ("gone-player", "stays"):
        live(game, player)
    if heard == "before":
        drain()
    erase(one, "gone-player")
    drain()
    assert rows_of(gone.pk) == {}
    require_whole()
    settle()
    assert erasures.left_of(["gone-player", "Gonny McGone", str(gone.uuid)]) == []
    assert rows_of(gone.pk) == {}
    require_whole()
    before = joins.census()
    replay()
    assert joins.census() == before
    assert rows_of(gone.pk) == {}
    require_whole()


def test_a_late_write_names_nobody_again(one: Studio) -> None:
    game = joins.declare(one)
    live(game, "late")
    erase(one, "late")
    writes = [
        partial(unlock, game, "late", "a2"),
        partial(advance, game, "late", 5),
        partial(report, game, "late", total=1),
        partial(submit, game, "late", best=9),
        partial(play, game, "late"),
    ]
    for write in writes:
        with pytest.raises(Gone):
            write()
    settle()
    with pytest.raises(Gone):
        unlock(game, "late", "a2")
    assert selectors.player_of_studio(one.pk, "late") is None
    assert Unlock.objects.count() == 0
    assert PlayerTotal.objects.count() == 0
    assert (Erasure.objects.count(), ErasedName.objects.count()) == (1, 2)
    assert Player.objects.get().erased_at is not None


def test_what_another_studio_has_of_him_stays(one: Studio, other: Studio) -> None:
    mine, theirs = joins.declare(one), joins.declare(other)
    factories.player(one, "p", display_name="Linked", region="EU")
    factories.player(other, "x")
    live(mine, "p")
    live(theirs, "x")
    drain()
    person = joins.join(one, "p", other, "x")
    drain()
    alone = factories.player(other, "y")
    erase(one, "p")
    settle()
    require_whole()
    assert PlayerTotal.objects.get(player_id=person.id).points == 60
    assert Unlock.objects.filter(player_id=person.id, game_id=mine.id).count() == 0
    assert Unlock.objects.filter(player_id=person.id, game_id=theirs.id).count() == 3
    info = selectors.player_of_studio(other.pk, "x")
    assert info is not None
    assert (info.display_name, info.region) == ("Linked", "EU")
    with pytest.raises(Gone):
        unlock(mine, "p", "a2")
    erase(other, "x")
    settle()
    require_whole()
    assert rows_of(person.id) == {}
    assert erasures.left_of(["Linked", str(person.uuid)]) == []
    assert Player.objects.get(pk=alone.pk).erased_at is None
    assert timezone.now() is not None
