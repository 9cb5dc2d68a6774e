"""Followers read every fact once, in order, whatever happens to them."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from io import StringIO
from typing import Any, ClassVar

import pytest
import redis
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from core import dead_letters, facts, followers, lags
from core.facts import Fact, Subscription, publish
from core.models import DeadLetter, Follower
from core.redis import TakesNoWrites
from core.refusals import Unavailable
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


@dataclass(frozen=True)
class Probed:
    """A fact of these tests."""

    kind: ClassVar[str] = "probed"
    number: int


def subscription(listener: Callable[[list[Fact]], None]) -> Subscription:
    Follower.objects.create(name="probe")
    return Subscription("probe", "facts", frozenset({Probed.kind}), listener)


def say(*numbers: int) -> None:
    for number in numbers:
        publish(Probed(number), studio_id=None)


class Heard:
    """Remembers the numbers of what it hears."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self, batch: list[Fact]) -> None:
        self.numbers += [fact.payload["number"] for fact in batch]


def run(probe: Subscription, *, rounds: int = 40) -> None:
    for _ in range(rounds):
        followers.step(probe)


def pass_time() -> None:
    """Let an attempt have been counted so long ago that its worker must be dead."""
    Follower.objects.update(attempted_at=timezone.now() - timedelta(seconds=2 * followers.TAKEN_S))


def test_every_fact_is_heard_once_and_in_order() -> None:
    heard = Heard()
    probe = subscription(heard)
    say(1, 2, 3)
    run(probe, rounds=2)
    say(4)
    run(probe, rounds=2)
    assert heard.numbers == [1, 2, 3, 4]


def test_other_kinds_are_passed_by_and_the_cursor_moves_on() -> None:
    heard = Heard()
    probe = Subscription("probe", "facts", frozenset({"something_else"}), heard)
    Follower.objects.create(name="probe")
    say(1)
    passed_by = followers.step(probe)
    assert passed_by is not None
    assert len(passed_by.facts) == 1
    assert heard.numbers == []
    assert followers.step(probe) == followers.Step([], more=False, at_once=False)


def test_a_fact_of_a_transaction_that_is_still_open_holds_later_ones_back() -> None:
    heard = Heard()
    probe = subscription(heard)
    other = connections["default"].copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("INSERT INTO core_fact (kind, size, payload) VALUES ('probed', 1, '{\"number\": 1}')")
        say(2)
        run(probe, rounds=2)
        assert heard.numbers == []
    other.commit()
    other.close()
    run(probe, rounds=2)
    assert heard.numbers == [1, 2]


def test_who_reads_all_there_is_waits_for_who_still_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    probe = subscription(heard)
    monkeypatch.setattr(facts, "subscriptions", lambda: {"probe": probe})
    other = connections["default"].copy()
    other.inc_thread_sharing()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("INSERT INTO core_fact (kind, size, payload) VALUES ('probed', 1, '{\"number\": 1}')")
    say(2)
    commits = threading.Timer(0.2, other.commit)
    commits.start()
    assert followers.drain("probe") == 2
    assert heard.numbers == [1, 2]
    commits.join()
    other.close()


def test_who_reads_all_there_is_ends_although_the_log_grows_as_he_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = Heard()

    def answers(batch: list[Fact]) -> None:
        heard(batch)
        say(*(number + 10 for number in heard.numbers[-1:]))

    probe = subscription(answers)
    monkeypatch.setattr(facts, "subscriptions", lambda: {"probe": probe})
    say(1, 2)
    assert followers.drain("probe") == 3
    assert heard.numbers == [1, 2, 12]


def test_what_was_written_later_is_nobody_s_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = subscription(Heard())
    monkeypatch.setattr(facts, "subscriptions", lambda: {"probe": probe})
    say(1, 2)
    end = facts.next_transaction()
    assert lags.unread_before(end) == {"probe": 2}
    run(probe, rounds=1)
    say(3)
    assert lags.unread_before(end) == {}


def test_listeners_are_verified_although_the_log_never_stops_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = replace(subscription(Heard()), items=1)  # one fact a read: there are always some ahead
    monkeypatch.setattr(facts, "subscriptions", lambda: {"probe": probe})
    say(1, 2, 3)
    over = threading.Event()

    def go_on() -> None:
        try:
            while not over.wait(0.01):
                say(4)
                followers.step(probe)
        finally:
            connection.close()

    traffic = threading.Thread(target=go_on)
    traffic.start()
    try:
        out = StringIO()
        call_command("verify", "--only", "listeners", stdout=out)
    finally:
        over.set()
        traffic.join()
    assert "Every listener has read the log." in out.getvalue()


def test_the_cursor_moves_with_the_rows_or_not_at_all() -> None:
    def half(batch: list[Fact]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE core_follower SET error = 'half done' WHERE name = 'probe'")
        raise redis.ConnectionError("gone")

    probe = subscription(half)
    say(1)
    with pytest.raises(redis.ConnectionError):
        followers.step(probe)
    row = Follower.objects.get(name="probe")
    assert (row.fact_id, row.error, row.attempts) == (0, "", 0)


@pytest.mark.parametrize(
    "error",
    [
        redis.TimeoutError("frozen"),
        redis.ReadOnlyError("You can't write against a read only replica."),
        TakesNoWrites("Errors writing to the AOF file: No space left on device"),
        Unavailable("A board changes right now."),
    ],
)
def test_what_passes_by_itself_is_nobodys_attempt(error: Exception) -> None:
    def busy(batch: list[Fact]) -> None:
        raise error

    probe = subscription(busy)
    say(1)
    for _ in range(10):
        with pytest.raises(type(error)):
            followers.step(probe)
    assert not DeadLetter.objects.exists()


def test_a_lost_answer_to_a_commit_costs_the_next_fact_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()

    def lost() -> None:
        raise OperationalError("the connection broke")

    def buried(*about: Any) -> None:
        transaction.on_commit(lost)
        monkeypatch.undo()

    probe = subscription(heard)
    say(1, 2)
    Follower.objects.update(attempts=followers.ATTEMPTS, isolating=2, error="failed")
    monkeypatch.setattr(dead_letters, "bury", buried)
    with pytest.raises(OperationalError):
        followers.step(probe)
    followers.step(probe)
    assert heard.numbers == [2]


def test_who_stands_still_is_not_overloaded() -> None:
    say(1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_fact SET at = now() - interval '1 minute'")
    followers.ensure_rows()
    assert lags.seconds_behind(["facts"]) > 55
    Follower.objects.update(updated_at=timezone.now() - timedelta(seconds=11))
    assert lags.seconds_behind(["facts"]) == 0


def test_a_fact_that_fails_three_times_is_buried_and_the_others_are_heard() -> None:
    heard = Heard()

    def picky(batch: list[Fact]) -> None:
        if any(fact.payload["number"] == 3 for fact in batch):
            raise ValueError("three is too many")
        heard(batch)

    probe = subscription(picky)
    say(1, 2, 3, 4, 5)
    run(probe)
    assert heard.numbers == [1, 2, 4, 5]
    letter = DeadLetter.objects.get()
    assert (letter.follower, letter.payload) == ("probe", {"number": 3})
    assert "three is too many" in letter.error
    assert Follower.objects.get(name="probe").isolating == 0


def test_a_fact_that_kills_its_worker_is_counted_and_buried() -> None:
    heard = Heard()

    class Killed(BaseException):
        """The process is gone: nothing after it runs."""

    def deadly(batch: list[Fact]) -> None:
        if any(fact.payload["number"] == 2 for fact in batch):
            raise Killed
        heard(batch)

    probe = subscription(deadly)
    say(1, 2, 3)
    for _ in range(20):
        with suppress(Killed):
            followers.step(probe)
        pass_time()
    assert heard.numbers == [1, 3]
    assert DeadLetter.objects.get().error == "the worker died while it ran"


def test_a_dead_letter_is_applied_again_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    broken = True

    def mended(batch: list[Fact]) -> None:
        if broken:
            raise ValueError("not yet")
        heard(batch)

    probe = subscription(mended)
    monkeypatch.setitem(facts.subscriptions(), "probe", probe)
    say(7)
    run(probe)
    letter = DeadLetter.objects.get()
    with pytest.raises(ValueError, match="not yet"):
        dead_letters.replay(letter.pk)
    assert DeadLetter.objects.get().replayed_at is None
    broken = False
    dead_letters.replay(letter.pk)
    assert heard.numbers == [7]
    with pytest.raises(LookupError):
        dead_letters.replay(letter.pk)


def test_dead_letters_are_forgotten_a_while_after_they_were_replayed() -> None:
    now = timezone.now()
    for number, replayed_at in enumerate([None, now - timedelta(days=31), now - timedelta(days=29)]):
        DeadLetter.objects.create(
            follower="probe",
            fact_id=number,
            fact_tx=1,
            fact_at=now - timedelta(days=90),
            kind="probed",
            payload={},
            error="",
            replayed_at=replayed_at,
        )
    dead_letters.forget(replayed_before=now - timedelta(days=30))
    assert sorted(DeadLetter.objects.values_list("fact_id", flat=True)) == [0, 2]


def test_rewinding_reads_again_from_a_fact_on() -> None:
    heard = Heard()
    probe = subscription(heard)
    say(1, 2, 3)
    run(probe, rounds=2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM core_fact WHERE payload ->> 'number' = '2'")
        second = cursor.fetchone()[0]
    followers.rewind("probe", fact_id=second)
    run(probe, rounds=2)
    assert heard.numbers == [1, 2, 3, 2, 3]
    with pytest.raises(ValueError, match="no fact"):
        followers.rewind("probe", fact_id=10**12)


def test_two_workers_do_not_read_at_once() -> None:
    heard = Heard()
    probe = subscription(heard)
    say(1)
    other = connections["default"].copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT FROM core_follower WHERE name = 'probe' FOR UPDATE")
        assert followers.step(probe) is None
    other.rollback()
    other.close()
    followers.step(probe)
    assert heard.numbers == [1]


def test_a_worker_between_counting_its_attempt_and_beginning_is_not_taken_for_a_dead_one() -> None:
    heard = Heard()
    probe = subscription(heard)
    say(1, 2, 3)
    Follower.objects.update(attempts=1, attempted_at=timezone.now())
    assert followers.step(probe) is None
    row = Follower.objects.get(name="probe")
    assert (row.attempts, row.isolating) == (1, 0)
    pass_time()
    followers.step(probe)
    assert heard.numbers == [1, 2, 3]


def test_one_worker_that_dies_slows_nobody_down() -> None:
    """A deployment may have killed it: its batch is tried again as a whole."""
    sizes: list[int] = []

    class Killed(BaseException):
        """The process is gone: nothing after it runs."""

    def once_deadly(batch: list[Fact]) -> None:
        sizes.append(len(batch))
        if len(sizes) == 1:
            raise Killed

    probe = subscription(once_deadly)
    say(*range(50))
    with pytest.raises(Killed):
        followers.step(probe)
    pass_time()
    followers.step(probe)
    assert sizes == [50, 50]


def test_facts_that_are_isolated_are_read_without_waiting_in_between() -> None:
    def picky(batch: list[Fact]) -> None:
        if len(batch) > 1:
            raise ValueError("one by one, please")

    probe = subscription(picky)
    say(1, 2, 3)
    assert followers.step(probe) == followers.Step([], more=True, at_once=False)
    for _ in range(3):
        step = followers.step(probe)
        assert step is not None
        assert (len(step.facts), step.at_once) == (1, True)
    assert not DeadLetter.objects.exists()


def test_a_read_is_bounded_by_the_rows_its_facts_are_about() -> None:
    for _ in range(3):
        publish(Probed(1), studio_id=None, size=facts.READ_ITEMS - 1)
    read = facts.read_after(0, 0, kinds=[Probed.kind])
    assert len(read) == 2


def test_facts_that_nobody_asked_for_are_read_past_without_their_payload() -> None:
    for _ in range(3):
        publish(Probed(1), studio_id=None, size=facts.READ_ITEMS)
    read = facts.read_after(0, 0, kinds=["something_else"])
    assert [fact.payload for fact in read] == [{}, {}, {}]


def test_a_listener_of_a_few_studios_hears_of_those_and_reads_past_others() -> None:
    heard = Heard()
    first, second = (factories.studio().pk for _ in range(2))
    probe = replace(subscription(heard), studios=f"SELECT {second}")
    for number, studio_id in enumerate([first, second, None, second, first]):
        publish(Probed(number), studio_id=studio_id)
    run(probe, rounds=2)
    publish(Probed(5), studio_id=first)
    assert followers.step(probe) is not None
    assert heard.numbers == [1, 3]
    cursor = Follower.objects.get(name="probe")
    assert (cursor.tx, cursor.fact_id) == facts.head()


def test_a_fact_is_never_there_without_its_transaction() -> None:
    with transaction.atomic():
        say(1)
        transaction.set_rollback(True)
    assert facts.read_after(0, 0, kinds=[Probed.kind]) == []


def test_a_listener_that_takes_fewer_items_reads_fewer_at_a_time() -> None:
    sizes: list[int] = []
    probe = replace(subscription(lambda batch: sizes.append(len(batch))), items=4)
    for number in range(5):
        publish(Probed(number), studio_id=None, size=2)
    run(probe, rounds=4)
    assert sizes == [2, 2, 1]


def test_a_worker_that_knows_fewer_kinds_than_the_newest_version_waits_for_one_that_knows_them() -> None:
    heard = Heard()
    older = subscription(heard)
    Follower.objects.update(hears=["probed", "probed_anew"])  # as the newer version has migrated
    say(1, 2)
    run(older)
    assert heard.numbers == []
    assert Follower.objects.get(name="probe").attempts == 0
    newer = replace(older, kinds=frozenset({"probed", "probed_anew", "and_more"}))
    run(newer)
    assert heard.numbers == [1, 2]


@pytest.mark.slow
def test_after_migrating_each_listener_is_left_to_who_knows_what_it_hears() -> None:
    call_command("migrate", verbosity=0)
    rows = dict(Follower.objects.values_list("name", "hears"))
    assert {name: set(hears) for name, hears in rows.items()} == {
        name: set(listed.kinds) for name, listed in facts.subscriptions().items()
    }
    Follower.objects.update(hears=[])
    call_command("migrate", "core", verbosity=0)  # a part: others of this version may not be migrated yet
    assert not Follower.objects.exclude(hears=[]).exists()
