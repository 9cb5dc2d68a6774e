"""What says that nothing changed notices whatever is changed."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Game, ServerKey
from core.models import AuditEntry
from core.redis import client
from tests import factories
from tests.security.nothing_changed import nothing_changed

pytestmark = pytest.mark.django_db


def _rename() -> None:
    Game.objects.update(title="Another")


CHANGES: Final[dict[str, Callable[[], Any]]] = {
    "a row more": factories.studio,
    "a row less": lambda: Game.objects.all().delete(),
    "a row of another content": _rename,
    "a row of a partition": lambda: factories.player(factories.studio()),
    "a key of Valkey": lambda: client("boards").set("a", "b"),
    "another value of a key": lambda: client("boards").set("there", "other"),
    "a mail": lambda: mail.send_mail("Subject", "Text", None, ["ada@example.com"]),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed(what: str) -> None:
    factories.game()
    client("boards").set("there", "as it was")
    with pytest.raises(AssertionError), nothing_changed(what):
        CHANGES[what]()


def test_that_somebody_came_is_no_change() -> None:
    studio = factories.studio()
    server = factories.api(factories.server_key(studio))
    with nothing_changed():
        assert server.get("/games").status_code == 200
        ServerKey.objects.update(last_used_at=timezone.now())
        client("limits").set("core:v1:bucket:address:192.0.2.1", "1 1")
    assert AuditEntry.objects.count() == 0
