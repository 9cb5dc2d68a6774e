"""What no request waits for waits for PostgreSQL no longer than it may, either."""

import threading
from datetime import UTC, datetime

import pytest

from accounts.calls import writing
from accounts.calls.models import CallCount
from accounts.calls.notebook import notebook
from config.embedded import Servers
from core import deadlines, front_door
from core.admission import Admission, Sort, Verdict
from core.refusals import Unavailable
from tests import factories
from tests.patience import postgresql_frozen

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_the_door_knows_nothing_of_listeners_while_postgresql_hangs(servers: Servers) -> None:
    admission = Admission([Sort("reads", 1, 0.01, yields_lag_s=5)], room=2, of_one_caller=9)
    admission.tell_lag(60)
    with postgresql_frozen(servers):
        front_door._look(admission)
    assert admission.enter(0, "") is Verdict.ADMITTED


def test_what_was_noted_while_postgresql_hangs_is_written_afterwards(servers: Servers) -> None:
    studio = factories.studio()
    writer = writing.Writer()
    with postgresql_frozen(servers):
        notebook.count(studio.pk, "ok")
        writer._write(sums=False)
    writing.write(at=datetime.now(UTC))
    assert list(CallCount.objects.values_list("studio_id", "count")) == [(studio.pk, 1)]


def test_who_waits_for_another_s_look_at_the_database_waits_no_longer_than_he_may() -> None:
    """A key, or a game's definitions, that one thread reads for all of them."""
    lock = threading.Lock()
    with lock, deadlines.deadline(0.05), pytest.raises(Unavailable), deadlines.holding(lock):
        pass
    with deadlines.deadline(0.05), deadlines.holding(lock):
        assert lock.locked()
    with deadlines.holding(lock):
        pass
    assert not lock.locked()
