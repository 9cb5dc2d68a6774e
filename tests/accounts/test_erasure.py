"""A person is erased: nothing leads to him afterwards, others keep what is theirs, and he does not come back."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier, Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import selectors
from accounts.erasure import asking, checks, finishing
from accounts.erasure.models import ErasedName, Erasure
from accounts.models import Player, PlayerIdentity, Studio
from accounts.selectors import GameInfo
from achievements.models import Played, PlayerTotal, Unlock
from core import followers
from core.facts import subscriptions
from core.refusals import Gone, Refused
from leaderboards.models import Leaderboard, Submission
from leaderboards.services import erasing as scores
from leaderboards.services import follower
from stats.models import Report
from stats.services import erasing as values
from tests import factories
from tests.accounts import erasures, joins
from tests.accounts.erasures import erase, settle
from tests.accounts.joins import advance, drain, play, replay, report, require_whole, rows_of, submit, unlock
from tests.held import held, ids_of_who_waits
from tests.patience import LONG_S

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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_whoever_writes_at_the_same_moment_is_erased_with_him_or_refused(
    one: Studio, pool: ThreadPoolExecutor
) -> None:
    game = joins.declare(one)
    gone = []
    for number in range(6):
        name = f"busy-{number}"
        if number % 2:
            unlock(game, name, "a1")  # with rows that are locked; the others begin with their first ones
        begun = Barrier(6)
        writes: list[Callable[[], Any]] = [
            partial(unlock, game, name, "a2"),
            partial(advance, game, name, 5),
            partial(report, game, name, total=1, max=60, last=6),
            partial(submit, game, name, best=9, sum=3),
            partial(play, game, name),
        ]
        if not number % 2:
            factories.player(one, name)
        waiting = [pool.submit(_at_once, begun, write) for write in writes]
        waiting.append(pool.submit(_at_once, begun, partial(erase, one, name)))
        outcomes = [each.result() for each in waiting]
        assert not isinstance(outcomes[-1], Refused), outcomes[-1]
        assert {type(each) for each in outcomes if isinstance(each, Refused)} <= {Gone}
        gone.append(name)
    settle()
    follower.check_boards()  # a period may have begun for a score that was refused then: nobody was told of it
    require_whole()
    assert [selectors.player_of_studio(one.pk, name) for name in gone] == [None] * 6
    assert [rows_of(pk) for pk in Player.objects.values_list("pk", flat=True)] == [{}] * 6
    assert erasures.left_of(gone) == []
    assert Erasure.objects.count() == 6


def test_two_who_erase_at_once_are_answered_by_one_erasure(one: Studio, pool: ThreadPoolExecutor) -> None:
    game = joins.declare(one)
    live(game, "twice")
    key = factories.server_key(one)
    begun = Barrier(4)

    def ask() -> Any:
        begun.wait()
        return factories.api(key).delete("/players/twice")

    answers = [each.result() for each in [pool.submit(_closing, ask) for _ in range(4)]]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Erasure.objects.count() == 1
    settle()


def test_who_is_joined_and_erased_at_once_is_one_of_both(
    one: Studio, other: Studio, pool: ThreadPoolExecutor
) -> None:
    mine, theirs = joins.declare(one), joins.declare(other)
    live(mine, "p")
    live(theirs, "x")
    begun = Barrier(2)
    waiting = [
        pool.submit(_at_once, begun, partial(joins.join, one, "p", other, "x")),
        pool.submit(_at_once, begun, partial(erase, other, "x")),
    ]
    for each in waiting:
        outcome = each.result()
        assert not isinstance(outcome, Refused) or isinstance(outcome, Gone)
    settle()
    require_whole()
    assert selectors.player_of_studio(other.pk, "x") is None
    info = selectors.player_of_studio(one.pk, "p")
    assert info is not None
    assert Unlock.objects.filter(player_id=info.id, game_id=mine.id).count() == 3
    assert not Unlock.objects.filter(game_id=theirs.id).exists()


def test_what_was_written_behind_the_eraser_goes_too_and_is_counted_for_nobody(
    one: Studio, other: Studio
) -> None:
    mine, theirs = joins.declare(one), joins.declare(other)
    live(mine, "p")
    live(theirs, "x")
    person = joins.join(one, "p", other, "x")
    erase(one, "p")
    # As if the write had looked the id up a moment before: another studio has him, so that no trigger refuses it.
    late = PlayerIdentity.objects.create(studio=one, external_id="late", player_id=person.id)
    live(mine, "late")
    unlock(mine, "late", "a4")
    late.delete()
    settle(looks=8)
    require_whole()
    assert not Unlock.objects.filter(game_id=mine.id).exists()
    assert Unlock.objects.filter(player_id=person.id, game_id=theirs.id).count() == 3
    assert not Played.objects.filter(game_id=mine.id).exists()


def test_an_erasure_waits_for_whoever_is_in_a_transaction(one: Studio, pool: ThreadPoolExecutor) -> None:
    unlock(joins.declare(one), "p", "a1")
    begun, ends = Event(), Event()

    def linger() -> None:
        with transaction.atomic():
            Player.objects.count()
            begun.set()
            ends.wait(LONG_S)

    waiting = pool.submit(_closing, linger)
    assert begun.wait(LONG_S)
    erase(one, "p")
    with pytest.raises(AssertionError):
        settle()
    ends.set()
    waiting.result()
    assert finishing.finish_some(now=timezone.now() + timedelta(hours=1)) == 1


def test_an_erasure_waits_until_listeners_have_heard_of_it(one: Studio) -> None:
    unlock(joins.declare(one), "p", "a1")
    drain()
    made = erase(one, "p")
    for number in range(1, 5):
        finishing.finish_some(now=made.asked_at + number * timedelta(seconds=30))
    assert not Erasure.objects.exclude(done_at=None).exists()
    Erasure.objects.update(looked_at=None)
    settle()


_READ_WHOLE = (
    "accounts_call",
    "stats_report",
    "achievements_progressevent",
    "leaderboards_ranksample",
    "social_notification",
    "analytics_activeday",
    "webhooks_attempt",
    "core_idempotencykey",
    "core_auditentry",
)


def test_a_look_holds_no_listener_back_and_nobody_else_begins_the_same(
    one: Studio, pool: ThreadPoolExecutor
) -> None:
    live(joins.declare(one), "p")
    drain()
    made = erase(one, "p")
    drain()
    look = partial(finishing.finish_some, now=made.asked_at)
    for table in _READ_WHOLE:
        Erasure.objects.update(looked_at=None)
        with held(table):
            looking = pool.submit(_closing, look)
            assert ids_of_who_waits(table) == [None], table
            Erasure.objects.update(looked_at=None, steps=[])
            assert pool.submit(_closing, look).result(LONG_S) == 0
            assert Erasure.objects.get().steps == [], "it left again at once"
        assert looking.result(LONG_S) == 0
    settle()


def test_what_is_too_much_for_one_look_goes_with_the_next(
    one: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = joins.declare(one)
    unlock(game, "p", "a1")
    info = selectors.player_of_studio(one.pk, "p")
    board = Leaderboard.objects.get(key="best")
    assert info is not None
    for _ in range(3):
        told = {"event_id": uuid4(), "player_id": info.id, "heard_at": timezone.now()}
        Report.objects.create(game_id=game.id, **told)
        Submission.objects.create(leaderboard=board, **told)
    monkeypatch.setattr(values, "_AT_ONCE", 1)
    monkeypatch.setattr(scores, "_AT_ONCE", 1)
    erase(one, "p")
    settle(looks=8)
    assert (Report.objects.count(), Submission.objects.count()) == (0, 0)


def test_a_listener_that_dies_in_the_middle_begins_anew(one: Studio) -> None:
    game = joins.declare(one)
    for player in ("p", "stays"):
        live(game, player)
    drain()
    erase(one, "p")
    for subscription in subscriptions().values():
        with contextlib.suppress(_Died), transaction.atomic():
            followers.step(subscription)
            raise _Died
    settle()
    require_whole()


def test_a_person_is_erased_for_every_studio_at_once(one: Studio, other: Studio) -> None:
    mine, theirs = joins.declare(one), joins.declare(other)
    live(mine, "p")
    live(theirs, "x")
    person = joins.join(one, "p", other, "x")
    asking.erase_everywhere(player_id=person.id, reason="", actor="player", at=timezone.now())
    settle()
    require_whole()
    assert rows_of(person.id) == {}
    for game, name in ((mine, "p"), (theirs, "x")):
        with pytest.raises(Gone):
            unlock(game, name, "a2")
    assert Erasure.objects.count() == 2
    assert erasures.left_of([str(person.uuid)]) == []


class _Died(Exception):
    pass


def _at_once(begun: Barrier, work: Callable[[], Any]) -> Any:
    begun.wait()
    try:
        return _closing(work)
    except Refused as refused:
        return refused


def _closing(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


def test_copies_that_go_with_a_container_are_warned_of(settings: Any) -> None:
    settings.IN_PRODUCTION = True
    settings.MEDIA_STORE_URL, settings.ERASURE_LEDGER_URL = "s3://media", "/tmp/laurel/erasures"
    assert [warning.id for warning in checks.ledger_outlives_its_process()] == ["accounts.W001"]
    settings.ERASURE_LEDGER_URL = "s3://erasures"
    assert checks.ledger_outlives_its_process() == []
    settings.MEDIA_STORE_URL, settings.ERASURE_LEDGER_URL = "/srv/media", "/srv/erasures"
    assert checks.ledger_outlives_its_process() == [], "one machine, and one folder for everything"
