"""A member's inbox: what he hears of, by role, what is new to him, and what it costs."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import invitations
from accounts.models import Member, ServerKey, User
from accounts.roles import MAY
from care.selectors import inbox
from core import audit
from core.models import ExportJob
from tests import factories
from tests.achievements.reports import a_report
from tests.care.world import Desk
from webhooks.models import Disabled, Endpoint
from webhooks.services import endpoints

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    for role in MAY:
        made.house.client(role)
    a_while_ago = timezone.now() - timedelta(days=60)
    Member.objects.filter(studio=made.house.studio).update(created_at=a_while_ago)
    return made


def news(desk: Desk, *, by: str = "owner") -> list[tuple[str, bool]]:
    answer = desk.house.get("inbox", by=by)
    assert answer.status_code == 200
    return [(one.title, one.is_new) for one in answer.context["news"]]


def note(
    desk: Desk, action: str, *, by: str = "developer", at: datetime | None = None, **details: Any
) -> None:
    audit.record(
        studio_id=desk.house.studio.pk,
        actor=f"user:{by}@example.com",
        action=action,
        kind="game",
        object_id=desk.game.uuid,
        reason="",
        at=at or timezone.now(),
        details=details,
    )


def everything(desk: Desk) -> None:
    """Let one of everything happen that is told of."""
    studio, now = desk.house.studio, timezone.now()
    hook, _ = endpoints.create(
        studio_id=studio.pk,
        game_id=None,
        url="https://hooks.example.com/",
        events=["player.created"],
        description="",
        actor="user:owner@example.com",
        at=now,
    )
    Endpoint.objects.update(disabled=Disabled.GONE, disabled_at=now)
    audit.record(
        studio_id=studio.pk,
        actor="platform",
        action="webhook.disable",
        kind="webhook",
        object_id=hook.uuid,
        reason="The endpoint answered 410: it wants nothing more.",
        at=now,
    )
    for key in ("a1", "a2"):
        note(desk, "achievement.publish", key=key)
    note(desk, "achievement.import", created=3, updated=1)
    invited = User.objects.create_user("fifth@example.com")
    invitations.invite(
        studio_id=studio.pk,
        email=invited.email,
        role="analyst",
        by=User.objects.get(email="admin@example.com"),
        at=now,
    )
    audit.record(
        studio_id=studio.pk,
        actor=invited.actor,
        action="invitation.accept",
        kind="invitation",
        object_id=uuid4(),
        reason="",
        at=now,
    )
    factories.server_key(studio)
    ServerKey.objects.update(name="game server", expires_at=now + timedelta(days=2))
    factories.flagged_unlock(desk.house.game)
    a_report(desk.house.game)
    ExportJob.objects.create(
        uuid=uuid4(),
        studio_id=studio.pk,
        kind="facts",
        title="Emberwake",
        file_name="facts.ndjson",
        actor="user:analyst@example.com",
        state=ExportJob.State.DONE,
        percent=100,
        created_at=now,
        finished_at=now,
        expires_at=now + timedelta(days=7),
    )


PUBLISHED = {
    "developer@example.com published 2 achievements of Emberwake",
    "developer@example.com imported a file into Emberwake",
}
PLAYERS = {"1 entry came into the review queue", "1 report of a player came in"}
KEYS = {"A webhook was stopped", "The API key “game server” ends soon"}
JOINED = {"fifth@example.com accepted an invitation"}


@pytest.mark.slow
def test_each_role_hears_of_what_it_may_see_and_nobody_of_his_own(desk: Desk) -> None:
    everything(desk)
    told = {role: {title for title, _ in news(desk, by=role)} for role in MAY}
    titles = {title.replace(desk.game.title, "Emberwake") for title in told["owner"]}
    assert titles == PUBLISHED | PLAYERS | KEYS | JOINED
    assert told["admin"] == told["owner"]
    assert {title.replace(desk.game.title, "Emberwake") for title in told["developer"]} == PLAYERS | KEYS
    assert {title.replace(desk.game.title, "Emberwake") for title in told["support"]} == PUBLISHED | PLAYERS
    analyst = {title.replace(desk.game.title, "Emberwake") for title in told["analyst"]}
    assert analyst == PUBLISHED | {"Your export of Emberwake is ready"}
    for role in MAY:
        for one in desk.house.get("inbox", by=role).context["news"]:
            assert desk.house.client(role).get(one.url).status_code == 200, one.url
    assert desk.house.get("inbox", by="outsider").status_code == 404


def test_what_was_shown_is_read_and_what_came_since_is_new(desk: Desk) -> None:
    note(desk, "achievement.publish", key="a1", at=timezone.now() - timedelta(minutes=2))
    page = desk.house.get("inbox")
    assert 'class="bell-count' in page.text
    note(desk, "achievement.publish", key="a2", at=timezone.now() - timedelta(minutes=1))
    for until in ("", "x", "-5", "9" * 30, "٣"):
        desk.house.post("inbox/read", {"until": until})
        assert all(is_new for _, is_new in news(desk)), until
    answer = desk.house.post("inbox/read", {"until": page.context["until"]})
    assert (answer.status_code, answer["Location"]) == (302, desk.house.path("inbox"))
    assert [is_new for _, is_new in news(desk)] == [True, False]
    assert [is_new for _, is_new in news(desk, by="admin")] == [True]  # they are one to whom both are new
    newest = desk.house.get("inbox").context["until"]
    desk.house.post("inbox/read", {"until": newest})
    desk.house.post("inbox/read", {"until": page.context["until"]})  # an old tab takes nothing back
    page = desk.house.get("inbox")
    assert not any(one.is_new for one in page.context["news"])
    assert "bell-count" not in page.text


def test_whoever_joins_begins_with_nothing_unread(desk: Desk) -> None:
    note(desk, "achievement.publish", key="a1", at=timezone.now() - timedelta(hours=1))
    User.objects.filter(email="support@example.com").update(is_active=True)
    Member.objects.filter(user__email="support@example.com").update(created_at=timezone.now())
    assert [is_new for _, is_new in news(desk, by="support")] == [False]


def test_a_page_costs_no_query_for_it_while_its_count_is_kept(desk: Desk) -> None:
    note(desk, "achievement.publish", key="a1")
    desk.house.get("members")

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            desk.house.get("members")
        return len(asked)

    kept = queries()
    cache.clear()
    assert 0 < queries() - kept <= 8  # with the rail's own count of reports


def test_it_is_told_in_as_many_queries_however_much_there_is(desk: Desk) -> None:
    everything(desk)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            desk.house.get("inbox")
        return len(asked)

    queries()
    few = queries()
    for number in range(120):
        note(desk, "achievement.import", created=number)
        if number < 30:
            factories.flagged_unlock(desk.house.game, f"more-{number}", f"more-{number}")
    assert queries() == few
    assert len(desk.house.get("inbox").context["news"]) <= inbox.SHOWN
